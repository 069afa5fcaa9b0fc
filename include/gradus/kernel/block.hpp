// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/kernel/loop_description.hpp>
#include <gradus/kernel/math/error_function.hpp>
#include <gradus/kernel/math/exponential.hpp>
#include <gradus/kernel/math/hyperbolic.hpp>
#include <gradus/kernel/math/logarithm.hpp>
#include <gradus/kernel/math/power.hpp>
#include <gradus/kernel/math/trigonometric.hpp>
#include <gradus/kernel/simd.hpp>
#include <gradus/kernel/truth.hpp>
#include <gradus/op/comparison.hpp>
#include <gradus/op/leaf.hpp>

// The loop interpreter's operations: each on a block of values in memory, one vectorised loop per operation and type. A block
// holds values of an integer type as std::int64_t.

namespace gradus::inline GRADUS_ARCH::kernel {

/// to[i] = op(a[i], b[i], c[i]) for i < n; memory reaches up to the next multiple of `target::block_multiple`.
using block_function = void (*)(void* to, void const* a, void const* b, void const* c, std::int64_t n);

/// The type that a block holds for values of a dtype.
template <class T>
using block_value = std::conditional_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, std::int64_t, computed_t<dtype_of<T>>>;
constexpr std::int64_t block_value_size(dtype type) { return is_integer(type) ? 8 : size_of(computed_in(type)); }

template <class T>
inline constexpr int block_lanes = [] {
    if constexpr (optimizes && std::is_floating_point_v<T>) return simd::native_width<T>;
    else return 1;
}();

/// Does the operation take operands of that type (after its condition, where it has one)?
template <class Op, class T>
constexpr bool takes() {
    if constexpr (!requires { &Op::infer; }) return false;
    call c{};
    c.count = Op::arity;
    for (int k = 0; k < Op::arity; ++k) c.operand[k] = {dtype_of<T>, {}};
    if constexpr (std::is_same_v<Op, op::where>) c.operand[0].type = dtype::boolean;
    complaint fail;
    Op::infer(c, fail);
    return !fail.failed;
}

/// Operand K of an operation on values of type T, from element i on.
template <class Op, class T, int W, int K>
[[gnu::always_inline]] inline auto block_operand(void const* from, std::int64_t i) {
    constexpr bool truth = std::is_same_v<T, bool> || (std::is_same_v<Op, op::where> && K == 0);
    if constexpr (truth && W == 1) return static_cast<unsigned char const*>(from)[i] != 0;  // a block's end holds any bytes
    else if constexpr (truth) return simd::load_bool<T, W>(static_cast<bool const*>(from) + i, W);
    else return simd::load<T, W>(static_cast<T const*>(from) + i);
}
template <class T, int W>
[[gnu::always_inline]] inline void put_block(void* to, std::int64_t i, auto value) {
    using R = decltype(value);
    if constexpr (W == 1 && std::is_same_v<R, bool>) static_cast<bool*>(to)[i] = value;
    else if constexpr (W == 1) static_cast<T*>(to)[i] = static_cast<T>(value);
    else if constexpr (std::is_same_v<R, simd::mask<T, W>>) simd::store_bool<T, W>(static_cast<bool*>(to) + i, value, W);
    else simd::store<T, W>(static_cast<T*>(to) + i, value);
}
template <class Op, class T, int W>
void evaluate_block(void* to, [[maybe_unused]] void const* a, [[maybe_unused]] void const* b, [[maybe_unused]] void const* c,
                    std::int64_t n) {
    for (std::int64_t i = 0; i < n; i += W) {
        auto const x = block_operand<Op, T, W, 0>(a, i);
        if constexpr (Op::arity == 1) put_block<T, W>(to, i, Op::eval(x));
        else if constexpr (Op::arity == 2) put_block<T, W>(to, i, Op::eval(x, block_operand<Op, T, W, 1>(b, i)));
        else put_block<T, W>(to, i, Op::eval(x, block_operand<Op, T, W, 1>(b, i), block_operand<Op, T, W, 2>(c, i)));
    }
}
/// The block function of an operation on operands of that dtype; null where it takes none of it.
template <class Op, dtype D>
constexpr block_function block_function_of() {
    using V = block_value<element_t<D>>;
    if constexpr (std::is_same_v<Op, op::cast>) return nullptr;  // `convert_block`, which needs both dtypes
    else if constexpr (takes<Op, V>()) return &evaluate_block<Op, V, block_lanes<V>>;
    else return nullptr;
}

template <class From, class To>
void convert_block(void* to, void const* from, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i)
        static_cast<block_value<To>*>(to)[i] = static_cast<block_value<To>>(static_cast<To>(static_cast<From const*>(from)[i]));
}
/// The block of values of one dtype as values of another.
template <class Asked>
void convert_block(dtype to_type, void* to, dtype from_type, void const* from, std::int64_t n) {
    core::with_dtype(to_type, [&]<class To>(To) {
        if (from_type == dtype::boolean) convert_block<unsigned char, To>(to, from, n);  // a block's end holds any bytes
        else if (is_integer(from_type)) convert_block<std::int64_t, To>(to, from, n);
        else if (computed_in(from_type) == dtype::float32) convert_block<float, To>(to, from, n);
        else convert_block<double, To>(to, from, n);
    });
}

}  // namespace gradus::inline GRADUS_ARCH::kernel
