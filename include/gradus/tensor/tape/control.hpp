// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/cond.hpp>
#include <gradus/expr/scan.hpp>
#include <gradus/tensor/autograd/checkpoint.hpp>
#include <gradus/tensor/view/concatenate.hpp>

#include <algorithm>
#include <vector>

// Loops and choices on tensors: the same functions, called step by step; the tape records what they compute.

namespace gradus::inline GRADUS_ARCH {

namespace core {

template <class... T>
constexpr bool any_at_run_time(std::tuple<T...>*) {
    return (run_time_operand<T> || ...);
}
template <class T>
concept tensors_in = any_at_run_time(static_cast<parts_of<T>*>(nullptr));

/// A tensor or an expression on tensors, or several, as a tuple of tensors.
template <class S>
auto held(S const& s) {
    if constexpr (!is_several<S>) return std::tuple<decltype(tensor(s))>(tensor(s));
    else return std::apply([](auto const&... part) { return std::tuple<decltype(tensor(part))...>(tensor(part)...); }, s);
}
/// The tuple, or its one element where `Like` is none.
template <class Like, class Parts>
auto structured(Parts parts) {
    if constexpr (is_several<Like>) return parts;
    else return std::get<0>(std::move(parts));
}

template <tensor_type Carry, tensor_type Next>
constexpr text next_carry_complaint() {
    if (can_hold(Carry, Next)) return {};
    return concat("gradus::scan(body, init, xs): the carry changes: init is ", Carry, ", the body returns ", Next);
}
/// The next carry under the declaration of the first.
template <class To, class From>
To next_carry(To const& now, From const& next) {
    report<&next_carry_complaint<To::type, From::type>>();
    if constexpr (is_empty<&next_carry_complaint<To::type, From::type>>) {
        if (!(now.shape() == next.shape()))
            throw shape_error(concat("gradus::scan(body, init, xs): the carry changes: it is ", now.state()->described(),
                                     ", the body returns ", next.state()->described())
                                  .str());
        return To(next);
    } else return now;
}

/// The rows of a tensor that a loop walks. Where their derivatives go to the tensor they are copies from one node of the tape: each view
/// of a row would add to the derivative of the whole.
template <class X>
class walked_rows {
public:
    explicit walked_rows(X const& x) : x_(x) {
        if (modes.records && x.state()->is_recorded()) copies_ = rows(x);
    }
    auto operator[](std::int64_t i) const { return copies_.empty() ? x_.select(i) : copies_[static_cast<std::size_t>(i)]; }

private:
    X x_;
    std::vector<decltype(std::declval<X const&>().select(0))> copies_;
};

/// Some steps of a loop.
template <class F, class Init, class Xs, bool Reversed>
struct scan_run {
    F body;
    using carry = decltype(held(std::declval<Init const&>()));
    static constexpr bool has_xs = !std::is_same_v<Xs, std::tuple<>>;
    static constexpr int carries = part_count<Init>;

