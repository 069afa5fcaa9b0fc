// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/control.hpp>

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// A scan of L steps as the body of a scan over segments.
template <class F, std::int64_t Steps, bool Reversed>
struct segment_body {
    template <class Carry>
    constexpr auto operator()(Carry) const {
        return scan_plain<F, scan_options{Steps, Reversed, -1}, Carry, std::tuple<>>();
    }
    template <class Carry, class Rows>
    constexpr auto operator()(Carry, Rows) const {
        return scan_plain<F, scan_options{-1, Reversed, -1}, Carry, Rows>();
    }
};

constexpr shape with_leading(shape const& rest, int dropped, std::initializer_list<extent> lead) {
    shape result = lead;
    for (int axis = dropped; axis < rest.rank(); ++axis) result.push_back(rest[axis]);
    return result;
}
/// Rows as segments of rows, and back.
template <std::int64_t Segments, std::int64_t Steps, class E>
constexpr auto as_segments(E x) {
    return apply<with<op::reshape, parameters{{}, with_leading(E::type.shape, 1, {Segments, Steps})}>>(x);
}
template <std::int64_t Rows, class E>
constexpr auto as_rows(E x) {
    return apply<with<op::reshape, parameters{{}, with_leading(E::type.shape, 2, {Rows})}>>(x);
}

/// What is done to rows and outputs of segments, as function objects.
template <std::int64_t First, std::int64_t Last>
struct rows_between {
    template <class E>
    constexpr auto operator()(E x) const {
        return slice<First, Last>(x);
    }
};
template <std::int64_t Segments, std::int64_t Steps>
struct rows_to_segments {
    template <class E>
    constexpr auto operator()(E x) const {
        return as_segments<Segments, Steps>(slice<0, Segments * Steps>(x));
    }
};
template <std::int64_t Rows>
struct segments_to_rows {
    template <class E>
    constexpr auto operator()(E y) const {
        return as_rows<Rows>(y);
    }
};
struct rows_after_rows {
    template <class A, class B>
    constexpr auto operator()(A a, B b) const {
        return concatenate<0>(a, b);
    }
};

/// The shortest segments with which the carries before each, and those inside of one, fit in the budget; 0 where there are none.
constexpr std::int64_t segment_steps(std::int64_t steps, std::int64_t carry_bytes, std::int64_t budget) {
    for (std::int64_t length = 2; length < steps; ++length)
        if ((steps / length + length) * carry_bytes <= budget) return length;
    return 0;
}
constexpr std::int64_t least_segment_bytes(std::int64_t steps, std::int64_t carry_bytes) {
    std::int64_t least = steps * carry_bytes;
    for (std::int64_t length = 2; length < steps; ++length)
        if ((steps / length + length) * carry_bytes < least) least = (steps / length + length) * carry_bytes;
    return least;
}
template <class Init>
constexpr std::int64_t carry_bytes() {
    std::int64_t bytes = 0;
    for (int k = 0; k < types_of<Init>.count; ++k) bytes += types_of<Init>.at[k].shape.static_size() * size_of(types_of<Init>.at[k].type);
    return bytes;
}
template <std::int64_t Steps, std::int64_t Budget, class Init>
constexpr text budget_complaint() {
    if (segment_steps(Steps, carry_bytes<Init>(), Budget)) return {};
    return concat("gradus::scan<gr::memory_budget<", Budget, ">>(body, init, xs): the budget is too small: ", Steps, " carries of ",
                  carry_bytes<Init>(), " bytes take ", least_segment_bytes(Steps, carry_bytes<Init>()), " bytes at least");
}

/// A scan over segments: the derivative keeps the carry before each of them and computes those inside of one again.
template <class F, scan_options Options, std::int64_t Steps, class Init, class... Xs>
constexpr auto scan_segments(Init init, Xs... xs) {
    constexpr std::int64_t length = segment_steps(Steps, carry_bytes<Init>(), Options.budget), segments = Steps / length,
                           whole = segments * length, rest = Steps - whole;
    using body = segment_body<F, length, Options.reversed>;
    constexpr bool has_xs = sizeof...(Xs) > 0;
    auto main = [&](auto carry) {
        if constexpr (has_xs) {
            auto rows = map_parts(rows_to_segments<segments, length>{}, xs...);
            return scan_plain<body, scan_options{-1, Options.reversed, -1}, decltype(carry), decltype(rows)>();
        } else return scan_plain<body, scan_options{segments, Options.reversed, -1}, decltype(carry), std::tuple<>>();
    };
    auto tail = [&](auto carry) {
        if constexpr (has_xs) {
            auto rows = map_parts(rows_between<whole, Steps>{}, xs...);
            return scan_plain<F, scan_options{-1, Options.reversed, -1}, decltype(carry), decltype(rows)>();
        } else return scan_plain<F, scan_options{rest, Options.reversed, -1}, decltype(carry), std::tuple<>>();
    };
    constexpr segments_to_rows<whole> flat{};
    constexpr bool has_ys = scan_call<F, Options, Init, std::tuple_element_t<0, std::tuple<Xs..., std::tuple<>>>>::has_ys;
    if constexpr (!has_ys) {
        if constexpr (rest == 0) return main(init);
        else if constexpr (Options.reversed) return main(tail(init));
        else return tail(main(init));
    } else if constexpr (rest == 0) {
        auto all = main(init);
        return std::pair{all.first, map_parts(flat, all.second)};
    } else {
        constexpr rows_after_rows join{};
        if constexpr (Options.reversed) {
            auto end = tail(init);
            auto begin = main(end.first);
            return std::pair{begin.first, map_parts(join, map_parts(flat, begin.second), end.second)};
        } else {
            auto begin = main(init);
            auto end = tail(begin.first);
            return std::pair{end.first, map_parts(join, map_parts(flat, begin.second), end.second)};
        }
    }
}

