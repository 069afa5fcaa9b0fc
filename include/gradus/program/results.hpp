// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/dtype.hpp>

#include <tuple>

// What a call of a program returns.

namespace gradus::inline GRADUS_ARCH::core {

/// The only result of a program: a tuple as ever, and the result itself where that is wanted: `double d = norm(x = data);`.
template <class R>
struct single_result : std::tuple<R> {
    using std::tuple<R>::tuple;
    operator R const&() const& { return std::get<0>(*this); }    // NOLINT: as said
    operator R&&() && { return std::get<0>(std::move(*this)); }  // NOLINT
    operator typename R::value_type() const                      // NOLINT: a scalar tensor is a number
        requires requires(R const& r) {
            requires R::rank() == 0;
            r.item();
        }
    {
        return std::get<0>(*this).item();
    }
};
template <element R>
struct single_result<R> : std::tuple<R> {
    using std::tuple<R>::tuple;
    operator R() const { return std::get<0>(*this); }  // NOLINT: as said
};

template <class... R>
struct program_results {
    using type = std::tuple<R...>;
};
template <class R>
struct program_results<R> {
    using type = single_result<R>;
};
/// The results of a call: a tuple.
template <class... R>
using program_results_t = typename program_results<R...>::type;

}  // namespace gradus::inline GRADUS_ARCH::core

template <class R>
struct std::tuple_size<gradus::core::single_result<R>> : std::integral_constant<std::size_t, 1> {};
template <class R>
struct std::tuple_element<0, gradus::core::single_result<R>> {
    using type = R;
};
