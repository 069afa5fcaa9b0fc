// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>
#include <gradus/core/target.hpp>
#include <gradus/kernel/loop_folds.hpp>
#include <gradus/kernel/loop_guard.hpp>
#include <gradus/kernel/loop_instruction.hpp>
#include <gradus/kernel/loop_leaf.hpp>
#include <gradus/kernel/math/error_function.hpp>
#include <gradus/kernel/math/exponential.hpp>
#include <gradus/kernel/math/hyperbolic.hpp>
#include <gradus/kernel/math/logarithm.hpp>
#include <gradus/kernel/math/power.hpp>
#include <gradus/kernel/math/trigonometric.hpp>
#include <gradus/kernel/truth.hpp>

#pragma GCC diagnostic push
#ifndef __clang__
// Register files are copied whole, the parts that are never written too.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace gradus::inline GRADUS_ARCH::kernel {

/// Runs one fused loop: inputs are read once, outputs written once, everything between stays in registers.
template <auto Description, class Ops>
class loop {
    // clang 19 lays the object of a template parameter out wrongly where an index at run time needs its address
    static constexpr auto D = Description;
    using facts = loop_facts<Description>;
    static constexpr int axes = D.axis_count, inner = facts::inner, count = D.instruction_count, outputs = D.output_count;
    static constexpr int lanes = facts::width;
    using folds = loop_folds<Description>;
    using step_of = loop_instruction<Description, Ops>;
    using guard = loop_guard<Description, Ops>;
    static constexpr int unroll = folds::unroll;
    using file = registers<facts::bytes, lanes, count>;
    using accumulators = typename folds::accumulators;
    using sums = typename folds::sums;
    using scalars = registers<0, 1, outputs + 1>;
    using all_inputs = std::make_integer_sequence<int, D.input_count>;
    using all_outputs = std::make_integer_sequence<int, outputs>;
    using cursor = loop_cursor<Description>;

public:
    /// A function of its own, so that g++ does not run out of its inlining budget in the caller and leave the vector
    /// functions as calls, which spill every register: 1.2 times the time for Black-Scholes in float.
    GRADUS_FLATTEN static void run(loop_arguments const& args) { run_here(args); }

    /// The same for a loop of a few elements, whose call would cost as much as its work: part of the caller, which is to be
    /// flattened.
    GRADUS_PART static void run_here(loop_arguments const& args) {
        loop l(args);
        l.start();
        l.template nest<0>();
        l.finish();
    }

    /// The same in pieces: begin(), pieces that cover the first axis in order, end(). `args` has to live as long.
    GRADUS_PART explicit loop(loop_arguments const& args) : args_(args) {
        for (int a = 0; a < axes; ++a) extent_[a] = D.extents[a] == at_run_time ? args.extents[a] : D.extents[a];
        for (int j = 0; j < D.input_count; ++j)
            for (int a = 0; a < axes; ++a) {
                in_stride_[j][a] = D.inputs[j].stride[a] == at_run_time ? args.strides[j * axes + a] : D.inputs[j].stride[a];
                in_offset_[j] -= D.inputs[j].begin[a] * in_stride_[j][a];
            }
        for (int o = 0; o < outputs; ++o) {
            std::int64_t step = D.outputs[o].columns;
            for (int a = axes - 1; a >= 0; --a) {
                bool folded = D.outputs[o].axes >> a & 1;
                out_stride_[o][a] = folded ? 0 : step;
                if (!folded) step *= extent_[a];
            }
        }
    }
    GRADUS_FLATTEN void begin() { start(); }
    GRADUS_FLATTEN void piece(std::int64_t first, std::int64_t length) {
        extent_[0] = length;
        for (int j = 0; j < D.input_count; ++j) in_offset_[j] = first * in_stride_[j][0];
        for (int o = 0; o < outputs; ++o) out_offset_[o] = first * out_stride_[o][0];
        nest<0>();
        if constexpr (axes == 1 && folds::all_compensate) compensate_all();
    }
    GRADUS_FLATTEN void end() { finish(); }

private:
    loop_arguments const& args_;
    std::int64_t extent_[axes], in_stride_[D.input_count + 1][axes], out_stride_[outputs][axes];
    std::int64_t in_offset_[D.input_count + 1]{}, out_offset_[outputs]{}, index_[axes]{};
    file fixed_;                      // values that change per row or never
    accumulators total_;              // folds over everything
    sums compensated_;                // of this row or of everything
    std::int64_t uncompensated_ = 0;  // terms of every accumulator in total_
    bool has_compensated_ = false;
    folds_in_memory<Description, all_outputs> memory_;

