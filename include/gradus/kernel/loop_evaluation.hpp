// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/kernel/block_fold.hpp>
#include <gradus/kernel/loop_view.hpp>

#include <algorithm>
#include <cstring>
#include <limits>

// The loop interpreter: runs a loop block by block, one operation after the other on a whole block, so that deciding what to do
// costs little beside doing it. Compiled once, for all loops; results are those of the compiled loop up to rounding.

namespace gradus::inline GRADUS_ARCH::kernel {

/// One run of a loop by the interpreter. begin(), pieces that cover the first axis in order, end(); what it is made from has to
/// live as long.
template <class Asked = void>
class loop_evaluation {
public:
    loop_evaluation(loop_view const& v, loop_arguments const& args) : v_(v), args_(args), varies_(v.body, 0), slots_(v, classify()) {
        inner_ = v.axis_count - 1;
        for (int a = 0; a < v.axis_count; ++a) extents_[a] = args.extents[a];
        for (int o = 0; o < v.output_count; ++o) strides_of_output(o);
        reserve();
        store_in_place();
        copy_overwritten();
    }
    static void run(loop_view const& v, loop_arguments const& args) {
        loop_evaluation all(v, args);
        all.begin();
        all.blocks();
        all.end();
    }
    void begin() {
        for (int i = 0; i < v_.body; ++i)
            if (!varies_[i]) compute(i, 0, block_);
        for (int o = 0; o < v_.output_count; ++o)
            if (v_.is_fold(o)) start_fold(o);
    }
    void piece(std::int64_t first, std::int64_t length) {
        first_ = first;
        extents_[0] = length;
        blocks();
    }
    void end() {
        for (int o = 0; o < v_.output_count; ++o)
            if (v_.is_fold(o) && !v_.folds_all(o) && exact_[o].size()) finish_fold(o);
        epilogue();
    }

private:
    // ---- before the first block

    char const* classify() {
        for (int i = 0; i < v_.body; ++i) {
            instruction const& at = v_.code[i];
            bool changes = at.op == index;
            if (at.op == load)
                for (int a = 0; a < v_.axis_count; ++a) changes = changes || stride(at.a, a) != 0 || v_.has_window(at.a, a);
            if (at.op >= 0)
                for (int operand : {at.a, at.b, at.c}) changes = changes || (operand >= 0 && varies_[operand]);
            varies_[i] = changes;
        }
        return varies_.begin();
    }
    std::int64_t stride(int input, int axis) const { return args_.strides[input * v_.axis_count + axis]; }
    void strides_of_output(int o) {
        std::int64_t step = v_.outputs[o].columns;
        for (int a = inner_; a >= 0; --a) {
            bool const folded = v_.is_fold(o) && (v_.outputs[o].axes >> a & 1);
            out_stride_.push_back(0);
            if (!folded) out_stride_.back() = step, step *= extents_[a];
        }
        out_size_.push_back(step);
        exact_.push_back({});
        totals_.push_back({});
    }
    std::int64_t out_stride(int o, int axis) const { return out_stride_[o * v_.axis_count + inner_ - axis]; }
    /// The longest block whose values fit into the first cache.
    void reserve() {
        std::int64_t widest = 1, elements = 1;
        for (int i = 0; i < v_.body; ++i) widest = std::max(widest, block_value_size(v_.code[i].type));
        for (int a = 0; a < v_.axis_count; ++a) elements *= extents_[a];
        std::int64_t const slots = std::max(slots_.count(), 1),
                           fits = target::blocks_on_stack / (slots * widest) / target::block_multiple * target::block_multiple;
        std::int64_t const needed = (elements + target::block_multiple - 1) / target::block_multiple * target::block_multiple;
        block_ = std::clamp(std::min(fits, needed), target::block_multiple, target::longest_block);
        slot_bytes_ = block_ * widest;
        if (slots * slot_bytes_ > target::blocks_on_stack) heap_ = core::list<double>(static_cast<int>(slots * slot_bytes_ / 8));
        at_.assign(v_.body, nullptr);
        for (int i = 0; i < v_.body; ++i) at_[i] = slot(i);
    }

