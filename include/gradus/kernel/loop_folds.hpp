// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/kernel/loop_facts.hpp>
#include <gradus/kernel/reduce.hpp>
#include <gradus/kernel/registers.hpp>

#include <concepts>
#include <limits>

namespace gradus::inline GRADUS_ARCH::kernel {

/// The folds of a loop: as many accumulators as vectors are in flight, added up in a fixed order.
template <auto Description>
struct loop_folds {
    static constexpr auto D = Description;
    using facts = loop_facts<Description>;
    static constexpr int inner = facts::inner, outputs = D.output_count, lanes = facts::width;
    static constexpr std::int64_t width = D.extents[inner];
    static constexpr int unroll = width != at_run_time && width < facts::unroll * lanes
                                      ? static_cast<int>((width + lanes - 1) / lanes) + (width == 0)
                                      : facts::unroll;
    static constexpr std::int64_t step = unroll * lanes, block = target::plain_terms * step;
    using accumulators = registers<facts::bytes, lanes, outputs * unroll>;
    using sums = registers<facts::bytes, lanes, 2 * outputs>;

    static constexpr bool is_fold(int o) { return D.outputs[o].how == fold::sum || D.outputs[o].how == fold::amax; }
    static constexpr bool rounds(int o) { return D.outputs[o].how == fold::sum && is_floating(D.outputs[o].type); }
    /// Terms that one accumulator takes in a row.
    static constexpr std::int64_t terms(std::int64_t columns) { return columns / step + (columns % step + lanes - 1) / lanes; }
    /// Can a row have more terms than are added plainly?
    static constexpr bool is_long = width == at_run_time ? !D.short_rows : width > block;
    static constexpr bool compensates_in_row(int o) { return is_long && rounds(o) && D.outputs[o].axes >> inner & 1; }
    static constexpr bool compensates_between_rows(int o) {
        if (!rounds(o) || !facts::folds_all(D.outputs[o])) return false;
        if (!facts::is_static) return true;
        std::int64_t all = terms(width);
        for (int a = 0; a < inner; ++a) all *= D.extents[a];
        return all > target::plain_terms;
    }
    template <class Which>
    static constexpr bool any(Which which) {
        for (int o = 0; o < outputs; ++o)
            if (which(o)) return true;
        return false;
    }
    /// Is the output a sum over outer axes, which is added up in memory?
    static constexpr bool adds_in_memory(int o) { return rounds(o) && !facts::folds_all(D.outputs[o]) && !facts::folds_row(D.outputs[o]); }
    static constexpr bool rows_compensate = any([](int o) { return compensates_in_row(o); }),
                          all_compensate = any([](int o) { return compensates_between_rows(o); }),
                          has_folds = any([](int o) { return is_fold(o); }),
                          has_folds_in_memory = any([](int o) { return adds_in_memory(o); });

    /// Do as many rows as there are lanes end together? Rows of a constant length that are the whole of their folds, and of which run time
    /// tells how many there are.
    static constexpr bool ends_together = [] {
        bool all = inner > 0 && lanes > 1 && width != at_run_time && width <= block && D.extents[inner > 0 ? inner - 1 : 0] == at_run_time;
        for (loop_output const& o : D.outputs) all = all && facts::folds_row(o) && (o.how == fold::sum || o.how == fold::amax);
        return all;
    }();
    using ends = registers<facts::bytes, lanes, outputs * lanes>;