    template <int O>
    using in_memory = fold_in_memory<Description, O>;
    template <int O>
    GRADUS_PART in_memory<O>& fold_of() {
        return memory_;
    }
    template <int O>
    GRADUS_PART in_memory<O> const& fold_of() const {
        return memory_;
    }
    GRADUS_PART cursor here() const { return here(all_inputs(), all_outputs()); }
    template <int... J, int... O>
    GRADUS_PART cursor here(std::integer_sequence<int, J...>, std::integer_sequence<int, O...>) const {
        cursor c;
        ((c.in[J] = static_cast<element_t<D.inputs[J].type> const*>(args_.in[J]) + in_offset_[J]), ...);
        ((c.stride[J] = in_stride_[J][inner]), ...);
        ((c.out[O] = begin_of_row<O>()), ...);
        return c;
    }
    template <int O>
    GRADUS_PART void* begin_of_row() const {
        if constexpr (folds::adds_in_memory(O)) return fold_of<O>().base + out_offset_[O];
        else return static_cast<element_t<D.outputs[O].type>*>(args_.out[O]) + out_offset_[O];
    }
    template <varies When>
    GRADUS_PART void evaluate_all(auto& r, auto& f, cursor const& at, std::int64_t column, int valid) const {
        loop_values<Description, Ops>::template all<When>(r, f, at, column, valid, index_, args_.sizes);
    }

    // ---- the loop

