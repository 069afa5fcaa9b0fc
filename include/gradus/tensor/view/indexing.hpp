// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/view/indexed_write.hpp>

#include <limits>

// x.index(...): PyTorch's indices, one for each axis. Numbers, ranges, new axes and `...` make a view of x; tensors of integers and masks
// then pick a copy out of that view, which knows where it comes from (picked_from).

namespace gradus::inline GRADUS_ARCH {

/// The stop of a range that ends with its axis: `gr::range{1, gr::to_end, 2}` is PyTorch's 1::2.
inline constexpr std::int64_t to_end = std::numeric_limits<std::int64_t>::max();
struct every_t {};
/// All of an axis, PyTorch's `:`.
inline constexpr every_t every{};
struct ellipsis_t {};
/// As many whole axes as are missing, PyTorch's `...`.
inline constexpr ellipsis_t ellipsis{};
struct new_axis_t {};
/// An axis of one element, PyTorch's None.
inline constexpr new_axis_t new_axis{};

namespace core {

enum class index_kind_t : std::int8_t { number, range, every, ellipsis, new_axis, integers, mask };
/// What the type of an index tells.
struct index_fact {
    index_kind_t kind;
    shape of{};  ///< of a tensor
    dtype type = dtype::int64;
    constexpr int axes() const {
        if (kind == index_kind_t::mask) return of.rank();
        return kind == index_kind_t::new_axis || kind == index_kind_t::ellipsis ? 0 : 1;
    }
};
/// An index at run time.
struct index_value {
    index_kind_t kind;
    range numbers{};  ///< of a number: the start
    tensor_ref names{};
};
template <class I>
concept index_argument = std::integral<I> || std::same_as<I, range> || std::same_as<I, every_t> || std::same_as<I, ellipsis_t> ||
                         std::same_as<I, new_axis_t> || run_time_operand<I>;
template <class I>
constexpr index_fact fact_of_index() {
    if constexpr (std::integral<I>) return {index_kind_t::number};
    else if constexpr (std::same_as<I, range>) return {index_kind_t::range};
    else if constexpr (std::same_as<I, every_t>) return {index_kind_t::every};
    else if constexpr (std::same_as<I, ellipsis_t>) return {index_kind_t::ellipsis};
    else if constexpr (std::same_as<I, new_axis_t>) return {index_kind_t::new_axis};
    else return {I::type.type == dtype::boolean ? index_kind_t::mask : index_kind_t::integers, I::type.shape, I::type.type};
}
template <class I>
index_value value_of_index(I const& i, std::source_location where) {
    constexpr index_kind_t kind = fact_of_index<I>().kind;
    if constexpr (std::integral<I>) return {kind, {static_cast<std::int64_t>(i)}};
    else if constexpr (std::same_as<I, range>) return {kind, i};
    else if constexpr (run_time_operand<I>) return {kind, {}, computed(i, where).state()};
    else return {kind};
}

/// The type of what indices pick: axes that no tensor names keep their place; where tensors stand side by side their common shape takes
/// that of their axes, else it comes first.
struct indexed_type {
    tensor_type result;
    text wrong;
};
constexpr extent common_extent(extent a, extent b) {
    if (a.is_one()) return b;
    return a.is_static() || b.is_one() ? a : b.is_static() ? b : dyn;
}
/// The shape that two index tensors broadcast to, as far as their types tell.
constexpr shape common_shape(shape const& a, shape const& b) {
    shape joined;
    int const rank = a.rank() > b.rank() ? a.rank() : b.rank();
    for (int i = 0; i < rank; ++i) {
        int const of_a = i - (rank - a.rank()), of_b = i - (rank - b.rank());
        joined.push_back(of_a < 0 ? b[of_b] : of_b < 0 ? a[of_a] : common_extent(a[of_a], b[of_b]));
    }
    return joined;
}
constexpr text complaint_of_indices(tensor_type const& t, index_fact const* facts, int count) {
    int named = 0, ellipses = 0;
    for (int k = 0; k < count; ++k) {
        named += facts[k].axes();
        ellipses += facts[k].kind == index_kind_t::ellipsis;
        if (facts[k].kind == index_kind_t::integers && !is_integer(facts[k].type))
            return concat("an index is neither a mask nor made of integers: it is ", tensor_type{facts[k].type, facts[k].of});
    }
    if (ellipses > 1) return std::string_view("more than one gr::ellipsis");
    if (named > t.shape.rank()) return concat("too many indices: the tensor is ", t, ", the indices name ", named, " axes");
    return {};
}
/// The axes of the view that indices without tensors make, the common shape of the tensors, and where that goes.
class indexed_axes {
public:
    constexpr indexed_axes(shape const& of, index_fact const* facts, int count) : of_(of) {
        int named = 0;
        for (int k = 0; k < count; ++k) named += facts[k].axes();
        for (int k = 0; k < count; ++k) add(facts[k], of.rank() - named);
        keep(of.rank() - axis_);
    }
    constexpr bool fit() const { return axes_.rank() + common_.rank() <= max_rank; }
    constexpr shape result() const {
        shape all;
        int const first = first_ < 0 ? 0 : first_;
        for (int i = 0; i < first; ++i) all.push_back(axes_[i]);
        for (int i = 0; i < common_.rank(); ++i) all.push_back(common_[i]);
        for (int i = first; i < axes_.rank(); ++i) all.push_back(axes_[i]);
        return all;
    }

private:
    constexpr void keep(int n) {
        for (; n > 0; --n) axes_.push_back(of_[axis_++]);
    }
    constexpr void add(index_fact const& f, int left_open) {
        switch (f.kind) {
            case index_kind_t::number: ++axis_; break;
            case index_kind_t::range: axes_.push_back(dyn), ++axis_; break;
            case index_kind_t::every: keep(1); break;
            case index_kind_t::ellipsis: keep(left_open); break;
            case index_kind_t::new_axis: axes_.push_back(1); break;
            case index_kind_t::integers: name(f.of, 1); break;
            case index_kind_t::mask: name({dyn}, f.of.rank());
        }
    }
    constexpr void name(shape const& of, int count) {
        if (first_ < 0) first_ = axes_.rank();
        else if (last_ != axes_.rank()) first_ = 0;
        last_ = axes_.rank();
        axis_ += count;
        common_ = common_shape(common_, of);
    }
    shape of_, axes_, common_;
    int axis_ = 0, first_ = -1, last_ = -1;
};
template <class... I>
constexpr indexed_type type_of_indexed(tensor_type const& t) {
    constexpr index_fact facts[] = {fact_of_index<I>()..., {index_kind_t::every}};
    if (text wrong = complaint_of_indices(t, facts, sizeof...(I)); !wrong.empty()) return {t, wrong};
    indexed_axes const axes(t.shape, facts, sizeof...(I));
    if (!axes.fit()) return {t, concat("the result has more than ", max_rank, " axes")};
    return {{t.type, axes.result()}, {}};
}
template <tensor_type T, class... I>
constexpr text index_complaint() {
    indexed_type const found = type_of_indexed<I...>(T);
    if (found.wrong.empty()) return {};
    return concat("gradus::tensor::index(...): ", found.wrong);
}

// ---- the same at run time

/// Elements start, start + step, ... before stop, both clamped as Python's slices are.
template <class Asked = void>
tensor_ref sliced(tensor_ref const& t, int axis, range const& r, std::source_location where) {
    if (!t) refuse_undefined();
    if (r.step <= 0)
        throw shape_error(concat("gradus::tensor::slice(start, stop, step): step must be greater than zero: it is ", r.step).str());
    std::int64_t const n = t->extents[axis];
    auto clamped = [n](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + n : i, 0, n); };
    std::int64_t const start = clamped(r.start), stop = std::max(start, clamped(r.stop));
    view_places at(*t);
    at.each([&](view_place& p) {
        p.narrow(axis, start, stop == start ? 0 : (stop - start - 1) / r.step + 1);
        if (p.extents[axis] > 1) p.strides[axis] *= r.step;
    });
    return region_of(t, at, slice_kind, where);
}
inline bool is_true(tensor_state const& t, std::int64_t i) {
    return with_dtype(t.type, [&]<class T>(T) { return static_cast<bool>(reinterpret_cast<T const*>(t.data)[i] != T{}); });
}
/// The places of what is not 0, an int64 vector per axis, in memory order.
template <class Asked = void>
list<tensor_ref> places_of(tensor_ref const& mask) {
    if (!mask) refuse_undefined();
    tensor_ref const m = mask->is_contiguous() ? mask : contiguous_copy(*mask);
    std::int64_t count = 0;
    std::int64_t const size = m->size();
    for (std::int64_t i = 0; i < size; ++i) count += is_true(*m, i);
    list<tensor_ref> found;
    for (int axis = 0; axis < m->rank; ++axis) found.push_back(make_state(dtype::int64, 1, &count));
    std::int64_t next = 0;
    for (std::int64_t i = 0; i < size; ++i) {
        if (!is_true(*m, i)) continue;
        std::int64_t rest = i;
        for (int axis = m->rank - 1; axis >= 0; rest /= m->extents[axis--])
            reinterpret_cast<std::int64_t*>(found[axis]->data)[next] = rest % m->extents[axis];
        ++next;
    }
    return found;
}
/// Calls f(place, offset) for the elements of a view in order.
inline void each_place(view_place const& p, auto const& f) {
    std::int64_t index[max_rank]{}, offset = 0;
    std::int64_t const size = p.size();
    for (std::int64_t i = 0; i < size; ++i) {
        f(i, offset);
        for (int a = p.rank - 1; a >= 0; --a) {
            offset += p.strides[a];
            if (++index[a] < p.extents[a]) break;
            offset -= p.strides[a] * index[a];
            index[a] = 0;
        }
    }
}
/// The shape that index tensors broadcast to.
inline view_place common_place(std::span<tensor_ref const> names) {
    view_place common;
    for (tensor_ref const& n : names) {
        while (common.rank < n->rank) common.insert(0);
        for (int i = 0; i < n->rank; ++i) {
            std::int64_t& e = common.extents[i + common.rank - n->rank];
            if (e != n->extents[i] && e != 1 && n->extents[i] != 1)
                throw shape_error(concat("gradus::tensor::index(...): index tensors do not broadcast to one shape: one is ",
                                         names[0]->described(), ", another is ", n->described())
                                      .str());
            if (e == 1) e = n->extents[i];
        }
    }
    return common;
}
/// Index tensors of several axes as one of those axes taken as one: all broadcast to a common shape.
template <class Asked = void>
tensor_ref joined_names(tensor_state const& t, int axis, std::span<tensor_ref const> names) {
    view_place const common = common_place(names);
    tensor_ref made = zeros_like(dtype::int64, common.rank, common.extents);
    auto* const to = reinterpret_cast<std::int64_t*>(made->data);
    for (tensor_ref const& n : names) {
        view_place from(*n);
        from.expand(common.rank, common.extents);
        std::int64_t const extent = t.extents[axis];
        each_place(from, [&](std::int64_t i, std::int64_t offset) {
            std::int64_t const at = n->type == dtype::int32 ? reinterpret_cast<std::int32_t const*>(n->data)[offset]
                                                            : reinterpret_cast<std::int64_t const*>(n->data)[offset];
            if (at < -extent || at >= extent) refuse_index("tensor::operator[](indices)", t, at, axis);
            to[i] = to[i] * extent + (at < 0 ? at + extent : at);
        });
        ++axis;
    }
    return made;
}
inline int axes_of(index_value const& i) {
    if (i.kind == index_kind_t::mask) return i.names->rank;
    return i.kind == index_kind_t::new_axis || i.kind == index_kind_t::ellipsis ? 0 : 1;
}
inline int named_axes(std::span<index_value const> items) {
    int named = 0;
    for (index_value const& i : items) named += axes_of(i);
    return named;
}
inline void require_mask(tensor_state const& view, int axis, tensor_state const& mask) {
    for (int k = 0; k < mask.rank; ++k)
        if (mask.extents[k] != view.extents[axis + k])
            throw shape_error(concat("gradus::tensor::index(...): a mask has the shape of the axes that it is about: it is ",
                                     mask.described(), ", from axis ", axis, " on the tensor is ", view.described())
                                  .str());
}
/// The tensor with some axes first.
template <class Asked = void>
tensor_ref with_first(tensor_ref const& t, list<int> const& axes, std::source_location where) {
    view_places at(*t);
    at.each([&](view_place& p) {
        view_place const from = p;
        int next = 0;
        auto take = [&](int a) {
            p.extents[next] = from.extents[a];
            p.strides[next++] = from.strides[a];
        };
        for (int a : axes) take(a);
        for (int a = 0; a < from.rank; ++a)
            if (std::find(axes.begin(), axes.end(), a) == axes.end()) take(a);
    });
    return region_of(t, at, permute_kind, where);
}
/// What indices name: a view, and which of its elements tensors among them pick (null where there are none).
template <class Asked = void>
index_source indexed_place(tensor_ref const& t, std::span<index_value const> items, std::source_location where) {
    if (!t) refuse_undefined();
    tensor_ref view = t;
    int const left_open = t->rank - named_axes(items);
    int axis = 0;
    list<tensor_ref> names;
    list<int> axes;
    for (index_value const& i : items) {
        switch (i.kind) {
            case index_kind_t::number: view = selected(view, axis, i.numbers.start, select_kind, where); break;
            case index_kind_t::range: view = sliced(view, axis++, i.numbers, where); break;
            case index_kind_t::every: ++axis; break;
            case index_kind_t::ellipsis: axis += left_open; break;
            case index_kind_t::new_axis: view = unsqueezed(view, axis++, where); break;
            case index_kind_t::integers: names.push_back(i.names), axes.push_back(axis++); break;
            case index_kind_t::mask:
                require_mask(*view, axis, *i.names);
                for (tensor_ref const& place : places_of(i.names)) names.push_back(place), axes.push_back(axis++);
        }
    }
    if (names.empty()) return {view, {}, 0, 1};
    bool together = true;
    for (int k = 1; k < axes.size(); ++k) together = together && axes[k] == axes[k - 1] + 1;
    if (!together) view = with_first(view, axes, where);
    int const first = together ? axes[0] : 0;
    if (view.get() == t.get() && names.size() == 1) return {t, names[0], first, 1};
    return {view, joined_names(*view, first, {names.begin(), names.end()}), first, names.size()};
}
/// x[...] of any indices, as a tensor that what is assigned to it is written through.
template <class Asked = void>
tensor_ref indexed_by(tensor_ref const& t, std::span<index_value const> items, std::source_location where) {
    index_source place = indexed_place<Asked>(t, items, where);
    if (place.indices) return picked_from(std::move(place), where);
    return place.whole.get() == t.get() ? region_of(t, view_places(*t), as_strided_kind, where) : place.whole;
}
/// The same elements as `t` repeated to a shape that both tensors broadcast to.
template <class Asked = void>
void broadcast_both(tensor_ref& a, tensor_ref& b, std::string_view call, std::source_location where) {
    if (!a || !b) refuse_undefined();
    int const rank = std::max(a->rank, b->rank);
    std::int64_t extents[max_rank]{};
    for (int i = 0; i < rank; ++i) {
        int const at = i - (rank - a->rank), other = i - (rank - b->rank);
        std::int64_t const m = at < 0 ? 1 : a->extents[at], n = other < 0 ? 1 : b->extents[other];
        if (m != n && m != 1 && n != 1)
            throw shape_error(
                concat("gradus::", call, ": shapes do not broadcast: x is ", a->described(), ", mask is ", b->described()).str());
        extents[i] = m == 1 ? n : m;
    }
    auto is_there = [&](tensor_ref const& t) { return t->rank == rank && std::equal(extents, extents + rank, t->extents); };
    if (!is_there(a)) a = expanded_to(a, rank, extents, where);
    if (!is_there(b)) b = expanded_to(b, rank, extents, where);
}

/// Indexing that tensors have, any rank.
template <class Tensor>
struct indexed_by_all {
    using location = std::source_location;

