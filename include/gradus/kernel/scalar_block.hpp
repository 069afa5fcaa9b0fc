// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>
#include <gradus/kernel/loop_description.hpp>
#include <gradus/kernel/math/error_function.hpp>
#include <gradus/kernel/math/exponential.hpp>
#include <gradus/kernel/math/hyperbolic.hpp>
#include <gradus/kernel/math/logarithm.hpp>
#include <gradus/kernel/math/power.hpp>
#include <gradus/kernel/math/trigonometric.hpp>
#include <gradus/kernel/registers.hpp>
#include <gradus/kernel/truth.hpp>
#include <gradus/op/leaf.hpp>

#include <utility>

#pragma GCC diagnostic push
#ifndef __clang__
// See kernel/loop.hpp.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace gradus::inline GRADUS_ARCH::kernel {

/// Is a description that of single elements without folds: straight-line code?
constexpr bool is_scalar_block(auto const& d) {
    bool straight = d.body == d.instruction_count;
    for (std::int64_t e : d.extents) straight = straight && e == 1;
    for (int i = 0; i < d.instruction_count; ++i) straight = straight && d.code[i].op != index;
    for (loop_output const& o : d.outputs) straight = straight && o.how == fold::none;
    for (int j = 0; j < d.input_count; ++j) straight = straight && !d.inputs[j].has_window();
    return straight;
}

/// Runs the instructions of `Code::value.description` on single elements, one after the other. A loop has a function per instruction,
/// this one per operation and types: what hundreds of scalars cost the compiler is little beside a call for each.
template <class Code, class Ops>
class scalar_block {
    static constexpr auto const& D = Code::value.description;
    static constexpr int count = D.instruction_count, outputs = D.output_count;
    using file = registers<0, 1, count>;

    /// What the code of an instruction depends on.
    struct kind {
        std::int16_t op = 0;
        dtype type = dtype::number, a = dtype::number, b = dtype::number, c = dtype::number;
        int arity = 0;
        constexpr bool operator==(kind const&) const = default;
    };
    static constexpr kind kind_of(int at) {
        instruction const& i = D.code[at];
        if (i.op < 0) return {i.op, i.type};
        auto type = [](int operand) { return operand < 0 ? dtype::number : D.code[operand].type; };
        return {i.op, i.type, type(i.a), type(i.b), type(i.c), (i.a >= 0) + (i.b >= 0) + (i.c >= 0)};
    }
    template <kind K>
    [[gnu::always_inline]] static void operate(file& r, int to, int a, int b, int c) {
        using Op = typename op_at<Ops, K.op>::type;
        using T = computed_t<K.type>;
        [[maybe_unused]] auto const& x = r.template at<computed_t<K.a>>(a);
        if constexpr (requires { requires Op::converts; }) {
            auto y = static_cast<T>(x);
            if constexpr (is_half(K.type)) r.template at<T>(to) = simd::round_to<element_t<K.type>, 1>(y);
            else r.template at<T>(to) = y;
        } else if constexpr (K.arity == 1) r.template at<T>(to) = static_cast<T>(Op::eval(x));
        else if constexpr (K.arity == 2) r.template at<T>(to) = static_cast<T>(Op::eval(x, r.template at<computed_t<K.b>>(b)));
        else r.template at<T>(to) = static_cast<T>(Op::eval(x, r.template at<computed_t<K.b>>(b), r.template at<computed_t<K.c>>(c)));
    }
    template <kind K>
    [[gnu::always_inline]] static void execute(file& r, int to, int a, int b, int c, double value, loop_arguments const& args) {
        using T = computed_t<K.type>;
        if constexpr (K.op == load) r.template at<T>(to) = static_cast<T>(*static_cast<element_t<K.type> const*>(args.in[a]));
        else if constexpr (K.op == constant) r.template at<T>(to) = static_cast<T>(value);
        else if constexpr (K.op == size) r.template at<T>(to) = static_cast<T>(args.sizes[a]);
        else operate<K>(r, to, a, b, c);
    }
    template <dtype Type>
    [[gnu::always_inline]] static void store(file& r, int from, void* to) {
        *static_cast<element_t<Type>*>(to) = static_cast<element_t<Type>>(r.template at<computed_t<Type>>(from));
    }

public:
    /// Part of the caller, which is to be flattened.
    [[gnu::always_inline]] static void run(loop_arguments const& args) {
        file r;
        // lists, as clang folds at most 256 expressions
        [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
            [[maybe_unused]] char const each[]{
                (execute<kind_of(I)>(r, I, D.code[I].a, D.code[I].b, D.code[I].c, D.code[I].value, args), '\0')...};
        }(std::make_integer_sequence<int, count>{});
        [&]<int... O>(std::integer_sequence<int, O...>) __attribute__((always_inline)) {
            [[maybe_unused]] char const each[]{(store<D.outputs[O].type>(r, D.outputs[O].source, args.out[O]), '\0')...};
        }(std::make_integer_sequence<int, outputs>{});
    }
};

}  // namespace gradus::inline GRADUS_ARCH::kernel

#pragma GCC diagnostic pop