    bool overlap(int input, int output) const {
        std::int64_t low = 0, high = 1, elements = v_.outputs[output].columns;
        for (int a = 0; a < v_.axis_count; ++a) {
            std::int64_t const reach = stride(input, a) * (extents_[a] - 1);
            (reach < 0 ? low : high) += reach;
            elements *= extents_[a];
        }
        std::int64_t const in_size = size_of(v_.input_types[input]), out_size = size_of(v_.outputs[output].type);
        auto const in = reinterpret_cast<std::intptr_t>(args_.in[input]), out = reinterpret_cast<std::intptr_t>(args_.out[output]);
        return in + low * in_size < out + elements * out_size && out < in + high * in_size;
    }
    /// A result that no input shares memory with is computed where it is stored.
    void store_in_place() {
        stored_.assign(v_.body, -1);
        for (int o = 0; o < v_.output_count; ++o) {
            loop_output const& out = v_.outputs[o];
            if (out.how != fold::none || out.columns != 1 || out.type == dtype::int32 || is_half(out.type) || v_.code[out.source].op < 0 ||
                !varies_[out.source])
                continue;
            bool alone = true;
            for (int j = 0; j < v_.input_count; ++j) alone = alone && !overlap(j, o);
            if (alone) stored_[out.source] = o;
        }
    }
    /// A load that leaves the loop itself, after another result may have been stored over it, is not read where it is.
    void copy_overwritten() {
        copied_.assign(v_.body, 0);
        for (int o = 0; o < v_.output_count; ++o) {
            loop_output const& out = v_.outputs[o];
            if (out.how == fold::epilogue || v_.code[out.source].op != load) continue;
            for (int other = 0; other < v_.output_count; ++other)
                if (v_.outputs[other].how == fold::none && overlap(v_.code[out.source].a, other)) copied_[out.source] = 1;
        }
    }
    std::byte* slot(int i) { return (heap_.size() ? reinterpret_cast<std::byte*>(heap_.begin()) : stack_) + slots_[i] * slot_bytes_; }

    // ---- blocks

