// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/list.hpp>
#include <gradus/kernel/block.hpp>

// Arithmetic of the loop interpreter that follows each other: what one operation makes and only the next one reads stays in registers, and
// memory is written once for all of them.

namespace gradus::inline GRADUS_ARCH::kernel {

/// One operation of a chain, on the chain's value and that of another instruction.
struct chain_step {
    arithmetic_kind does = arithmetic_kind::none;
    bool is_second = false;   ///< the chain's value is the second operand
    std::int16_t other = -1;  ///< the instruction of the other operand, -1 where there is none
};
/// What an instruction has to do with chains.
struct block_chain {
    std::int16_t end = -1;    ///< the last instruction of its chain, which computes it; itself where it is in none
    std::int16_t start = -1;  ///< at the end of a chain: the instruction whose value it begins with
    std::int16_t first = 0, count = 0;
};
inline constexpr int longest_chain = 16;

/// The chains of a loop's body: `does` says what instructions are, elementwise on numbers of their own type.
class chain_finding {
public:
    core::list<block_chain> chains;
    core::list<chain_step> steps;

    chain_finding(core::list<instruction> const& code, int body, core::list<arithmetic_kind> const& does,
                  core::list<loop_output> const& outputs)
        : code_(code), does_(does), body_(body), before_(body, -1), user_(code.size(), none) {
        for (int i = 0; i < code.size(); ++i)
            for (int operand : {code[i].a, code[i].b, code[i].c})
                if (code[i].op >= 0 && operand >= 0) use(operand, i);
        for (loop_output const& o : outputs) use(o.source, several);
        core::list<int> length(body, 1);
        for (int i = 0; i < body; ++i)
            for (int operand : {code[i].a, code[i].b})
                if (continues(i, operand) && length[operand] < longest_chain && operand > before_[i]) {
                    before_[i] = operand;
                    length[i] = length[operand] + 1;
                }
        for (int i = 0; i < body; ++i) chains.push_back({static_cast<std::int16_t>(i)});
        for (int i = body - 1; i >= 0; --i)
            if (chains[i].end == i && before_[i] >= 0) add(i, length[i]);
    }

private:
    static constexpr int none = -1, several = -2;

    void use(int operand, int by) { user_[operand] = user_[operand] == none ? by : several; }
    bool continues(int i, int operand) const {
        return operand >= 0 && operand < body_ && does_[i] != arithmetic_kind::none && does_[operand] != arithmetic_kind::none &&
               user_[operand] == i && code_[operand].type == code_[i].type;
    }
    void add(int end, int length) {
        block_chain& chain = chains[end];
        chain.first = static_cast<std::int16_t>(steps.size());
        chain.count = static_cast<std::int16_t>(length);
        for (int k = 0; k < length; ++k) steps.push_back({});
        for (int at = end, k = length - 1; k >= 0; at = before_[at], --k) {
            instruction const& i = code_[at];
            bool const second = before_[at] >= 0 && i.b == before_[at];
            steps[chain.first + k] = {does_[at], second, second ? i.a : i.b};
            chains[at].end = static_cast<std::int16_t>(end);
            chain.start = i.a;
        }
    }
    core::list<instruction> const& code_;
    core::list<arithmetic_kind> const& does_;
    int body_;
    core::list<int> before_;  ///< per instruction: the one that it continues
    core::list<int> user_;
};

/// K vectors of W elements from element i on.
template <class T, int W, int... K>
[[gnu::always_inline]] inline void run_chain_on(T* to, T const* start, chain_step const* steps, T const* const* other, int count,
                                                std::int64_t i, std::integer_sequence<int, K...>) {
    using vector = decltype(simd::load<T, W>(start));
    vector value[] = {simd::load<T, W>(start + i + K * W)...};
    for (int s = 0; s < count; ++s) {
        T const* const b = other[s] + i;
        switch (steps[s].does) {
            case arithmetic_kind::none: break;
            case arithmetic_kind::neg: ((value[K] = -value[K]), ...); break;
            case arithmetic_kind::square: ((value[K] = value[K] * value[K]), ...); break;
            case arithmetic_kind::add: ((value[K] = value[K] + simd::load<T, W>(b + K * W)), ...); break;
            case arithmetic_kind::mul: ((value[K] = value[K] * simd::load<T, W>(b + K * W)), ...); break;
            case arithmetic_kind::sub:
                if (steps[s].is_second) ((value[K] = simd::load<T, W>(b + K * W) - value[K]), ...);
                else ((value[K] = value[K] - simd::load<T, W>(b + K * W)), ...);
                break;
            case arithmetic_kind::div:
                if (steps[s].is_second) ((value[K] = simd::load<T, W>(b + K * W) / value[K]), ...);
                else ((value[K] = value[K] / simd::load<T, W>(b + K * W)), ...);
                break;
        }
    }
    (simd::store<T, W>(to + i + K * W, value[K]), ...);
}
/// All steps of a chain on a block; memory reaches up to the next multiple of `target::block_multiple`.
template <class T>
[[gnu::noinline]] void run_chain(T* to, T const* start, chain_step const* steps, T const* const* other, int count, std::int64_t n) {
    constexpr int W = block_lanes<T>, K = 8;  // as many vectors as hide what a step costs to decide, in half of the registers
    std::int64_t i = 0;
    for (; i + K * W <= n; i += K * W) run_chain_on<T, W>(to, start, steps, other, count, i, std::make_integer_sequence<int, K>{});
    for (; i < n; i += W) run_chain_on<T, W>(to, start, steps, other, count, i, std::make_integer_sequence<int, 1>{});
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
