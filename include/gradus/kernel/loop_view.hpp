// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/short_list.hpp>
#include <gradus/kernel/block_chain.hpp>

#include <algorithm>

namespace gradus::inline GRADUS_ARCH::kernel {

/// A loop for the interpreter: what a loop_description says, as pointers to arrays that may have been made at run time. Extents
/// and strides are arguments of the call (loop_arguments).
struct loop_view {
    instruction const* code = nullptr;
    block_function const* functions = nullptr;           ///< per instruction; null for leaves and conversions
    double (*const* formulas)(double const*) = nullptr;  ///< per operation of the code: on one number, where there is no function
    int count = 0, body = 0;                             ///< instructions from `body` on are the epilogue
    dtype const* input_types = nullptr;
    std::int64_t const *begin = nullptr, *end = nullptr;  ///< per input and axis, see loop_input
    loop_output const* outputs = nullptr;
    int input_count = 0, output_count = 0, axis_count = 0;
    block_chain const* chains = nullptr;  ///< per instruction of the body; null where there are none
    chain_step const* steps = nullptr;

    bool has_window(int input, int axis) const { return end[input * axis_count + axis] > 0; }
    bool folds_all(int output) const { return outputs[output].axes == (1u << axis_count) - 1; }
    /// The instruction that computes instruction `i`.
    int computed_by(int i) const { return chains && i < body ? chains[i].end : i; }
    bool is_fold(int output) const { return outputs[output].how == fold::sum || outputs[output].how == fold::amax; }
};

/// Loops of so few need no memory of the heap.
inline constexpr int few_instructions = 32, few_outputs = 8;

/// Places in memory for the values of a block: what changes nowhere keeps its place, the others share places in turn.
class block_slots {
public:
    explicit block_slots(loop_view const& v, char const* varies) : of_(v.body, -1) {
        core::short_list<int, few_instructions> last(v.body, -1);
        for (int i = 0; i < v.body; ++i)
            for (int operand : {v.code[i].a, v.code[i].b, v.code[i].c})
                if (v.code[i].op >= 0 && operand >= 0) last[operand] = std::max(last[operand], v.computed_by(i));
        for (int o = 0; o < v.output_count; ++o)
            if (v.outputs[o].how != fold::epilogue) last[v.outputs[o].source] = v.body;
        core::short_list<int, few_instructions> free;
        for (int i = 0; i < v.body; ++i) {
            if (v.computed_by(i) != i) continue;
            if (varies[i] && !free.empty()) {
                of_[i] = free.back();
                free.pop_back();
            } else of_[i] = count_++;
            auto give_back = [&](int operand) {
                if (operand < 0 || last[operand] != i || !varies[operand]) return;
                last[operand] = -1;  // once, where an operand stands twice
                free.push_back(of_[operand]);
            };
            block_chain const chain = v.chains ? v.chains[i] : block_chain{};
            for (int s = 0; s < chain.count; ++s) give_back(v.steps[chain.first + s].other);
            if (chain.count) give_back(chain.start);
            else if (v.code[i].op >= 0) give_back(v.code[i].a), give_back(v.code[i].b), give_back(v.code[i].c);
        }
    }
    int operator[](int instruction) const { return of_[instruction]; }
    int count() const { return count_; }

private:
    core::short_list<int, few_instructions> of_;
    int count_ = 0;
};

}  // namespace gradus::inline GRADUS_ARCH::kernel