template <class F, scan_options Options, class Init, class... Xs>
constexpr auto scan_within(Init init, Xs... xs) {
    using rows = std::tuple_element_t<0, std::tuple<Xs..., std::tuple<>>>;
    constexpr bool right = is_empty<&scan_operands_complaint<Options, Init, rows>>;
    constexpr std::int64_t steps = [] {
        if constexpr (!right || Options.budget < 0) return std::int64_t{0};
        else return scan_call<F, Options, Init, rows>::steps().code;
    }();
    if constexpr (steps * carry_bytes<Init>() <= Options.budget || steps == 0) return scan_plain<F, Options, Init, rows>();
    else {
        report<&budget_complaint<steps, Options.budget, Init>>();
        if constexpr (!is_empty<&budget_complaint<steps, Options.budget, Init>>)
            return scan_plain<F, scan_options{Options.steps, Options.reversed, -1}, Init, rows>();
        else return scan_segments<F, Options, steps>(init, xs...);
    }
}

}  // namespace core

/// A loop, JAX's lax.scan: `auto h = gr::scan([=](auto h, auto x) { return tanh(matmul(h, w) + x); }, h0, xs);`.
///
/// The body maps the carry and a row of xs (along axis 0, whose extent is the number of steps, named or not) to the next carry, or to
/// std::pair{carry, y}. The result is the last carry, or std::pair of that and the ys along a new axis 0. Carry, row and y may be
/// tuples. Without rows, `gr::scan<100>(body, init)` repeats body(carry). The carry keeps its types and shapes. Without steps the
/// first carry is the result. What the body captures it may use; what does not change from step to step is computed once.
///
/// The derivative keeps the carry before each step and walks back. `gr::scan<gr::memory_budget<4096>>` keeps as much as fits in so
/// many bytes, the carry before each segment of steps, and computes those inside of a segment again (Griewank and Walther,
/// "Evaluating Derivatives", chapter 12: one level of checkpoints). `gr::scan<gr::reverse>` begins at the last row.
template <auto... Options, class F, class Init>
    requires core::expressions_in<Init>
constexpr auto scan(F, Init init) {
    return core::scan_within<F, core::scan_options_of<Options...>>(init);
}
template <auto... Options, class F, class Init, class Xs>
    requires(core::expressions_in<Init> && core::expressions_in<Xs>)
constexpr auto scan(F, Init init, Xs xs) {
    return core::scan_within<F, core::scan_options_of<Options...>>(init, xs);
}

namespace core {
/// The combination of what came before with a row, as the body of a scan.
template <class F>
struct combining_body {
    template <class Carry, class Row>
    constexpr auto operator()(Carry, Row) const {
        using next = std::invoke_result_t<F const&, Carry, Row>;
        return std::pair<next, next>{};
    }
};
/// Exchanges the first axis and another.
template <int Axis, class E>
constexpr auto with_axis_in_front(E x) {
    constexpr auto axes = [] {
        parameters p;
        for (int i = 0; i < E::type.shape.rank(); ++i) op::transpose::set_from_axis(p.attr, i, i == 0 ? Axis : i == Axis ? 0 : i);
        return p;
    }();
    if constexpr (Axis == 0) return x;
    else return apply<with<op::transpose, axes>>(x);
}
constexpr int walked_axis(std::integral auto axis, int rank) { return static_cast<int>(axis_of(axis, rank)); }
constexpr int walked_axis(reverse_t, int) { return 0; }
}  // namespace core

/// x_0, f(x_0, x_1), f(f(x_0, x_1), x_2), ... along an axis, jax.lax.associative_scan: `gr::associative_scan<1>(f, xs)`, the first axis by
/// default, `gr::associative_scan<gr::reverse>(f, xs)` from the last row. f combines two rows, or two tuples of rows, and returns one.
/// JAX asks that f is associative; here it need not be: rows are combined one after the other, all elements of a row at once.
template <auto... Options, class F, class Xs>
    requires core::expressions_in<Xs>
constexpr auto associative_scan(F, Xs xs) {
    constexpr bool reversed = (std::is_same_v<std::remove_const_t<decltype(Options)>, reverse_t> || ...);
    [[maybe_unused]] constexpr int rank = core::type_of_part<Xs, 0>.shape.rank();
    constexpr int axis = (0 + ... + core::walked_axis(Options, rank));
    auto const rows = core::map_parts([](auto x) { return core::with_axis_in_front<axis>(x); }, xs);
    auto const first = core::map_parts([](auto x) { return select<0, reversed ? -1 : 0>(x); }, rows);
    auto const rest = core::map_parts([](auto x) { return slice<reversed ? 0 : 1, reversed ? -1 : end>(x); }, rows);
    auto const ys = core::scan_within<core::combining_body<F>, core::scan_options{-1, reversed, -1}>(first, rest).second;
    return core::map_parts(
        [](auto one, auto others) {
            auto const front = apply<with<op::reshape, parameters{{}, op::in_front(1, decltype(one)::type.shape)}>>(one);
            if constexpr (reversed) return core::with_axis_in_front<axis>(concatenate<0>(others, front));
            else return core::with_axis_in_front<axis>(concatenate<0>(front, others));
        },
        first, ys);
}

}  // namespace gradus::inline GRADUS_ARCH
