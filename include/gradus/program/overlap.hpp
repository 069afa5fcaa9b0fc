// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/run.hpp>
#include <gradus/program/bind.hpp>

// Memory that the caller gives twice: as an argument that is read and one that is written. The plan knows what is read after what is
// written: where that goes wrong the call is refused, before it has written anything.

namespace gradus::inline GRADUS_ARCH {

/// Which memory a result may share with a symbol.
enum class sharing : std::uint8_t {
    none,  ///< none: the symbol is read when the result, or part of it, has been written
    same,  ///< the very same: an element is read where it is written, and then
    any    ///< any: the symbol is not read any more
};

namespace core {

/// The groups and kernels of a plan as the passes see them, kernels in the order of execution.
constexpr fusion fusion_of(graph const& g, auto const& plan) {
    fusion f;
    for (int k = 0; k < plan.group_count; ++k) f.groups.push_back({});
    for (int k = 0; k < plan.group_count; ++k)
        f.groups[plan.groups[k].number] = {plan.groups[k].kind, 0, plan.groups[k].domain, {}, plan.groups[k].part};
    for (int k = 0; k < plan.kernel_count; ++k) {
        f.kernels.push_back({{}, {}, plan.kernels[k].rows, 0});
        for (int i = 0; i < plan.kernels[k].groups + plan.kernels[k].after; ++i)
            f.kernels[k].groups.push_back(plan.groups[plan.kernels[k].first + i].number);
    }
    for (int i = 0; i < g.size(); ++i) {
        f.group_of.push_back(plan.group_of[i]);
        f.kernel_of.push_back(plan.kernel_of[i]);
        f.base.push_back(plan.base[i]);
        f.inlined.push_back(plan.inlined[i]);
        f.epilogue.push_back(plan.epilogue[i]);
        if (plan.group_of[i] >= 0) f.groups[plan.group_of[i]].members.push_back(i);
    }
    return f;
}
/// Notes that kernel number `kernel` reads operand `id`.
constexpr void note_reading(graph const& g, fusion const& f, int id, int kernel, list<int>& last) {
    int const base = f.base[id];
    if (f.inlined[base])
        for (int i = 0; i < g[base].op->arity; ++i) note_reading(g, f, g[base].in[i], kernel, last);
    else if (g[base].is_symbol() && last[base] < kernel) last[base] = kernel;
}

/// What results (in the order of the graph's outputs) may share with symbols.
template <class Source>
struct sharing_table {
    static constexpr auto const& optimized = stages<Source>::optimized;
    static constexpr int outputs = optimized.output_count, symbols = optimized.symbol_count;
    static constexpr auto value = [] {
        constexpr auto const& plan = stages<Source>::plan;
        graph const g = optimized.thaw();
        fusion const f = fusion_of(g, plan);
        memory_readers const readers(g, f);
        list<int> last(g.size(), -1);  // of a symbol's node: the kernel that reads it last
        for (int m = 0; m < g.size(); ++m)
            for (int i = 0; f.kernel_of[m] >= 0 && i < g[m].op->arity; ++i) note_reading(g, f, g[m].in[i], f.kernel_of[m], last);
        list<int> symbol_nodes;
        for (int i = 0; i < g.size(); ++i)
            if (g[i].is_symbol()) symbol_nodes.push_back(i);
        std::array<sharing, static_cast<std::size_t>(outputs * symbols) + 1> r{};
        for (int o = 0; o < outputs; ++o) {
            auto rule = [&r, o](std::int64_t s) -> sharing& { return r[static_cast<std::size_t>(o * symbols + s)]; };
            int const node = f.base[g.outputs[o].node];
            bool copied = false;  // when all has been read
            for (int k = 0; k < plan.copied_back_count; ++k) copied = copied || plan.copied_back[k] == o;
            for (int s = 0; s < symbols; ++s) rule(s) = sharing::any;
            for (int i : symbol_nodes) {
                if (copied || last[i] < f.kernel_of[node]) continue;
                bool const alike =
                    g[i].type == g[node].type && (g[i].shape == g[node].shape || (g[i].shape.is_single() && g[node].shape.is_single()));
                bool const in_step = last[i] == f.kernel_of[node] && alike && readers.may_overwrite(i, node);
                rule(g[i].symbol()) = in_step ? sharing::same : sharing::none;
            }
            for (output_entry const& other : g.outputs)
                if (other.updates >= 0 && other.updates != g.outputs[o].updates) rule(other.updates) = sharing::none;
        }
        return r;
    }();
    // Copies: the address of the graph would drag the rules of its operations into the program.
    static constexpr auto written_by = [] {
        std::array<output_entry, static_cast<std::size_t>(outputs) + 1> entries{};
        for (int o = 0; o < outputs; ++o) entries[static_cast<std::size_t>(o)] = optimized.outputs[o];
        return entries;
    }();
    static constexpr auto target_number = [] {
        std::array<int, static_cast<std::size_t>(outputs) + 1> numbers{};
        for (int o = 0, returned = 0; o < outputs; ++o)
            numbers[static_cast<std::size_t>(o)] = optimized.outputs[o].updates < 0 ? returned++ : -1;
        return numbers;
    }();
    static constexpr auto names = [] {
        std::array<std::string_view, static_cast<std::size_t>(symbols) + 1> entries{};
        for (int s = 0; s < symbols; ++s) entries[static_cast<std::size_t>(s)] = optimized.symbols[s].name;
        return entries;
    }();
    /// Bytes of the outputs, then of the symbols.
    static constexpr auto bytes = [] {
        std::array<monomial, static_cast<std::size_t>(outputs + symbols) + 1> sizes{};
        dimension_table dimensions = stages<Source>::plan.dimensions;
        auto of = [&](tensor_type const& t) { return dimensions.size(t.shape) * monomial{size_of(t.type), 0}; };
        for (int o = 0; o < outputs; ++o) sizes[static_cast<std::size_t>(o)] = of(optimized[optimized.outputs[o].node].result());
        for (int k = 0; k < symbols; ++k) sizes[static_cast<std::size_t>(outputs + k)] = of(optimized.symbols[k].type);
        return sizes;
    }();
};

/// Memory from `begin` to `end`; nothing where they are equal.
struct memory_range {
    std::uintptr_t begin = 0, end = 0;

