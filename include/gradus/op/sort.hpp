// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/cumulative.hpp>
#include <gradus/op/gather.hpp>

#include <limits>

// Order along an axis. One primitive, the permutation that sorts, which has no derivative; elements are then gathered by it, so
// that derivatives go back to where the elements came from. NaN counts as largest; equal elements keep their order.

namespace gradus::inline GRADUS_ARCH::op {

/// Indices (int64) that sort along the last axis; n[0] is 1 for the largest first.
struct sorting_order : linear<sorting_order, op_kind::movement> {
    static constexpr auto name = "sorting_order";
    static constexpr auto runs_by = own_kernel::sorting_order;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        if (c.operand[0].shape.rank() == 0) return fail("a scalar has no order: a is ", c.operand[0]);
        return {dtype::int64, c.operand[0].shape};
    }
    /// Does x[i] stand before x[j]?
    template <class T>
    static constexpr bool before(T const* x, std::int64_t stride, std::int64_t i, std::int64_t j, bool descending) {
        T const a = x[i * stride], b = x[j * stride];
        bool const less = a < b || (b != b && a == a), greater = b < a || (a != a && b == b);
        return descending ? greater || (!less && i < j) : less || (!greater && i < j);
    }
    /// An element's place is the number of those before it.
    static void whole(call const& c, double const* const* in, double* out) {
        shape const& s = c.operand[0].shape;
        std::int64_t const n = s[s.rank() - 1].code, rows = n ? s.static_size() / n : 0;
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::int64_t i = 0; i < n; ++i) {
                std::int64_t place = 0;
                for (std::int64_t j = 0; j < n; ++j) place += i != j && before(in[0] + row * n, 1, j, i, c.attr.n[0] != 0);
                out[row * n + place] = static_cast<double>(i);
            }
        }
    }
    static constexpr auto vjp(auto g, auto, auto) { return decltype(g)(0.0); }
    static constexpr auto jvp(auto t, auto, auto) { return decltype(t)(0.0); }
    static constexpr auto batch(batched_call const& c, auto x) { return batched_as<sorting_order>(c.attr, {}, x); }
};

/// Exchanges axis `axis` with the last one.
constexpr auto with_last(auto x, int axis) {
    attributes order;
    int const last = x.shape().rank() - 1;
    for (int i = 0; i <= last; ++i) order.n[i] = i == axis ? last : i == last ? axis : i;
    return axis == last ? x : x.transpose(order);
}