    /// `x.index(i, j)`, `x.index(gr::ellipsis, gr::range{1, gr::to_end, 2}, gr::new_axis, mask)`: PyTorch's x[i, j]. Numbers drop an
    /// axis, ranges clamp; tensors of integers and masks pick copies. What is assigned to the result is written to x.
    template <index_argument... I>
    auto index(I const&... indices) const {
        report<&index_complaint<Tensor::type, I...>>();
        constexpr tensor_type result = type_of_indexed<I...>(Tensor::type).result;
        index_value const items[] = {value_of_index(indices, location::current())...};
        return declared_as<result>(indexed_by<>(state(), items, location::current()));
    }
    /// Writes (or, accumulating, adds, equal indices one after the other) to what the indices name: `x.index_put_({i, j}, v)`.
    template <index_argument... I, class X>
    Tensor const& index_put_(std::tuple<I...> const& indices, X const& values, bool accumulate = false,
                             location where = location::current()) const {
        auto const picked = std::apply([&](I const&... i) { return index(i...); }, indices);
        own<index_source> place;
        take_source(*picked.state(), place);
        if (!place) {
            if (accumulate) picked.add_(values, where);
            else picked.copy_(values, where);
            return self();
        }
        require_writable(place->whole);
        picked.detach_();
        picked.copy_(values, where);
        put_at(*place, picked.state(), where, accumulate);
        return self();
    }
    /// Writes a number where the mask, which broadcasts, is true.
    template <run_time_operand M, class X>
    Tensor const& masked_fill_(M const& mask, X const& value, location where = location::current()) const {
        return update_in_place(self(), masked_fill(self(), mask, value), where), self();
    }
    /// Writes the elements of `source`, in their order, where the mask, which broadcasts, is true.
    template <run_time_operand M, run_time_operand S>
    Tensor const& masked_scatter_(M const& mask, S const& source, location where = location::current()) const {
        tensor_ref x = state(), m = computed(mask, where).state();
        broadcast_both(x, m, "tensor::masked_scatter_(mask, source)", where);
        index_value const items[] = {{index_kind_t::mask, {}, m}};
        index_source const place = indexed_place<>(state(), items, where);
        tensor_ref from = flattened(computed(source, where).state(), where);
        std::int64_t const count = place.indices->size();
        if (from->extents[0] < count)
            throw shape_error(concat("gradus::tensor::masked_scatter_(mask, source): the mask is true ", count, " times, source has ",
                                     from->extents[0], " elements")
                                  .str());
        require_writable(state());
        from = sliced(from, 0, {0, count}, where);
        if (overlap(*state(), *from)) from = clone_of(from, where);
        put_at(place, from, where);
        return self();
    }

private:
    Tensor const& self() const { return static_cast<Tensor const&>(*this); }
    tensor_ref const& state() const { return self().state(); }
};

}  // namespace core

}  // namespace gradus::inline GRADUS_ARCH