    void blocks() {
        std::int64_t elements = 1;
        for (int a = 0; a < v_.axis_count; ++a) elements *= extents_[a];
        for (std::int64_t at = 0; at < elements; at += block_) {
            std::int64_t const n = std::min(block_, elements - at);
            for (int i = 0; i < v_.body; ++i)
                if (varies_[i]) compute(i, at, n);
            for (int o = 0; o < v_.output_count; ++o) deliver(o, at, n);
        }
    }
    /// f(where in the block, how many, indices): the parts of a block along the innermost axis.
    void each_run(std::int64_t at, std::int64_t n, auto f) const {
        std::int64_t at_axis[max_rank]{}, rest = at;
        for (int a = inner_; a >= 0; --a) {
            at_axis[a] = rest % extents_[a];
            rest /= extents_[a];
        }
        for (std::int64_t i = 0; i < n;) {
            std::int64_t const run = std::min(n - i, extents_[inner_] - at_axis[inner_]);
            f(i, run, static_cast<std::int64_t const*>(at_axis));
            i += run;
            at_axis[inner_] = 0;
            for (int a = inner_ - 1; a >= 0 && ++at_axis[a] == extents_[a]; --a) at_axis[a] = 0;
        }
    }
    void compute(int i, std::int64_t at, std::int64_t n) {
        instruction const& now = v_.code[i];
        if (now.op == load) return load_block(i, at, n);
        if (now.op == constant) return fill(i, now.value, n);
        if (now.op == size) return fill(i, args_.sizes[now.a], n);
        if (now.op == index) return index_block(i, at, n);
        if (int const o = stored_[i]; o >= 0) {
            bool const whole = n % target::block_multiple == 0;
            at_[i] = whole ? static_cast<std::byte*>(args_.out[o]) + (first_ * out_stride(o, 0) + at) * size_of(now.type) : slot(i);
        }
        operate(v_.functions[i], now, at_[i], [this](int operand) { return operand < 0 ? nullptr : at_[operand]; }, n);
    }
    void operate(block_function f, instruction const& now, void* to, auto const& operand, std::int64_t n) const {
        if (f) f(to, operand(now.a), operand(now.b), operand(now.c), n);
        else if (now.op >= 0 && v_.formulas && v_.formulas[now.op]) evaluate_formula(v_.formulas[now.op], now, to, operand, n);
        else convert_block<Asked>(now.type, to, v_.code[now.a].type, operand(now.a), n);
    }
    /// An operation of the user's, of which only the formula for numbers is known at run time.
    void evaluate_formula(double (*formula)(double const*), instruction const& now, void* to, auto const& operand, std::int64_t n) const {
        int const operands[] = {now.a, now.b, now.c};
        for (std::int64_t i = 0; i < n; ++i) {
            double x[3]{};
            for (int k = 0; k < 3 && operands[k] >= 0; ++k)
                core::with_dtype(v_.code[operands[k]].type, [&]<class T>(T) {
                    x[k] = static_cast<double>(static_cast<block_value<T> const*>(operand(operands[k]))[i]);
                });
            core::with_dtype(now.type, [&]<class T>(T) { static_cast<block_value<T>*>(to)[i] = static_cast<block_value<T>>(formula(x)); });
        }
    }
    template <class V>
    static void fill_values(void* to, V value, std::int64_t n) {
        constexpr int W = block_lanes<V>;
        std::int64_t k = 0;
        for (; k + W <= n; k += W) simd::store<V, W>(static_cast<V*>(to) + k, simd::broadcast<V, W>(value));
        for (; k < n; ++k) static_cast<V*>(to)[k] = value;
    }
    void fill(int i, double value, std::int64_t n) {
        core::with_dtype(v_.code[i].type, [&]<class T>(T) { fill_values(at_[i], static_cast<block_value<T>>(value), n); });
    }
    void index_block(int i, std::int64_t at, std::int64_t n) {
        int const axis = v_.code[i].a;
        core::with_dtype(v_.code[i].type, [&]<class T>(T) {
            auto* to = static_cast<block_value<T>*>(at_[i]);
            each_run(at, n, [&](std::int64_t start, std::int64_t run, std::int64_t const* place) {
                std::int64_t const first = place[axis] + (axis == 0 ? first_ : 0);
                for (std::int64_t k = 0; k < run; ++k) to[start + k] = static_cast<block_value<T>>(first + (axis == inner_ ? k : 0));
            });
        });
    }
    bool is_contiguous(int input) const {
        std::int64_t step = 1;
        for (int a = inner_; a >= 0; --a) {
            if (v_.has_window(input, a) || (extents_[a] != 1 && stride(input, a) != step)) return false;
            step *= extents_[a];
        }
        return true;
    }
    void load_block(int i, std::int64_t at, std::int64_t n) {
        int const input = v_.code[i].a;
        core::with_dtype(v_.input_types[input], [&]<class T>(T) {
            T const* from = static_cast<T const*>(args_.in[input]) + first_ * stride(input, 0);
            if (!varies_[i]) return fill_values(at_[i], static_cast<block_value<T>>(*from), n);
            if (std::is_same_v<T, block_value<T>> && !copied_[i] && n % target::block_multiple == 0 && is_contiguous(input)) {
                at_[i] = const_cast<T*>(from + at);
                return;
            }
            auto* to = reinterpret_cast<block_value<T>*>(slot(i));
            at_[i] = to;
            each_run(at, n, [&](std::int64_t start, std::int64_t run, std::int64_t const* place) {
                load_run(input, from, to + start, run, place);
            });
        });
    }
    template <class T>
    void load_run(int input, T const* from, block_value<T>* to, std::int64_t run, std::int64_t const* place) const {
        std::int64_t low = 0, high = run;  // elements of the run within all windows
        for (int a = 0; a < v_.axis_count; ++a) {
            std::int64_t const begin = v_.begin[input * v_.axis_count + a], end = v_.end[input * v_.axis_count + a];
            from += (place[a] - begin) * stride(input, a);
            if (end <= 0) continue;
            std::int64_t const at = place[a] + (a == 0 ? first_ : 0);
            if (a == inner_) low = std::clamp(begin - at, std::int64_t{0}, high), high = std::clamp(end - at, low, high);
            else if (at < begin || at >= end) high = 0;
        }
        std::int64_t const step = stride(input, inner_);
        for (std::int64_t k = 0; k < low; ++k) to[k] = block_value<T>(0);
        if (step == 0 && low < high) fill_values(to + low, static_cast<block_value<T>>(*from), high - low);
        else if (step == 1 && std::is_same_v<T, block_value<T>>)
            std::memcpy(static_cast<void*>(to + low), from + low, static_cast<std::size_t>(high - low) * sizeof(T));
        else
            for (std::int64_t k = low; k < high; ++k) to[k] = static_cast<block_value<T>>(from[k * step]);
        for (std::int64_t k = high; k < run; ++k) to[k] = block_value<T>(0);
    }