    memory_range() = default;
    memory_range(void const* data, std::int64_t bytes)
        : begin(reinterpret_cast<std::uintptr_t>(data)), end(begin + (data ? static_cast<std::uintptr_t>(bytes) : 0)) {}
    /// True for some empty ones too.
    bool meets(memory_range const& that) const { return begin < that.end && that.begin < end; }
    bool shares_with(memory_range const& that) const { return begin != end && that.begin != that.end && meets(that); }
    bool operator==(memory_range const&) const = default;
};

struct shared_memory {
    int outputs, symbols;
    output_entry const* written_by;
    std::string_view const* names;
    sharing const* rules;  ///< per output, per symbol
    memory_range const *written, *read;

    text name(int output) const {
        if (written_by[output].updates >= 0) return concat(names[written_by[output].updates]);
        int target = 0;
        for (int o = 0; o < output; ++o) target += written_by[o].updates < 0;
        return concat("target ", target);
    }
    text binding(int output) const { return written_by[output].updates >= 0 ? concat(name(output), " = data") : text("gr::out(...)"); }
    [[noreturn]] static void refuse(text const& call, text const& a, memory_range const& at_a, text const& b, memory_range const& at_b,
                                    bool both) {
        auto const bytes = static_cast<std::int64_t>(std::min(at_a.end, at_b.end) - std::max(at_a.begin, at_b.begin));
        text const why = both ? text("writes to both") : concat("reads ", b, " when it has written to ", a);
        throw binding_error(concat("gradus::program(", call, "): ", a, " and ", b, " have ", bytes, " bytes in common: the program ", why,
                                   ". Give one of them memory of its own")
                                .str());
    }
    /// Memory is shared: is it so that no value changes?
    [[gnu::cold, gnu::noinline]] void examine() const {
        for (int o = 0; o < outputs; ++o) {
            for (int s = 0; s < symbols; ++s) {
                sharing const allowed = rules[o * symbols + s];
                if (s == written_by[o].updates || !written[o].shares_with(read[s]) || allowed == sharing::any ||
                    (allowed == sharing::same && written[o] == read[s]))
                    continue;
                bool both = false;
                for (int other = 0; other < outputs; ++other) both = both || written_by[other].updates == s;
                refuse(concat(binding(o), ", ", names[s], " = data"), name(o), written[o], concat(names[s]), read[s], both);
            }
            for (int other = 0; other < o; ++other)
                if (written_by[other].updates < 0 && written_by[o].updates < 0 && written[o].shares_with(written[other]))
                    refuse(text("gr::out(...)"), name(other), written[other], name(o), written[o], true);
        }
    }
};

/// Data that is the memory of an object of its own (not a span, a number or a tensor, which can be part of another's): two of them are
/// the same or apart.
template <class D>
inline constexpr bool is_whole_object = [] {
    using value = std::remove_cvref_t<D>;
    if constexpr (requires { typename value::gradus_symbolic; } || requires { typename value::part_of_memory; }) return false;
    else
        return requires(value& v) { v.data(); } &&
               (data_traits<D>::has_shape || requires { std::tuple_size<value>::value; } || requires(value& v) { v.get_allocator(); });
}();

/// What the types of a call's arguments say of their memory: a bit for each symbol, then each target.
struct known_memory {
    std::uint64_t whole = 0;    ///< an object of its own
    std::uint64_t numbers = 0;  ///< a number: two of them are the same or apart
    std::uint64_t copied = 0;   ///< a copy that nobody else has