    GRADUS_PART void start() {
        evaluate_all<varies::never>(fixed_, fixed_, here(), 0, lanes);
        if constexpr (folds::has_folds)
            [&]<int... O>(std::integer_sequence<int, O...>) GRADUS_PART { (start_fold<O>(), ...); }(all_outputs());
    }
    template <int O>
    GRADUS_PART void start_fold() {
        constexpr loop_output out = D.outputs[O];
        using T = element_t<out.type>;
        if constexpr (!folds::is_fold(O)) return;
        else if constexpr (facts::folds_all(out)) folds::template reset<O>(total_);
        else if constexpr (!facts::folds_row(out)) {  // added up in memory
            T* const p = static_cast<T*>(args_.out[O]);
            folds::template clear<O>(p, extent_);
            if constexpr (folds::adds_in_memory(O))
                fold_of<O>().start(p, extent_, args_.partial ? static_cast<T*>(args_.partial[O]) : nullptr);
        }
    }
    /// What a fold in memory does around the steps of an axis, and after each of them.
    enum class moment { opens, after_step, closes };
    template <int Axis, moment When, int O>
    GRADUS_PART void pass_fold() {
        if constexpr (!folds::adds_in_memory(O)) return;
        else if constexpr (When == moment::after_step && in_memory<O>::settling == Axis) fold_of<O>().after_step();
        else if constexpr (When == moment::opens && in_memory<O>::outermost == Axis) fold_of<O>().open(out_offset_[O]);
        else if constexpr (When == moment::closes && in_memory<O>::outermost == Axis) fold_of<O>().close();
    }
    template <int Axis, moment When, int... O>
    GRADUS_PART void pass_folds(std::integer_sequence<int, O...>) {
        (pass_fold<Axis, When, O>(), ...);
    }
    template <int Axis>
    GRADUS_PART void nest() {
        if constexpr (Axis == inner) row(here());
        else if constexpr (Axis == inner - 1 && guard::exists) guarded_rows();
        else if constexpr (Axis == inner - 1 && folds::ends_together) rows_together(all_outputs());
        else {
            constexpr bool folds_within = folds::has_folds_in_memory && Axis > 0;
            if constexpr (folds_within) pass_folds<Axis, moment::opens>(all_outputs());
            for (index_[Axis] = 0; index_[Axis] < extent_[Axis]; ++index_[Axis]) {
                nest<Axis + 1>();
                if constexpr (folds::has_folds_in_memory) pass_folds<Axis, moment::after_step>(all_outputs());
                for (int j = 0; j < D.input_count; ++j) in_offset_[j] += in_stride_[j][Axis];
                for (int o = 0; o < outputs; ++o) out_offset_[o] += out_stride_[o][Axis];
            }
            for (int j = 0; j < D.input_count; ++j) in_offset_[j] -= extent_[Axis] * in_stride_[j][Axis];
            for (int o = 0; o < outputs; ++o) out_offset_[o] -= extent_[Axis] * out_stride_[o][Axis];
            if constexpr (folds_within) pass_folds<Axis, moment::closes>(all_outputs());
        }
    }
    GRADUS_PART void guarded_rows() {
        cursor const first = here();
        guard::each_row(fixed_, first.in, in_stride_, index_, extent_[inner - 1], [&](std::int64_t k) GRADUS_PART {
            index_[inner - 1] = k;
            row(first.row(k, in_stride_, out_stride_));
        });
    }
    template <int... O>
    GRADUS_PART void rows_together(std::integer_sequence<int, O...>) {
        constexpr int axis = inner - 1;
        std::int64_t const n = extent_[axis], whole = n - n % lanes;
        cursor at = here();
        typename folds::ends ends;
        auto const one_row = [&](int k) GRADUS_PART {
            accumulators acc;
            file f = fixed_;
            evaluate_all<varies::per_row>(f, f, at, 0, lanes);
            (folds::template reset<O>(acc), ...);
            elements(f, acc, at);
            ((ends.template at<computed_t<D.outputs[O].type>>(O * lanes + k) = folds::template gather<O>(acc)), ...);
            at = at.row(1, in_stride_, out_stride_);
            ++index_[axis];
        };
        auto const end_rows = [&](auto valid) GRADUS_PART {
            (simd::store_partial<element_t<D.outputs[O].type>, lanes>(static_cast<element_t<D.outputs[O].type>*>(at.out[O]) - valid,
                                                                      folds::template collapse_rows<O>(ends), valid),
             ...);
        };
        for (index_[axis] = 0; index_[axis] < whole;) {
            if constexpr (D.body * unroll <= target::unrolled_rows) {
                GRADUS_UNROLL
                for (int k = 0; k < lanes; ++k) one_row(k);
            } else
                for (int k = 0; k < lanes; ++k) one_row(k);
            end_rows(std::integral_constant<int, lanes>{});
        }
        if (whole == n) return;
        int const rest = static_cast<int>(n - whole);
        for (int k = 0; k < lanes; ++k)  // rows that are not there end too
            ((ends.template at<computed_t<D.outputs[O].type>>(O * lanes + k) =
                  simd::broadcast<computed_t<D.outputs[O].type>, lanes>(computed_t<D.outputs[O].type>(0))),
             ...);
        for (int k = 0; k < rest; ++k) one_row(k);
        end_rows(rest);
    }
    /// Vectors First .. Last - 1 of a step that begins at `column`.
    template <int First, int Last>
    GRADUS_PART void step(file& f, accumulators& acc, cursor const& at, std::int64_t column, int valid) const {
        GRADUS_UNROLL
        for (int u = First; u < Last; ++u) vector(f, acc, at, column + u * lanes, valid, u, std::make_integer_sequence<int, outputs>{});
    }
    template <int... O>
    GRADUS_PART void vector(file& f, accumulators& acc, cursor const& at, std::int64_t column, int valid, int u,
                            std::integer_sequence<int, O...>) const {
        file r;
        evaluate_all<varies::per_element>(r, f, at, column, valid);
        (deliver<O>(r, f, acc, at, column, valid, u), ...);
    }
    template <int O>
    GRADUS_PART void deliver(auto& r, auto& f, accumulators& acc, cursor const& at, std::int64_t column, int valid, int u) const {
        constexpr loop_output out = D.outputs[O];
        using T = element_t<out.type>;
        if constexpr (out.how == fold::none) {
            T* p = static_cast<T*>(at.out[O]) + column * out.columns;
            auto v =
                step_of::template fetch<lanes, mask_lane<facts::bytes>>(r, f, out.source, typename step_of::template held<out.source>());
            if constexpr (std::is_same_v<T, bool> && lanes == 1) *p = v;
            else if constexpr (out.columns > 1 && std::is_same_v<T, bool>) {
                bool all[lanes];
                simd::store_bool<mask_lane<facts::bytes>, lanes>(all, v, lanes);
                for (int k = 0; k < valid; ++k) p[k * out.columns] = all[k];
            } else if constexpr (out.columns > 1) simd::store_strided<T, lanes>(p, out.columns, v, valid);
            else if constexpr (std::is_same_v<T, bool>) simd::store_bool<mask_lane<facts::bytes>, lanes>(p, v, valid);
            else if (valid == lanes) simd::store<T, lanes>(p, v);
            else simd::store_partial<T, lanes>(p, v, valid);
        } else if constexpr (folds::is_fold(O)) {
            auto v = step_of::template fetch<lanes, T>(r, f, out.source, typename step_of::template held<out.source>());
            if constexpr (out.axes >> inner & 1) {
                if (valid != lanes)
                    v = simd::select<T, lanes>(simd::first<T, lanes>(valid), v,
                                               simd::broadcast<T, lanes>(folds::template identity<out.how, T>()));
                auto& a = acc.template at<T>(O * unroll + u);
                a = folds::template combine<out.how, T, lanes>(a, v);
            } else {
                T* p = static_cast<T*>(at.out[O]) + column;
                if (valid == lanes) simd::store<T, lanes>(p, folds::template combine<out.how, T, lanes>(simd::load<T, lanes>(p), v));
                else
                    simd::store_partial<T, lanes>(
                        p, folds::template combine<out.how, T, lanes>(simd::load_partial<T, lanes>(p, valid, T(0)), v), valid);
            }
        }
    }
    /// Whole steps up to column `end`; where there are many, sums are compensated on the way.
    GRADUS_PART void whole_steps(file& f, accumulators& acc, cursor const& at, std::int64_t end) {
        std::int64_t i = 0, stop = folds::rows_compensate && end > folds::block ? folds::block : end;
        while (i < end) {
            for (; i < stop; i += folds::step) step<0, unroll>(f, acc, at, i, lanes);
            if (!folds::rows_compensate || i == end) [[likely]]
                break;
            stop = end - i > folds::block ? i + folds::block : end;
            if constexpr (folds::rows_compensate)
                [&]<int... O>(std::integer_sequence<int, O...>)
                    GRADUS_PART { (compensate_row<O>(acc, i > folds::block), ...); }(all_outputs());
            if constexpr (folds::all_compensate) has_compensated_ = true;
        }
    }
    template <int O>
    GRADUS_PART void compensate_row(accumulators& acc, bool is_one) {
        if constexpr (folds::compensates_in_row(O))
            folds::template compensate<O>(acc, compensated_, facts::folds_all(D.outputs[O]) ? has_compensated_ : is_one);
    }
    GRADUS_PART void elements(file& f, accumulators& acc, cursor const& at) {
        if constexpr (D.extents[inner] != at_run_time) {  // what remains of a row is a constant
            constexpr std::int64_t n = D.extents[inner], vectors = n / lanes, rest = vectors % unroll, first = (vectors - rest) * lanes;
            whole_steps(f, acc, at, first);
            if constexpr (rest > 0) step<0, static_cast<int>(rest)>(f, acc, at, first, lanes);
            if constexpr (n % lanes > 0)
                step<static_cast<int>(rest), static_cast<int>(rest) + 1>(f, acc, at, first, static_cast<int>(n % lanes));
        } else {
            std::int64_t const n = extent_[inner];
            std::int64_t i = whole_of(n);
            whole_steps(f, acc, at, i);
            if constexpr (unroll > 1)
                for (; n - i >= lanes; i += lanes) step<0, 1>(f, acc, at, i, lanes);
            if constexpr (lanes > 1)
                if (i < n) step<0, 1>(f, acc, at, i, static_cast<int>(n - i));
        }
    }
    static constexpr std::int64_t whole_of(std::int64_t n) {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(n) / folds::step * folds::step);
    }
    /// Has this row more terms than are added plainly?
    GRADUS_PART bool is_long_row() const { return folds::rows_compensate && whole_of(extent_[inner]) > folds::block; }
    GRADUS_PART void row(cursor const& at) {
        file f = fixed_;
        accumulators acc;
        evaluate_all<varies::per_row>(f, f, at, 0, lanes);
        if constexpr (folds::has_folds)
            [&]<int... O>(std::integer_sequence<int, O...>) GRADUS_PART { (begin_row<O>(acc), ...); }(all_outputs());
        elements(f, acc, at);
        if constexpr (folds::has_folds)
            [&]<int... O>(std::integer_sequence<int, O...>) GRADUS_PART { (end_row<O>(acc, at), ...); }(all_outputs());
        if constexpr (axes > 1 && folds::all_compensate) compensate_all();
    }
    static constexpr bool folds_in_row(int o) { return folds::is_fold(o) && (D.outputs[o].axes >> inner & 1); }
    template <int O>
    GRADUS_PART void begin_row(accumulators& acc) {
        using T = element_t<D.outputs[O].type>;
        if constexpr (!folds_in_row(O)) return;
        else if constexpr (!facts::folds_all(D.outputs[O])) folds::template reset<O>(acc);
        else
            for (int u = 0; u < unroll; ++u) acc.template at<T>(O * unroll + u) = total_.template at<T>(O * unroll + u);
    }
    template <int O>
    GRADUS_PART void end_row(accumulators& acc, cursor const& at) {
        constexpr loop_output out = D.outputs[O];
        using T = element_t<out.type>;
        if constexpr (!folds_in_row(O)) return;
        else if constexpr (facts::folds_all(out)) {
            for (int u = 0; u < unroll; ++u) total_.template at<T>(O * unroll + u) = acc.template at<T>(O * unroll + u);
        } else {
            T* p = static_cast<T*>(at.out[O]);
            T value;
            if constexpr (folds::compensates_in_row(O))
                value = is_long_row() ? folds::template collapse<O>(acc, compensated_) : folds::template collapse<O>(acc);
            else value = folds::template collapse<O>(acc);
            if constexpr (facts::folds_row(out)) *p = value;
            else *p = folds::template combine<out.how, T, 1>(*p, value);
        }
    }
    /// After a row: sums over everything, when they have taken in many terms.
    GRADUS_PART void compensate_all() {
        uncompensated_ += folds::terms(is_long_row() ? extent_[inner] % folds::block : extent_[inner]);
        if (uncompensated_ < target::plain_terms / 2) return;
        [&]<int... O>(std::integer_sequence<int, O...>) GRADUS_PART { (compensate_total<O>(), ...); }(all_outputs());
        uncompensated_ = 0;
        has_compensated_ = true;
    }
    template <int O>
    GRADUS_PART void compensate_total() {
        if constexpr (folds::compensates_between_rows(O)) folds::template compensate<O>(total_, compensated_, has_compensated_);
    }

    // ---- the end: folds over everything, then scalars computed from them; stored last, as an update may write over what is read here

    static constexpr bool is_stored_at_end(int o) {
        return D.outputs[o].how == fold::epilogue || (folds::is_fold(o) && facts::folds_all(D.outputs[o]));
    }
    GRADUS_PART void finish() {
        if constexpr (folds::has_folds_in_memory) pass_folds<0, moment::closes>(all_outputs());
        if constexpr (folds::any(is_stored_at_end)) finish(all_outputs(), std::make_integer_sequence<int, count - D.body>());
    }
    template <int... O, int... K>
    GRADUS_PART void finish(std::integer_sequence<int, O...>, std::integer_sequence<int, K...>) {
        scalars totals;
        registers<0, 1, count> r;
        (total<O>(totals), ...);
        (loop_values<Description, Ops>::template after_folds<D.body + K>(r, totals, args_.in, args_.sizes), ...);
        (store_at_end<O>(r, totals), ...);
    }
    template <int O>
    GRADUS_PART void total(scalars& to) {
        using T = element_t<D.outputs[O].type>;
        if constexpr (folds::compensates_between_rows(O))
            to.template at<T>(O) =
                has_compensated_ ? folds::template collapse<O>(total_, compensated_) : folds::template collapse<O>(total_);
        else if constexpr (folds::is_fold(O) && facts::folds_all(D.outputs[O])) to.template at<T>(O) = folds::template collapse<O>(total_);
    }
    template <int O>
    GRADUS_PART void store_at_end(registers<0, 1, count>& r, scalars& totals) const {
        constexpr loop_output out = D.outputs[O];
        using T = element_t<out.type>;
        if constexpr (out.how == fold::epilogue) *static_cast<T*>(args_.out[O]) = static_cast<T>(r.template at<T>(out.source));
        else if constexpr (folds::is_fold(O) && facts::folds_all(out) && out.stored)
            *static_cast<T*>(args_.out[O]) = totals.template at<T>(O);
    }
};

}  // namespace gradus::inline GRADUS_ARCH::kernel

#pragma GCC diagnostic pop