    template <fold How, class T>
    static constexpr T identity() {
        if constexpr (How == fold::sum) return T(0);
        else if constexpr (std::numeric_limits<T>::has_infinity) return -std::numeric_limits<T>::infinity();
        else return std::numeric_limits<T>::lowest();
    }
    template <fold How, class T, int Lanes>
    GRADUS_PART static simd::vec<T, Lanes> combine(simd::vec<T, Lanes> a, simd::vec<T, Lanes> b) {
        if constexpr (How == fold::sum) return a + b;
        else return simd::max_nan<T, Lanes>(a, b);
    }
    template <int O>
    GRADUS_PART static void reset(auto& acc) {
        using T = element_t<D.outputs[O].type>;
        for (int u = 0; u < unroll; ++u) acc.template at<T>(O * unroll + u) = simd::broadcast<T, lanes>(identity<D.outputs[O].how, T>());
    }
    /// An output that is added up in memory begins.
    template <int O>
    GRADUS_PART static void clear(element_t<D.outputs[O].type>* p, std::int64_t const* extents) {
        std::int64_t size = 1;
        for (int a = 0; a <= inner; ++a)
            if (!(D.outputs[O].axes >> a & 1)) size *= extents[a];
        for (std::int64_t i = 0; i < size; ++i) p[i] = identity<D.outputs[O].how, element_t<D.outputs[O].type>>();
    }
    /// All accumulators of an output, in their order.
    template <int O>
    GRADUS_PART static auto gather(auto& acc) {
        using T = element_t<D.outputs[O].type>;
        auto all = acc.template at<T>(O * unroll);
        for (int u = 1; u < unroll; ++u) all = combine<D.outputs[O].how, T, lanes>(all, acc.template at<T>(O * unroll + u));
        return all;
    }
    /// The accumulators of an output go into its compensated sum, if there is one, and begin anew.
    template <int O>
    GRADUS_PART static void compensate(auto& acc, sums& s, bool is_one) {
        using T = element_t<D.outputs[O].type>;
        if (!is_one) s.template at<T>(2 * O) = s.template at<T>(2 * O + 1) = simd::broadcast<T, lanes>(T(0));
        simd::add_exactly<T, lanes>(s.template at<T>(2 * O), s.template at<T>(2 * O + 1), gather<O>(acc));
        reset<O>(acc);
    }
    template <int O>
    GRADUS_PART static auto collapse(auto& acc) {
        using T = element_t<D.outputs[O].type>;
        if constexpr (D.outputs[O].how == fold::sum) return simd::reduce_add<T, lanes>(gather<O>(acc));
        else return simd::reduce_max<T, lanes>(gather<O>(acc));
    }
    /// Those of as many rows as there are lanes, from row to row what `gather` says.
    template <int O>
    GRADUS_PART static auto collapse_rows(ends& rows) {
        using T = computed_t<D.outputs[O].type>;
        simd::detail::raw<T, lanes> r[lanes];
        GRADUS_UNROLL
        for (int row = 0; row < lanes; ++row) r[row] = simd::detail::to_raw<T, lanes>(rows.template at<T>(O * lanes + row));
        return simd::detail::from_raw<T, lanes>(simd::detail::fold_lanes<T, lanes>(r, [](auto low, auto high) GRADUS_PART {
            auto const both =
                combine<D.outputs[O].how, T, lanes>(simd::detail::from_raw<T, lanes>(low), simd::detail::from_raw<T, lanes>(high));
            return simd::detail::to_raw<T, lanes>(both);
        }));
    }
    /// The same with the compensated sum.
    template <int O>
    GRADUS_PART static auto collapse(auto& acc, sums& s) {
        using T = element_t<D.outputs[O].type>;
        compensate<O>(acc, s, true);
        return simd::reduce_add<T, lanes>(simd::with_lost<T, lanes>(s.template at<T>(2 * O), s.template at<T>(2 * O + 1)));
    }
};

/// A sum over outer axes, which is added up in memory: element by element in a block of its own, where there is memory for
/// one, that goes into the result after as many terms as are added plainly.
template <auto Description, int O>
struct fold_in_memory {
    using folds = loop_folds<Description>;
    static constexpr auto D = Description;
    static constexpr int inner = folds::inner;
    static constexpr loop_output out = D.outputs[O];
    using T = element_t<out.type>;
    static constexpr bool exists = folds::adds_in_memory(O);
    static constexpr std::int64_t most = target::plain_terms + target::plain_terms / 2;
    static constexpr bool folded(int a) { return out.axes >> a & 1; }
    /// The outermost axis that is folded: within it lie the elements of a block.
    static constexpr int outermost = [] {
        int a = 0;
        while (exists && !folded(a)) ++a;
        return a;
    }();
    /// The axis after whose steps the block may go into the result: the innermost one, if all between are folded.
    static constexpr int settling = [] {
        int a = outermost;
        while (a + 1 < inner && folded(a + 1)) ++a;
        for (int b = a + 1; b < inner; ++b)
            if (folded(b)) return outermost;
        return a;
    }();

    T *base = nullptr, *block = nullptr, *result = nullptr;  ///< base + an offset is where terms go; no block: into the result
    std::int64_t size = 1, first = 0;
    std::int64_t period = 1, left = std::numeric_limits<std::int64_t>::max();  ///< steps between settlings, and until the next

    GRADUS_PART void start(T* to, std::int64_t const* extents, T* memory) {
        base = result = to;
        std::int64_t all = 1;
        for (int a = 0; a < inner; ++a)
            if (folded(a)) all *= extents[a];
        if (all <= 2 * target::plain_terms || !memory) return;
        for (int a = outermost; a <= inner; ++a)
            if (!folded(a)) size *= extents[a];
        std::int64_t terms = 1;
        for (int a = settling + 1; a < inner; ++a)
            if (folded(a)) terms *= extents[a];
        period = terms < most ? most / terms : 1;
        block = memory;
        if constexpr (outermost == 0) open(0);
    }
    GRADUS_PART void open(std::int64_t offset) {
        if (!block) return;
        first = offset;
        base = block - offset;
        left = period;
        for (std::int64_t i = 0; i < 2 * size; ++i) block[i] = T(0);
    }
    GRADUS_PART void after_step() {
        if (--left == 0) [[unlikely]]
            compensate();
    }
    GRADUS_PART void compensate() {
        compensate_in_memory<T, folds::lanes>(result + first, block + size, block, size);
        left = period;
    }
    GRADUS_PART void close() {
        if (!block) return;
        compensate();
        for (std::int64_t i = 0; i < size; ++i) result[first + i] = simd::with_lost<T, 1>(result[first + i], block[size + i]);
    }
};
/// Those of a loop; nothing where it has none.
template <auto Description, class Outputs>
struct folds_in_memory {};
template <auto Description, int... O>
    requires(loop_folds<Description>::has_folds_in_memory)
struct folds_in_memory<Description, std::integer_sequence<int, O...>> : fold_in_memory<Description, O>... {};

}  // namespace gradus::inline GRADUS_ARCH::kernel
