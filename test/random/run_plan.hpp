// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "walk_plan.hpp"

#include <gradus/exec/executable.hpp>

#include <cstring>

// Runs a plan by its kernels on real memory: loops by the loop interpreter, the rest by the kernels of its element types.
namespace random_graphs {

/// Elements of one dtype, held as doubles outside, in front of guard bytes that nobody may touch.
class guarded_memory {
    static constexpr std::byte untouched{0xa5}, unset{0xff};  // unset floats are NaN
    static constexpr std::int64_t guard = 128, alignment = 64;
    gr::dtype type_;
    std::int64_t count_, bytes_;
    std::vector<std::byte> memory_;
    std::byte* data_;

public:
    guarded_memory(gr::dtype type, std::int64_t count, bool aligned = false)
        : type_(type),
          count_(count),
          bytes_(count * gr::size_of(type)),
          memory_(static_cast<std::size_t>(bytes_ + guard + alignment), unset),
          data_(memory_.data()) {
        // what need not be aligned more than its elements is not
        std::int64_t const past = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(data_) % alignment);
        data_ += (alignment - past) % alignment + (aligned ? 0 : gr::size_of(type));
        for (std::byte* b = data_ + bytes_; b < memory_.data() + memory_.size(); ++b) *b = untouched;
    }
    guarded_memory(guarded_memory const&) = delete;
    guarded_memory(guarded_memory&&) = default;
    std::byte* data() { return data_; }
    gr::dtype type() const { return type_; }
    std::int64_t count() const { return count_; }
    void write(numbers const& from) {
        gr::core::with_dtype(type_, [&]<class T>(T) {
            for (std::int64_t i = 0; i < count_; ++i) reinterpret_cast<T*>(data_)[i] = static_cast<T>(from[static_cast<std::size_t>(i)]);
        });
    }
    double read(std::int64_t i) const {
        return gr::core::with_dtype(type_, [&]<class T>(T) { return static_cast<double>(reinterpret_cast<T const*>(data_)[i]); });
    }
    void check_guard() const {
        for (std::byte const* b = data_ + bytes_; b < memory_.data() + memory_.size(); ++b)
            if (*b != untouched) throw fault("a write behind a buffer, " + std::to_string(b - data_ - bytes_) + " bytes behind its end");
    }
};

/// The results of a finished graph in the order of its outputs.
inline std::vector<numbers> run_by_kernels(gr::graph const& g, std::map<std::string, numbers, std::less<>> const& symbol_data,
                                           std::int64_t row_count) {
    static constexpr auto const& table = gr::kernel::block_table<all_elementwise>;
    gr::core::executable<> const program(g, {table.data(), table.size()});
    std::int64_t const sizes[gr::max_dimensions] = {row_count};
    gr::dimension_table dimensions = program.dimensions();
    auto elements = [&](gr::shape const& s) {
        std::int64_t n = 1;
        for (int i = 0; i < s.rank(); ++i) n *= dimensions.of(s[i]).at(sizes);
        return n;
    };
    std::vector<guarded_memory> symbols, outputs;
    std::vector<void*> symbol_places, output_places;
    for (gr::symbol_entry const& s : g.symbols) {
        symbols.emplace_back(s.type.type, elements(s.type.shape));
        symbols.back().write(symbol_data.at(std::string(s.name)));
        symbol_places.push_back(symbols.back().data());
    }
    for (gr::output_entry const& o : g.outputs) {
        if (o.updates >= 0) continue;
        outputs.emplace_back(g[o.node].type, elements(g[o.node].shape));
        output_places.push_back(outputs.back().data());
    }
    guarded_memory arena(gr::dtype::boolean, program.workspace_bytes(sizes), true);
    program.run({symbol_places.data(), output_places.data(), arena.data(), sizes});

    std::vector<numbers> results;
    std::size_t returned = 0;
    for (gr::output_entry const& o : g.outputs) {
        guarded_memory const& m = o.updates >= 0 ? symbols[static_cast<std::size_t>(o.updates)] : outputs[returned++];
        results.emplace_back();
        for (std::int64_t e = 0; e < m.count(); ++e) results.back().push_back(m.read(e));
    }
    arena.check_guard();
    for (auto const& m : symbols) m.check_guard();
    for (auto const& m : outputs) m.check_guard();
    return results;
}

}  // namespace random_graphs
