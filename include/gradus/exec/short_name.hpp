// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/stages.hpp>

#include <type_traits>

// A program is known by the hash of its graph. The type of its expressions would stand in the name of every function and constant that
// is made for a node of it: names as long as the program, so many of them as it has nodes, more work than all passes together.

namespace gradus::inline GRADUS_ARCH::core {

constexpr std::uint64_t hash_of(node const& n, std::uint64_t h) {
    h = mix(h, n.op->id);
    for (int operand : n.in) h = mix(h, static_cast<std::uint64_t>(operand));
    h = mix(mix(h, static_cast<std::uint64_t>(n.type)), static_cast<std::uint64_t>(n.shape.rank()));
    for (int i = 0; i < n.shape.rank(); ++i)
        h = mix(mix(h, static_cast<std::uint64_t>(n.shape[i].code)), static_cast<std::uint64_t>(n.shape[i].more));
    h = mix(h, bits_of(n.attr.value));
    for (std::int64_t a : n.attr.n) h = mix(h, static_cast<std::uint64_t>(a));
    return h;
}
/// A hash of all that makes one graph another: nodes, symbols, results, bodies.
constexpr std::uint64_t hash_of(graph const& g, std::uint64_t h = 0) {
    for (node const& n : g.nodes) h = hash_of(n, h);
    for (symbol_entry const& s : g.symbols) {
        h = mix(mix(h, hash_of(s.name)), static_cast<std::uint64_t>(s.type.type));
        for (int i = 0; i < s.type.shape.rank(); ++i)
            h = mix(mix(h, static_cast<std::uint64_t>(s.type.shape[i].code)), static_cast<std::uint64_t>(s.type.shape[i].more));
    }
    for (output_entry const& o : g.outputs)
        h = mix(h, static_cast<std::uint64_t>(o.node) << 32 ^ static_cast<std::uint64_t>(o.updates + 1));
    for (int b = 0; b < g.bodies.size(); ++b) h = hash_of(g.bodies[b], mix(h, static_cast<std::uint64_t>(g.nodes.size())));
    return mix(h, static_cast<std::uint64_t>(g.nodes.size()));
}
/// Do all operations have names that mean the same in every translation unit? Hashes know operations by name.
constexpr bool has_known_names(graph const& g) {
    for (node const& n : g.nodes)
        if (!n.op->has_linkage) return false;
    for (int b = 0; b < g.bodies.size(); ++b)
        if (!has_known_names(g.bodies[b])) return false;
    return true;
}

#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wnon-template-friend"  // one function for each name is what is meant
#endif
/// The expressions that have a hash, once `named` has told.
template <std::uint64_t Hash>
struct expressions_named {
    friend constexpr auto find_expressions(expressions_named);
};
#pragma GCC diagnostic pop

template <class Name, class Source>
struct naming {
    friend constexpr auto find_expressions(Name) { return std::type_identity<Source>{}; }
};
/// Has another source of the same graph been named? Asked once for each source, before it is named.
template <class Name, class Source>
inline constexpr bool is_named = requires { find_expressions(Name{}); };

/// A source under a short name.
template <std::uint64_t Hash>
struct named_source {
    using parts = typename decltype(find_expressions(expressions_named<Hash>{}))::type;
    static constexpr graph lower() { return written_graph<parts>.thaw(); }
};

template <class Source>
constexpr auto named() {
    constexpr std::uint64_t hash = [] {
        graph const g = written_graph<Source>.thaw();
        return has_known_names(g) ? hash_of(g) : 0;
    }();
    if constexpr (hash == 0) return std::type_identity<Source>{};
    else {
        using name = expressions_named<hash>;
        if constexpr (!is_named<name, Source>) static_assert(sizeof(naming<name, Source>) > 0);
        return std::type_identity<named_source<hash>>{};
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
