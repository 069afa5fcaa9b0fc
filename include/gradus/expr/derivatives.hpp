// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/constants.hpp>
#include <gradus/expr/structure.hpp>
#include <gradus/expr/vmap.hpp>

// Derivatives of expressions beyond grad and jvp: for all directions at once, by gr::vmap over the rows of an identity matrix. The value
// and what else does not depend on the direction is computed once.
namespace gradus::inline GRADUS_ARCH {

namespace core {

template <shape S, class E>
constexpr auto shaped(E x) {
    if constexpr (E::type.shape == S) return x;
    else return apply<with<op::reshape, parameters{{}, S}>>(x);
}
constexpr shape joined_shapes(shape const& a, shape const& b) {
    shape all = a;
    for (int axis = 0; axis < b.rank(); ++axis) all.push_back(b[axis]);
    return all;
}
/// An extent between axes of 1.
constexpr shape along_one_axis(shape const& s, int axis) {
    shape result = s;
    for (int i = 0; i < s.rank(); ++i)
        if (i != axis) result[i] = 1;
    return result;
}

/// F on a row of a flat identity.
template <tensor_type T, class F>
struct on_flat_direction {
    static constexpr std::uint64_t hash = mix(hash_of("direction"), F::hash);
    constexpr auto operator()(auto row) const { return F{}(shaped<T.shape>(row)); }
};
/// F on the products of rows of identities, one for each axis from Axis on; `Before` is the product so far.
template <tensor_type T, class F, int Axis, class Before>
struct on_direction {
    static constexpr std::uint64_t hash = mix(mix(hash_of("direction"), F::hash), mix(Before::hash, static_cast<std::uint64_t>(Axis)));
    constexpr auto operator()(auto row) const {
        auto const along = shaped<along_one_axis(T.shape, Axis)>(row);
        if constexpr (Axis == 0) return next(along);
        else return next(Before{} * along);
    }
    template <class Direction>
    static constexpr auto next(Direction d) {
        if constexpr (Axis + 1 == T.shape.rank()) return F{}(d);
        else return vmap(on_direction<T, F, Axis + 1, Direction>{})(eye<element_t<T.type>, T.shape[Axis + 1]>);
    }
};
/// F on each direction of a value's elements: the axes of T before those of the results. Axes of known extents are one for a while, so
/// that what is in between has one axis more and not one for each.
template <tensor_type T, class F>
constexpr auto on_all_directions(F f) {
    constexpr int rank = T.shape.rank();
    if constexpr (rank == 0) return f(ones<element_t<T.type>>);
    else if constexpr (rank > 1 && T.shape.is_static()) {
        constexpr extent size = T.shape.static_size();
        auto const all = vmap(on_flat_direction<T, F>{})(eye<element_t<T.type>, size>);
        constexpr shape one = one_instance(decltype(all)::type, 0).shape;
        return shaped<joined_shapes(T.shape, one)>(all);
    } else return vmap(on_direction<T, F, 0, constant_expr<1.0>>{})(eye<element_t<T.type>, T.shape[0]>);
}

template <class Y, class X>
struct jvp_along {
    static constexpr std::uint64_t hash = mix(mix(hash_of("jvp"), Y::hash), X::hash);
    constexpr auto operator()(auto direction) const { return jvp(Y{}, X{}, direction); }
};
template <class Y, class X>
struct vjp_along {
    static constexpr std::uint64_t hash = mix(mix(hash_of("vjp"), Y::hash), X::hash);
    constexpr auto operator()(auto cotangent) const { return apply<op::vjp>(Y{}, X{}, cotangent); }
};
template <class Y, class X>
struct curvature_along {
    static constexpr std::uint64_t hash = mix(mix(hash_of("curvature"), Y::hash), X::hash);
    constexpr auto operator()(auto direction) const { return sum(jvp(grad(Y{}, X{}), X{}, direction) * direction); }
};

/// The last `count` axes first.
constexpr parameters last_first(int rank, int count) {
    parameters p;
    for (int i = 0; i < rank; ++i) op::transpose::set_from_axis(p.attr, i, i < count ? rank - count + i : i - count);
    return p;
}
/// Are directions of x fewer than those of y? Those of named dimensions are many.
constexpr bool goes_forward(shape const& y, shape const& x) {
    int named_y = 0, named_x = 0;
    for (int axis = 0; axis < y.rank(); ++axis) named_y += !y[axis].is_static();
    for (int axis = 0; axis < x.rank(); ++axis) named_x += !x[axis].is_static();
    return named_x != named_y ? named_x < named_y : x.static_size() <= y.static_size();
}

template <class Y, class X>
constexpr text jacobian_complaint() {
    tensor_type const y = Y::type, x = X::type;
    if (!is_floating(y.type)) return concat("gradus::jacobian(y, x): the derivative of an integer: y is ", y);
    if (!is_floating(x.type)) return concat("gradus::jacobian(y, x): no derivative with respect to an integer: x is ", x);
    if (y.shape.rank() + x.shape.rank() > max_rank)
        return concat("gradus::jacobian(y, x): the axes of y and of x are more than ", max_rank, " together: y is ", y, ", x is ", x);
    return {};
}
template <class Y, class X>
constexpr text hessian_complaint() {
    tensor_type const y = Y::type, x = X::type;
    if (!y.shape.is_single()) return concat("gradus::hessian(y, x): y is no scalar: y is ", y, ". Sum it first, or use gr::jacobian");
    if (2 * x.shape.rank() > max_rank) return concat("gradus::hessian(y, x): the axes of x, twice, are more than ", max_rank, ": x is ", x);
    return jacobian_complaint<Y, X>();
}
template <class Y, class X>
constexpr auto forward_jacobian(Y, X) {
    auto const all = on_all_directions<X::type>(jvp_along<Y, X>{});
    constexpr int rank = decltype(all)::type.shape.rank(), of_y = Y::type.shape.rank();
    if constexpr (of_y == 0 || of_y == rank) return all;
    else return apply<with<op::transpose, last_first(rank, of_y)>>(all);
}

}  // namespace core

/// The derivatives of <cotangent, y> with respect to x: reverse mode, an expression of x's shape; `cotangent` is like y.
constexpr auto vjp(expression auto y, expression auto x, expression auto cotangent) { return apply<op::vjp>(y, x, cotangent); }
/// The derivatives of every element of y with respect to every element of x, an expression of y's axes and then x's. One direction
/// for each element of x, forward mode.
template <expression Y, expression X>
constexpr auto jacfwd(Y y, X x) {
    core::report<&core::jacobian_complaint<Y, X>>();
    if constexpr (!core::is_empty<&core::jacobian_complaint<Y, X>>) return y;
    else return core::forward_jacobian(y, x);
}
/// The same Jacobian as jacfwd, by one cotangent for each element of y, reverse mode.
template <expression Y, expression X>
constexpr auto jacrev(Y y, [[maybe_unused]] X x) {
    core::report<&core::jacobian_complaint<Y, X>>();
    if constexpr (!core::is_empty<&core::jacobian_complaint<Y, X>>) return y;
    else return core::on_all_directions<Y::type>(core::vjp_along<Y, X>{});
}
/// The Jacobian in the mode that has fewer directions: jacfwd if x has no more elements than y, else jacrev. Named dimensions count as
/// many.
template <expression Y, expression X>
constexpr auto jacobian(Y y, X x) {
    if constexpr (core::goes_forward(Y::type.shape, X::type.shape)) return jacfwd(y, x);
    else return jacrev(y, x);
}
/// The second derivatives of a scalar, an expression of x's axes twice: forward over reverse mode.
template <expression Y, expression X>
constexpr auto hessian(Y y, X x) {
    core::report<&core::hessian_complaint<Y, X>>();
    if constexpr (!core::is_empty<&core::hessian_complaint<Y, X>>) return y;
    else return core::on_all_directions<X::type>(core::jvp_along<decltype(grad(y, x)), X>{});  // symmetric
}
/// The diagonal of the Hessian, an expression of x's shape, by one product of the Hessian with a vector for each element.
template <expression Y, expression X>
constexpr auto hessian_diagonal(Y y, [[maybe_unused]] X x) {
    core::report<&core::hessian_complaint<Y, X>>();
    if constexpr (!core::is_empty<&core::hessian_complaint<Y, X>>) return y;
    else return core::on_all_directions<X::type>(core::curvature_along<Y, X>{});
}
/// The Hessian of a scalar times a vector, which is like x: forward over reverse mode, no matrix.
constexpr auto hvp(expression auto y, expression auto x, expression auto vector) { return jvp(grad(y, x), x, vector); }

/// A pair of a scalar and its derivative with respect to x; with respect to several, a tuple of them.
template <expression Y, expression X, expression... More>
constexpr auto value_and_grad(Y y, X x, More... more) {
    if constexpr (sizeof...(More) == 0) return std::pair{y, grad(y, x)};
    else return std::pair{y, std::tuple{grad(y, x), grad(y, more)...}};
}

}  // namespace gradus::inline GRADUS_ARCH