    // ---- what leaves the loop

    void deliver(int o, std::int64_t at, std::int64_t n) {
        loop_output const& out = v_.outputs[o];
        if (out.how == fold::epilogue) return;
        core::with_dtype(out.type, [&]<class T>(T) {
            T* const to = static_cast<T*>(args_.out[o]) + (v_.folds_all(o) && v_.is_fold(o) ? 0 : first_ * out_stride(o, 0));
            auto const* from = static_cast<block_value<T> const*>(at_[out.source]);
            if (out.how == fold::none) {
                if (static_cast<void const*>(from) == to + at) return;  // computed there
                for (std::int64_t k = 0; k < n; ++k) to[(at + k) * out.columns] = static_cast<T>(from[k]);
            } else if constexpr (!std::is_same_v<T, bool> && std::is_arithmetic_v<T>) {  // 16-bit values are never folded
                if (out.how == fold::sum) fold_block<fold::sum>(o, to, from, at, n);
                else fold_block<fold::amax>(o, to, from, at, n);
            }
        });
    }
    template <fold How, class T>
    void fold_block(int o, T* to, block_value<T> const* from, std::int64_t at, std::int64_t n) {
        using V = block_value<T>;
        if (v_.folds_all(o)) return totals_[o].take<How>(fold_values<How, V>(from, n, fold_identity<How, V>()));
        bool const inner_folded = v_.outputs[o].axes >> inner_ & 1;
        double* const exact = exact_[o].size() ? exact_[o].begin() + (to - static_cast<T*>(args_.out[o])) : nullptr;
        each_run(at, n, [&](std::int64_t start, std::int64_t run, std::int64_t const* place) {
            std::int64_t offset = 0;
            for (int a = 0; a < v_.axis_count; ++a) offset += place[a] * out_stride(o, a);
            if (inner_folded) {
                T const term = static_cast<T>(fold_values<How, V>(from + start, run, fold_identity<How, V>()));
                return combine<How>(to + offset, exact ? exact + offset : nullptr, &term, 1);
            }
            if constexpr (std::is_same_v<T, V>) combine<How>(to + offset, exact ? exact + offset : nullptr, from + start, run);
            else
                for (std::int64_t k = 0; k < run; ++k) {
                    T const term = static_cast<T>(from[start + k]);
                    combine<How, T>(to + offset + k, nullptr, &term, 1);
                }
        });
    }
    void start_fold(int o) {
        loop_output const& out = v_.outputs[o];
        core::with_dtype(computed_in(out.type), [&]<class T>(T) {  // 16-bit values are never folded
            T const none = out.how == fold::sum ? fold_identity<fold::sum, T>() : fold_identity<fold::amax, T>();
            if (v_.folds_all(o)) {
                if constexpr (std::is_floating_point_v<T>) totals_[o].real = static_cast<double>(none);
                else totals_[o].whole = static_cast<std::int64_t>(none);
                return;
            }
            for (std::int64_t k = 0; k < out_size_[o]; ++k) static_cast<T*>(args_.out[o])[k] = none;
            std::int64_t terms = 1;
            for (int a = 0; a < v_.axis_count; ++a)
                if (out.axes >> a & 1) terms *= args_.extents[a];
            if (out.how == fold::sum && std::is_floating_point_v<T> && terms > target::plain_terms)
                exact_[o] = core::list<double>(static_cast<int>(out_size_[o]));
        });
    }
    void finish_fold(int o) {
        core::list<double> const& exact = exact_[o];
        for (int k = 0; k < exact.size(); ++k) {
            if (v_.outputs[o].type == dtype::float32) static_cast<float*>(args_.out[o])[k] = static_cast<float>(exact[k]);
            else {
                double& to = static_cast<double*>(args_.out[o])[k];
                to = simd::with_lost<double, 1>(to, exact[k]);
            }
        }
    }
    template <class T>
    T total_as(int o) const {
        if constexpr (std::is_floating_point_v<T>) return static_cast<T>(simd::with_lost<double, 1>(totals_[o].real, totals_[o].lost));
        else return static_cast<T>(totals_[o].whole);
    }
    /// Numbers that are computed from complete folds. Only then is anything stored, as an update may write over a number that is
    /// read here.
    void epilogue() {
        core::short_list<double, 16 * target::block_multiple> memory(static_cast<int>(target::block_multiple) * (v_.count - v_.body) + 1);
        auto place = [&](int i) -> void* { return i < v_.body ? nullptr : memory.begin() + target::block_multiple * (i - v_.body); };
        for (int i = v_.body; i < v_.count; ++i) {
            instruction const& now = v_.code[i];
            core::with_dtype(now.type, [&]<class T>(T) {
                auto* to = static_cast<block_value<T>*>(place(i));
                if (now.op == load) *to = static_cast<block_value<T>>(*static_cast<T const*>(args_.in[now.a]));
                else if (now.op == constant) *to = static_cast<block_value<T>>(now.value);
                else if (now.op == size) *to = static_cast<block_value<T>>(args_.sizes[now.a]);
                else if (now.op == reduced) *to = static_cast<block_value<T>>(total_as<T>(now.a));
                else operate(v_.functions[i], now, to, place, 1);
            });
        }
        for (int o = 0; o < v_.output_count; ++o) {
            loop_output const& out = v_.outputs[o];
            core::with_dtype(out.type, [&]<class T>(T) {
                T* const to = static_cast<T*>(args_.out[o]);
                if (out.how == fold::epilogue) *to = static_cast<T>(*static_cast<block_value<T> const*>(place(out.source)));
                else if (v_.is_fold(o) && v_.folds_all(o) && out.stored) *to = total_as<T>(o);
            });
        }
    }

    loop_view const& v_;
    loop_arguments const& args_;
    int inner_ = 0;
    std::int64_t extents_[max_rank]{}, first_ = 0, block_ = 0, slot_bytes_ = 0;
    core::short_list<char, few_instructions> varies_;
    block_slots slots_;
    core::short_list<void*, few_instructions> at_;     ///< where the values of an instruction are
    core::short_list<char, few_instructions> copied_;  ///< per instruction: a load that has a place of its own
    core::short_list<int, few_instructions> stored_;   ///< per instruction: the output that takes its values where they are computed, or -1
    core::short_list<std::int64_t, few_outputs * max_rank> out_stride_, out_size_;
    core::short_list<core::list<double>, few_outputs> exact_;  ///< per output, where it takes in many terms: see `combine`
    core::short_list<fold_total, few_outputs> totals_;
    core::list<double> heap_;
    alignas(64) std::byte stack_[target::blocks_on_stack];
};

}  // namespace gradus::inline GRADUS_ARCH::kernel