/// Base: n[0] is the axis, n[1] is 1 for the largest first.
template <class Op>
struct ordering : composite {
    static constexpr int arity = 1;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const& x = c.operand[0];
        if (c.attr.n[0] >= x.shape.rank()) return fail("no such axis: a is ", x, " and has ", x.shape.rank(), " axes");
        if (x.type == dtype::boolean) return fail("needs numbers: a is ", x);
        if (Op::gathers && !has_flat_extent(x, fail)) return {};
        return Op::result(c.attr, x, fail);
    }
    static constexpr tensor_type result(attributes const&, tensor_type const& x, complaint&) { return x; }
};
/// The indices (int64) that sort.
struct argsort : ordering<argsort> {
    static constexpr auto name = "argsort";
    static constexpr bool gathers = false;
    static constexpr tensor_type result(attributes const&, tensor_type const& x, complaint&) { return {dtype::int64, x.shape}; }
    static constexpr auto expand(attributes const& attr, auto x) {
        attributes direction;
        direction.n[0] = attr.n[1];
        int const axis = static_cast<int>(attr.n[0]);
        return with_last(decltype(x)::template emit<sorting_order>(x.owner(), direction, {}, {with_last(x, axis)}), axis);
    }
};
/// The elements in order.
struct sort : ordering<sort> {
    static constexpr auto name = "sort";
    static constexpr bool gathers = true;
    static constexpr auto expand(attributes const& attr, auto x) { return gather::expand(attr, x, argsort::expand(attr, x)); }
};
/// The indices of the n[2] largest elements (smallest, where n[1] is 0) in their order.
struct topk_index : ordering<topk_index> {
    static constexpr auto name = "topk_index";
    static constexpr bool gathers = false;
    static constexpr tensor_type shortened(attributes const& attr, tensor_type x, complaint& fail) {
        extent& along = x.shape[static_cast<int>(attr.n[0])];
        if (attr.n[2] < 0 || (along.is_static() && attr.n[2] > along.code))
            return fail("there are not so many elements along axis ", attr.n[0], ": a is ", x, " (", attr.n[2], " > ", along, ")");
        along = attr.n[2];
        return x;
    }
    static constexpr tensor_type result(attributes const& attr, tensor_type const& x, complaint& fail) {
        return {dtype::int64, shortened(attr, x, fail).shape};
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        return part_of(argsort::expand(attr, x), static_cast<int>(attr.n[0]), 0, attr.n[2]);
    }
};
/// Those elements.
struct topk : ordering<topk> {
    static constexpr auto name = "topk";
    static constexpr bool gathers = true;
    static constexpr tensor_type result(attributes const& attr, tensor_type const& x, complaint& fail) {
        return topk_index::shortened(attr, x, fail);
    }
    static constexpr auto expand(attributes const& attr, auto x) { return gather::expand(attr, x, topk_index::expand(attr, x)); }
};
/// The element in the middle along an axis, the smaller of two; NaN if there is one.
struct median : ordering<median> {
    static constexpr auto name = "median";
    static constexpr bool gathers = true;
    static constexpr tensor_type result(attributes const& attr, tensor_type const& x, complaint& fail) {
        tensor_type y{x.type, {}};
        for (int i = 0; i < x.shape.rank(); ++i)
            if (i != attr.n[0]) y.shape.push_back(x.shape[i]);
        if (!is_floating(x.type) || x.shape[static_cast<int>(attr.n[0])].code == 0) return fail("needs floating-point elements: a is ", x);
        return y;
    }
    static constexpr auto expand(attributes const& attr, auto x) {
        int const axis = static_cast<int>(attr.n[0]);
        auto index = part_of(argsort::expand(attr, x), axis, (x.shape()[axis] - 1) / 2, 1);
        auto middle = gather::expand(attr, x, index).reduced_shape(std::int64_t{1} << axis);
        auto invalid = gradus::where(x == x, x.number(0), 1).sum(std::int64_t{1} << axis, false);
        return gradus::where(invalid > 0, std::numeric_limits<double>::quiet_NaN(), middle);
    }
};

/// Base of the running maxima and minima: of equal elements the last, whose index has the derivative; NaN stays from where it is.
template <class Op>
struct running_extreme : running<Op, void> {
    static constexpr bool takes_integers = true;
    static constexpr auto expand(attributes const& attr, auto x) {
        int axis = 0;
        while (!reduces(attr, axis)) ++axis;
        auto index = x.index(axis).cast(dtype::int64).broadcast_to(x.shape());
        std::int64_t const n = x.shape()[axis].code;
        for (std::int64_t step = 1; step < n; step *= 2) {
            auto earlier = part_of(x, axis, 0, n - step), later = part_of(x, axis, step, n - step);
            auto replaces = Op::beats(later, earlier), valid = later == later;
            auto select = [&](auto all) {
                auto before = part_of(all, axis, 0, n - step), after = part_of(all, axis, step, n - step);
                return joined(part_of(all, axis, 0, step), gradus::where(replaces, after, gradus::where(valid, before, after)), axis);
            };
            if constexpr (Op::is_index) index = select(index);
            x = select(x);
        }
        if constexpr (Op::is_index) return index;
        else return x;
    }
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type y = running<Op, void>::infer(c, fail);
        return Op::is_index ? tensor_type{dtype::int64, y.shape} : y;
    }
    static constexpr auto beats(auto later, auto earlier) {
        if constexpr (Op::is_largest) return later >= earlier;
        else return later <= earlier;
    }
};
struct cummax : running_extreme<cummax> {
    static constexpr auto name = "cummax";
    static constexpr bool is_largest = true, is_index = false;
};
struct cummax_index : running_extreme<cummax_index> {
    static constexpr auto name = "cummax_index";
    static constexpr bool is_largest = true, is_index = true;
};
struct cummin : running_extreme<cummin> {
    static constexpr auto name = "cummin";
    static constexpr bool is_largest = false, is_index = false;
};
struct cummin_index : running_extreme<cummin_index> {
    static constexpr auto name = "cummin_index";
    static constexpr bool is_largest = false, is_index = true;
};

}  // namespace gradus::inline GRADUS_ARCH::op