    static constexpr std::uint64_t bit(int number) { return number < 64 ? std::uint64_t{1} << number : 0; }
    constexpr known_memory& operator|=(known_memory const& that) {
        whole |= that.whole;
        numbers |= that.numbers;
        copied |= that.copied;
        return *this;
    }
    constexpr bool are_same_or_apart(int a, int b) const {
        return (whole & bit(a) && whole & bit(b)) || (numbers & bit(a) && numbers & bit(b));
    }
};

/// Two pieces of memory to compare in a call: that of an output, and that of a symbol or (where `symbol` is -1) of an earlier output.
struct memory_pair {
    int output = 0, symbol = -1, other = -1;
    bool whole = false;  ///< the same or apart
};
/// The pairs that a call has to compare.
template <class Source, bool GivesTargets, known_memory Known>
inline constexpr auto pairs_to_compare = [] {
    using table = sharing_table<Source>;
    constexpr int most = table::outputs * (table::outputs + table::symbols) + 1;
    struct {
        std::array<memory_pair, static_cast<std::size_t>(most)> of{};
        int count = 0;
    } found;
    auto target = [](int output) { return table::symbols + table::target_number[static_cast<std::size_t>(output)]; };
    list<int> updated_by(table::symbols, table::outputs);  // no symbol is updated twice
    for (int o = 0; o < table::outputs; ++o)
        if (int const s = table::written_by[static_cast<std::size_t>(o)].updates; s >= 0) updated_by[s] = o;
    for (int o = 0; o < table::outputs; ++o) {
        std::int64_t const updates = table::written_by[static_cast<std::size_t>(o)].updates;
        if (updates < 0 && !GivesTargets) continue;
        int const place = updates < 0 ? target(o) : static_cast<int>(updates);
        for (int s = 0; s < table::symbols; ++s) {
            sharing const allowed = table::value[static_cast<std::size_t>(o * table::symbols + s)];
            if (Known.copied & known_memory::bit(s)) continue;
            bool const seen = s == updates || (updates >= 0 && updated_by[s] < o);  // by an earlier output that updates s
            bool const whole = Known.are_same_or_apart(place, s);
            if (!seen && allowed != sharing::any && !(whole && allowed == sharing::same))
                found.of[static_cast<std::size_t>(found.count++)] = {o, s, -1, whole};
        }
        for (int other = 0; other < o; ++other)
            if (updates < 0 && table::written_by[static_cast<std::size_t>(other)].updates < 0)
                found.of[static_cast<std::size_t>(found.count++)] = {o, -1, other, Known.are_same_or_apart(place, target(other))};
    }
    return found;
}();

template <class Source, bool GivesTargets, known_memory Known, std::size_t I>
inline constexpr memory_pair constant_pair = pairs_to_compare<Source, GivesTargets, Known>.of[I];

/// The memory of an output, or of a symbol.
template <class Source>
struct memory_of {
    using table = sharing_table<Source>;
    std::int64_t const* dimensions;
    void* const* symbols;
    void* const* targets;

    [[gnu::always_inline]] memory_range symbol(int s) const {
        return {symbols[s], bytes(table::bytes[static_cast<std::size_t>(table::outputs + s)])};
    }
    [[gnu::always_inline]] memory_range output(int o) const {
        auto const at = static_cast<std::size_t>(o);
        if (int const s = table::written_by[at].updates; s >= 0) return symbol(s);
        return {targets[table::target_number[at]], bytes(table::bytes[at])};
    }
    [[gnu::always_inline]] std::int64_t bytes(monomial const& m) const { return m.powers ? m.at(dimensions) : m.c; }
    [[gnu::always_inline]] bool are_apart(memory_pair const& p) const {
        memory_range const a = output(p.output), b = p.symbol >= 0 ? symbol(p.symbol) : output(p.other);
        return p.whole ? a.begin != b.begin : !a.meets(b);
    }
};
/// The memory of all outputs that a call writes to, and of all symbols.
template <class Source, bool GivesTargets>
struct memory_of_call {
    using table = sharing_table<Source>;
    memory_range written[table::outputs], read[table::symbols + 1];