    static auto at(auto const& rows, std::int64_t step) {
        return std::apply([&](auto const&... x) { return std::tuple{x[step]...}; }, rows);
    }
    auto called(carry const& now, auto const& rows, std::int64_t step) const {
        if constexpr (has_xs) return body(structured<Init>(now), structured<Xs>(at(rows, step)));
        else return body(structured<Init>(now));
    }
    /// The carry after `steps` steps, and after it the outputs along a new first axis, as one tuple.
    auto operator()(std::int64_t steps, carry now, auto const& xs) const {
        auto const rows = std::apply([](auto const&... x) { return std::tuple{walked_rows(x)...}; }, xs);
        using result = decltype(called(now, rows, 0));
        auto const next = [&](auto const& returned) {
            auto const parts = held(returned);
            static_assert(std::tuple_size_v<std::remove_cvref_t<decltype(parts)>> == std::tuple_size_v<carry>,
                          "gradus::scan(body, init, xs): the body returns another number of carries than init has");
            now = [&]<std::size_t... K>(std::index_sequence<K...>) {
                return carry{next_carry(std::get<K>(now), std::get<K>(parts))...};
            }(std::make_index_sequence<std::tuple_size_v<carry>>{});
        };
        if constexpr (!gives_out<result, Init>) {
            for (std::int64_t i = 0; i < steps; ++i) next(called(now, rows, Reversed ? steps - 1 - i : i));
            return now;
        } else {
            using outputs = decltype(held(std::get<1>(std::declval<result>())));
            auto lists =
                std::apply([](auto const&... y) { return std::tuple{std::vector<decltype(y.template unsqueeze<0>())>{}...}; }, outputs{});
            for (std::int64_t i = 0; i < steps; ++i) {
                auto const returned = called(now, rows, Reversed ? steps - 1 - i : i);
                auto const given = held(std::get<1>(returned));
                [&]<std::size_t... K>(std::index_sequence<K...>) {
                    (std::get<K>(lists).push_back(std::get<K>(given).template unsqueeze<0>()), ...);
                }(std::make_index_sequence<std::tuple_size_v<outputs>>{});
                next(std::get<0>(returned));
            }
            return std::tuple_cat(now, std::apply([](auto&... list) { return std::tuple{stacked_list(list)...}; }, lists));
        }
    }
    /// The same as a function of tensors, for gr::checkpoint.
    struct segment {
        scan_run run;
        std::int64_t steps;
        auto operator()(auto const&... operands) const {
            auto const all = std::tie(operands...);
            return [&]<std::size_t... C, std::size_t... X>(std::index_sequence<C...>, std::index_sequence<X...>) {
                return run(steps, carry{std::get<C>(all)...}, std::tuple{std::get<static_cast<std::size_t>(carries) + X>(all)...});
            }(std::make_index_sequence<static_cast<std::size_t>(carries)>{},
                   std::make_index_sequence<sizeof...(operands) - static_cast<std::size_t>(carries)>{});
        }
    };

private:
    template <class Row>
    static auto stacked_list(std::vector<Row>& list) {
        if (Reversed) std::reverse(list.begin(), list.end());
        if (!list.empty()) return cat<0>(list);
        std::int64_t extents[max_rank]{};
        for (int axis = 1; axis < Row::type.shape.rank(); ++axis) {
            if (!Row::type.shape[axis].is_static())
                throw shape_error(
                    concat("gradus::scan(body, init, xs): without steps nothing tells the shape of an output: it is ", Row::type).str());
            extents[axis] = Row::type.shape[axis].code;
        }
        return decltype(cat<0>(list))(
            declared_as<with_extent(Row::type, 0, dyn)>(make_state(Row::type.type, Row::type.shape.rank(), extents)));
    }
};

template <class... Parts>
std::int64_t bytes_of_carry(std::tuple<Parts...> const& carry) {
    return std::apply(
        [](auto const&... part) {
            return (std::int64_t{0} + ... +
                    (static_cast<std::int64_t>(part.size()) * size_of(std::remove_cvref_t<decltype(part)>::type.type)));
        },
        carry);
}

template <std::size_t K, class Results>
auto joined_pieces(std::vector<Results> const& pieces) {
    std::vector<std::tuple_element_t<K, Results>> parts;
    for (Results const& piece : pieces) parts.push_back(std::get<K>(piece));
    return cat<0>(parts);
}
/// The steps segment by segment, each of which the tape keeps the operands of.
template <class F, class Init, class Xs, bool Reversed, class Rows>
auto scan_pieces(scan_run<F, Init, Xs, Reversed> const& run, std::int64_t steps, std::int64_t length,
                 decltype(held(std::declval<Init const&>())) carry, Rows const& rows) {
    using run_type = scan_run<F, Init, Xs, Reversed>;
    constexpr auto carries = std::make_index_sequence<static_cast<std::size_t>(run_type::carries)>{};
    auto const piece = [&](std::int64_t first, std::int64_t count) {
        auto const part = std::apply([&](auto const&... x) { return std::tuple{x.narrow(first, count)...}; }, rows);
        return std::apply([&](auto const&... a) { return checkpoint(typename run_type::segment{run, count}, a...); },
                          std::tuple_cat(carry, part));
    };
    using results = decltype(piece(0, 0));
    std::vector<results> done;
    for (std::int64_t at = 0; at < steps; at += length) {
        std::int64_t const count = std::min(length, steps - at);
        done.push_back(piece(Reversed ? steps - at - count : at, count));
        carry = [&]<std::size_t... C>(std::index_sequence<C...>) { return typename run_type::carry{std::get<C>(done.back())...}; }(carries);
    }
    if (done.empty()) return results(run(0, carry, rows));
    if (Reversed) std::reverse(done.begin(), done.end());
    return [&]<std::size_t... Y>(std::index_sequence<Y...>) {
        return std::tuple_cat(carry, std::tuple{joined_pieces<static_cast<std::size_t>(run_type::carries) + Y>(done)...});
    }(std::make_index_sequence<std::tuple_size_v<results> - static_cast<std::size_t>(run_type::carries)>{});
}

/// A result of a loop whose number of steps the compiler knows says so.
template <extent Steps, class T>
auto with_steps(T const& stack) {
    if constexpr (Steps.is_static()) return declared_as<with_extent(T::type, 0, Steps)>(stack.state());
    else return stack;
}
template <class F, scan_options Options, class Init, class Xs>
auto scan_tensors(F const& body, Init const& init, Xs const& xs) {
    using run_type = scan_run<F, Init, Xs, Options.reversed>;
    static_assert(run_type::has_xs || Options.steps >= 0,
                  "gradus::scan(body, init): how many steps? Write gr::scan<100>(body, init), or hand in rows to walk along");
    run_type const run{body};
    typename run_type::carry carry = held(init);
    using rows_type = decltype(held(std::declval<Xs const&>()));
    using returned = decltype(std::declval<run_type const&>().called(std::declval<typename run_type::carry const&>(),
                                                                     std::declval<rows_type const&>(), 0));
    rows_type const rows = held(xs);
    std::int64_t steps = Options.steps;
    if constexpr (run_type::has_xs) {
        steps = std::get<0>(rows).size(0);
        std::apply(
            [&](auto const&... x) {
                for (std::int64_t n : {x.size(0)...})
                    if (n != steps || (Options.steps >= 0 && n != Options.steps))
                        throw shape_error(concat("gradus::scan(body, init, xs): numbers of rows differ: ",
                                                 Options.steps >= 0 ? Options.steps : steps, " and ", n)
                                              .str());
            },
            rows);
    }
    auto const all = [&] {
        if constexpr (Options.budget < 0) return run(steps, carry, rows);
        else {
            std::int64_t const bytes = bytes_of_carry(carry),
                               length = steps * bytes <= Options.budget ? steps : segment_steps(steps, bytes, Options.budget);
            if (length == 0 && steps > 0)
                throw error(concat("gradus::scan<gr::memory_budget<", Options.budget, ">>(body, init, xs): the budget is too small: ",
                                   steps, " carries of ", bytes, " bytes take ", least_segment_bytes(steps, bytes), " bytes at least")
                                .str());
            return scan_pieces(run, steps, length, carry, rows);
        }
    }();
    constexpr extent known = [] {
        if constexpr (run_type::has_xs) return std::tuple_element_t<0, parts_of<Xs>>::type.shape[0];
        else return extent(Options.steps);
    }();
    constexpr std::size_t carries = std::tuple_size_v<typename run_type::carry>;
    auto last = [&]<std::size_t... C>(std::index_sequence<C...>) {
        return structured<Init>(std::tuple{std::get<C>(all)...});
    }(std::make_index_sequence<carries>{});
    if constexpr (!gives_out<returned, Init>) return last;
    else {
        using outputs = std::tuple_element_t<1, parts_of<returned>>;
        return std::pair{last, [&]<std::size_t... Y>(std::index_sequence<Y...>) {
                             return structured<outputs>(std::tuple{with_steps<known>(std::get<carries + Y>(all))...});
                         }(std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(all)>> - carries>{})};
    }
}

}  // namespace core

/// gr::scan on tensors, one of which init or xs has: the body is called for every step. With a memory budget, segments of steps are
/// called through gr::checkpoint. shape_error where the carry's shape changes or rows differ in number.
template <auto... Options, class F, class Init>
    requires core::tensors_in<Init>
auto scan(F const& body, Init const& init) {
    return core::scan_tensors<F, core::scan_options_of<Options...>>(body, init, std::tuple<>{});
}
template <auto... Options, class F, class Init, class Xs>
    requires(core::tensors_in<Init> || core::tensors_in<Xs>)
auto scan(F const& body, Init const& init, Xs const& xs) {
    return core::scan_tensors<F, core::scan_options_of<Options...>>(body, init, xs);
}

/// gr::cond where run time tells the predicate: a tensor of one element, or a bool. The result is of a()'s types.
template <class P, class A, class B, class... Operands>
    requires(run_time_operand<P> || std::is_same_v<P, bool>)
auto cond(P const& predicate, A const& a, B const& b, Operands const&... operands) {
    using result = decltype(core::structured<decltype(a(operands...))>(core::held(a(operands...))));
    bool holds = false;
    if constexpr (std::is_same_v<P, bool>) holds = predicate;
    else {
        core::report<&core::predicate_complaint<P>>();
        holds = tensor(predicate).item() != 0;
    }
    if (holds) return result(core::structured<decltype(a(operands...))>(core::held(a(operands...))));
    return result(core::structured<decltype(b(operands...))>(core::held(b(operands...))));
}

}  // namespace gradus::inline GRADUS_ARCH