    explicit memory_of_call(memory_of<Source> const& memory) {
        for (int o = 0; o < table::outputs; ++o)
            if (GivesTargets || table::written_by[static_cast<std::size_t>(o)].updates >= 0) written[o] = memory.output(o);
        for (int s = 0; s < table::symbols; ++s) read[s] = memory.symbol(s);
    }
    bool are_apart(auto const& pairs) const {
        bool apart = true;
        for (int i = 0; i < pairs.count; ++i) {
            memory_pair const& p = pairs.of[static_cast<std::size_t>(i)];
            memory_range const &a = written[p.output], &b = p.symbol >= 0 ? read[p.symbol] : written[p.other];
            apart &= p.whole ? a.begin != b.begin : !a.meets(b);
        }
        return apart;
    }
};
template <class Source, bool GivesTargets>
[[gnu::cold, gnu::noinline]] void examine_sharing(std::int64_t const* dimensions, void* const* symbols, void* const* targets) {
    using table = sharing_table<Source>;
    memory_of_call<Source, GivesTargets> const all({dimensions, symbols, targets});
    shared_memory{table::outputs, table::symbols, table::written_by.data(), table::names.data(), table::value.data(), all.written, all.read}
        .examine();
}
template <class Source, bool GivesTargets, known_memory Known>
inline void compare_memory(std::int64_t const* dimensions, void* const* symbols, void* const* targets) {
    constexpr auto const& pairs = pairs_to_compare<Source, GivesTargets, Known>;
    memory_of<Source> const memory{dimensions, symbols, targets};
    bool const apart = [&] {
        if constexpr (pairs.count > target::unrolled_pairs) return memory_of_call<Source, GivesTargets>(memory).are_apart(pairs);
        else
            return [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
                return (memory.are_apart(constant_pair<Source, GivesTargets, Known, I>) && ...);
            }(std::make_index_sequence<static_cast<std::size_t>(pairs.count)>{});
    }();
    if (!apart) examine_sharing<Source, GivesTargets>(dimensions, symbols, targets);
}
/// Beside a program that is not inlined either it does not take registers from the rest of the call.
template <class Source, bool GivesTargets, known_memory Known>
[[gnu::noinline]] void compare_memory_apart(std::int64_t const* dimensions, void* const* symbols, void* const* targets) {
    compare_memory<Source, GivesTargets, Known>(dimensions, symbols, targets);
}
/// Throws binding_error where results that the caller has memory for, or updates, share memory in a way that would change a value.
template <class Source, bool GivesTargets, known_memory Known>
inline void require_apart([[maybe_unused]] std::int64_t const* dimensions, [[maybe_unused]] void* const* symbols,
                          [[maybe_unused]] void* const* targets) {
    constexpr bool writes = [] {
        constexpr auto const& g = stages<Source>::optimized;
        bool found = GivesTargets && g.output_count > 0;
        for (int o = 0; o < g.output_count; ++o) found = found || g.outputs[o].updates >= 0;
        return found;
    }();
    if constexpr (!writes) return;
    else if constexpr (pairs_to_compare<Source, GivesTargets, Known>.count == 0) return;
    else if constexpr (is_tiny<Source>) compare_memory<Source, GivesTargets, Known>(dimensions, symbols, targets);
    else compare_memory_apart<Source, GivesTargets, Known>(dimensions, symbols, targets);
}

[[noreturn, gnu::cold]] inline void refuse_scratch(text const& argument) {
    throw binding_error(concat("gradus::program(", argument,
                               ", workspace): the data is memory of the workspace, which the program writes to. Give it memory of its own")
                            .str());
}
/// Throws binding_error where an argument or a target is part of the scratch memory.
template <class Source>
void require_no_scratch(std::int64_t const* dimensions, void* const* symbols, void* const* targets, workspace& scratch) {
    using table = sharing_table<Source>;
    memory_range const all(scratch.data(), static_cast<std::int64_t>(scratch.size()));
    memory_of<Source> const memory{dimensions, symbols, targets};
    for (int s = 0; s < table::symbols; ++s)
        if (all.shares_with(memory.symbol(s))) refuse_scratch(concat(table::names[static_cast<std::size_t>(s)], " = data"));
    for (int o = 0; o < table::outputs; ++o)
        if (table::written_by[static_cast<std::size_t>(o)].updates < 0 && all.shares_with(memory.output(o)))
            refuse_scratch(text("gr::out(...)"));
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
