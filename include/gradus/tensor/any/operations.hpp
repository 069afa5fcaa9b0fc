// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/view/indexing.hpp>

// What tensors compute whose dtype, rank and shape only run time knows. Axes and shapes are arguments.

namespace gradus::inline GRADUS_ARCH {

class any_tensor;
struct backward_options;

/// Axes that run time tells: `a.sum(1)`, `a.sum({0, -1})`; negative ones count from the end.
class axes {
public:
    axes(int axis) { list_.push_back(axis); }  // NOLINT: an axis is a list of one
    axes(std::initializer_list<int> all) {     // NOLINT
        for (int axis : all) list_.push_back(axis);
    }
    core::list<int> const& all() const { return list_; }

private:
    core::list<int> list_;
};

namespace core {

/// An operand of a statement that is made at run time: a tensor, or a number.
struct any_operand {
    tensor_ref tensor;
    double number = 0;
    bool is_fraction = false;  ///< a number of a floating-point type
};
/// tensor/any/statement.hpp
template <class Op, class Asked, std::size_t N>
tensor_ref run_statement(parameters const& given, any_operand const (&operands)[N], std::source_location where);
template <class Asked>
void start_backward(tensor_ref const& root, std::span<tensor_ref const> gradient, backward_options const* options);

inline int any_axis(std::string_view call, tensor_state const& t, std::int64_t axis, int more = 0) {
    std::int64_t const from_start = axis < 0 ? axis + t.rank + more : axis;
    if (from_start < 0 || from_start >= t.rank + more)
        throw shape_error(
            concat("gradus::any_tensor::", call, ": no such axis: the tensor is ", t.described(), ", the axis is ", axis).str());
    return static_cast<int>(from_start);
}
template <class Asked>
std::int64_t bits_of_axes(std::string_view call, tensor_state const& t, axes const& given) {
    std::int64_t bits = 0;
    for (int a : given.all()) {
        std::int64_t const bit = std::int64_t{1} << any_axis(call, t, a);
        if (bits & bit) throw shape_error(concat("gradus::any_tensor::", call, ": axis ", a, " is given twice").str());
        bits |= bit;
    }
    return bits;
}
/// A shape with at most one -1, which is what is left of the elements.
template <class Asked>
view_place completed(tensor_state const& t, shape const& s) {
    view_place made;
    std::int64_t sizes[max_rank]{}, known = 1;
    int open = -1;
    bool good = true;
    for (int i = 0; i < s.rank(); ++i) {
        sizes[i] = s[i].code;
        if (s[i] == dyn) good = good && open < 0, open = i;
        else known *= sizes[i];
        good = good && (s[i] == dyn || sizes[i] >= 0);
    }
    if (open >= 0) good = good && known != 0 && t.size() % known == 0, sizes[open] = good ? t.size() / known : 0;
    else good = good && known == t.size();
    if (!good)
        throw shape_error(concat("gradus::any_tensor::reshape(shape): the tensor is ", t.described(), ", which has ", t.size(),
                                 " elements; the shape is ", s)
                              .str());
    made.set_extents(s.rank(), sizes);
    return made;
}

template <class Self, class Asked = when<Self, void>>
struct run_time_operations {
    using location = std::source_location;

    // ---- reductions; over all axes where none is given
    Self sum(location where = location::current()) const { return reduced<op::sum>("sum(axes)", every_axis(), false, where, true); }
    Self sum(axes a, bool keepdim = false, location where = location::current()) const {
        return reduced<op::sum>("sum(axes)", a, keepdim, where, true);
    }
    Self prod(location where = location::current()) const { return reduced<op::prod>("prod(axes)", every_axis(), false, where, true); }
    Self prod(axes a, bool keepdim = false, location where = location::current()) const {
        return reduced<op::prod>("prod(axes)", a, keepdim, where, true);
    }
    Self mean(location where = location::current()) const { return reduced<op::mean>("mean(axes)", every_axis(), false, where); }
    Self mean(axes a, bool keepdim = false, location where = location::current()) const {
        return reduced<op::mean>("mean(axes)", a, keepdim, where);
    }
    Self amax(location where = location::current()) const { return reduced<op::amax>("amax(axes)", every_axis(), false, where); }
    Self amax(axes a, bool keepdim = false, location where = location::current()) const {
        return reduced<op::amax>("amax(axes)", a, keepdim, where);
    }
    Self amin(location where = location::current()) const { return reduced<op::amin>("amin(axes)", every_axis(), false, where); }
    Self amin(axes a, bool keepdim = false, location where = location::current()) const {
        return reduced<op::amin>("amin(axes)", a, keepdim, where);
    }
    Self argmax(location where = location::current()) const { return reduced<op::argmax>("argmax(axis)", every_axis(), false, where); }
    Self argmax(int axis, bool keepdim = false, location where = location::current()) const {
        return reduced<op::argmax>("argmax(axis)", axis, keepdim, where);
    }
    Self argmin(location where = location::current()) const { return reduced<op::argmin>("argmin(axis)", every_axis(), false, where); }
    Self argmin(int axis, bool keepdim = false, location where = location::current()) const {
        return reduced<op::argmin>("argmin(axis)", axis, keepdim, where);
    }
    Self logsumexp(location where = location::current()) const { return logsumexp(every_axis(), false, where); }
    Self logsumexp(axes a, bool keepdim = false, location where = location::current()) const {
        return reduced<op::logsumexp>("logsumexp(axes)", a, keepdim, where);
    }
    Self any(location where = location::current()) const { return any(every_axis(), false, where); }
    Self any(axes a, bool keepdim = false, location where = location::current()) const {
        return reduced<op::any>("any(axes)", a, keepdim, where);
    }
    Self all(location where = location::current()) const { return all(every_axis(), false, where); }
    Self all(axes a, bool keepdim = false, location where = location::current()) const {
        return reduced<op::all>("all(axes)", a, keepdim, where);
    }
    /// How many elements are not 0.
    Self count_nonzero(location where = location::current()) const { return count_nonzero(every_axis(), false, where); }
    Self count_nonzero(axes a, bool keepdim = false, location where = location::current()) const {
        return reduced<op::count_nonzero>("count_nonzero(axes)", a, keepdim, where);
    }
    /// sum (x - mean)^2 / (n - correction).
    Self variance(location where = location::current()) const { return variance(every_axis(), false, 1, where); }
    Self variance(axes a, bool keepdim = false, double correction = 1, location where = location::current()) const {
        return reduced<op::variance>("variance(axes)", a, keepdim, where, false, correction);
    }
    Self stddev(location where = location::current()) const { return stddev(every_axis(), false, 1, where); }
    Self stddev(axes a, bool keepdim = false, double correction = 1, location where = location::current()) const {
        return reduced<op::stddev>("stddev(axes)", a, keepdim, where, false, correction);
    }
    Self norm(location where = location::current()) const { return norm(every_axis(), 2, false, where); }
    Self norm(axes a, double order = 2, bool keepdim = false, location where = location::current()) const {
        return reduced<op::norm>("norm(axes)", a, keepdim, where, false, order);
    }

    // ---- along an axis
    Self softmax(int axis, location where = location::current()) const { return reduced<op::softmax>("softmax(axis)", axis, false, where); }
    Self log_softmax(int axis, location where = location::current()) const {
        return reduced<op::log_softmax>("log_softmax(axis)", axis, false, where);
    }
    Self cumsum(int axis, location where = location::current()) const {
        return reduced<op::cumsum>("cumsum(axis)", axis, false, where, true);
    }
    Self cumprod(int axis, location where = location::current()) const {
        return reduced<op::cumprod>("cumprod(axis)", axis, false, where, true);
    }
    Self logcumsumexp(int axis, location where = location::current()) const {
        return reduced<op::logcumsumexp>("logcumsumexp(axis)", axis, false, where);
    }
    /// Reversed along axes.
    Self flip(axes a, location where = location::current()) const { return reduced<op::flip>("flip(axes)", a, false, where); }
    /// Shifted around along an axis.
    Self roll(std::int64_t shift, int axis, location where = location::current()) const {
        return along_with<op::roll>("roll(shift, axis)", axis, where, shift, 0);
    }

    // ---- by indices along an axis
    /// y[i, j] = x[index[i, j], j] for axis 0, and so on.
    Self gather(int axis, Self const& index, location where = location::current()) const {
        return along<op::gather>("gather(axis, index)", axis, where, index);
    }
    /// The parts of a vector of indices.
    Self index_select(int axis, Self const& index, location where = location::current()) const {
        return along<op::index_select>("index_select(axis, index)", axis, where, index);
    }
    /// With source[i, j] added to x[index[i, j], j] for axis 0, and so on; equal indices add up.
    Self scatter_add(int axis, Self const& index, Self const& source, location where = location::current()) const {
        return along<op::scatter_add>("scatter_add(axis, index, source)", axis, where, index, source);
    }

    // ---- views, as those of tensors
    /// One extent may be -1. A view where the elements stand in order, else a copy.
    Self reshape(shape const& s, location where = location::current()) const {
        return Self(reshaped_to(state(), completed<Asked>(need(), s), reshape_kind, where));
    }
    /// The same, refused where it would be a copy.
    Self view(shape const& s, location where = location::current()) const {
        if (!need().is_contiguous())
            throw error(concat("gradus::any_tensor::view(shape): the elements of ", need().described(),
                               " do not follow each other in memory: use reshape, which copies")
                            .str());
        return reshape(s, where);
    }
    Self flatten(location where = location::current()) const { return Self(flattened(state(), where)); }
    /// Axis i of the result is axis a[i].
    Self permute(axes a, location where = location::current()) const {
        if (static_cast<int>(a.all().size()) != need().rank)
            throw shape_error(concat("gradus::any_tensor::permute(axes): ", a.all().size(), " axes for ", need().described()).str());
        static_cast<void>(bits_of_axes<Asked>("permute(axes)", need(), a));
        view_places at(need());
        at.each([&](view_place& p) {
            view_place const from = p;
            for (int i = 0; i < from.rank; ++i) {
                int const axis = any_axis("permute(axes)", need(), a.all()[i]);
                p.extents[i] = from.extents[axis];
                p.strides[i] = from.strides[axis];
            }
        });
        return Self(region_of(state(), at, permute_kind, where));
    }
    Self transpose(int a, int b, location where = location::current()) const {
        view_places at(need());
        int const first = any_axis("transpose(a, b)", need(), a), second = any_axis("transpose(a, b)", need(), b);
        at.each([&](view_place& p) {
            std::swap(p.extents[first], p.extents[second]);
            std::swap(p.strides[first], p.strides[second]);
        });
        return Self(region_of(state(), at, permute_kind, where));
    }
    /// The last two axes exchanged.
    Self t(location where = location::current()) const { return need().rank < 2 ? self() : transpose(-2, -1, where); }
    Self squeeze(int axis, location where = location::current()) const {
        return Self(squeezed(state(), any_axis("squeeze(axis)", need(), axis), where));
    }
    Self unsqueeze(int axis, location where = location::current()) const {
        return Self(unsqueezed(state(), any_axis("unsqueeze(axis)", need(), axis, 1), where));
    }
    /// Repeated along axes of one element and new leading ones.
    Self broadcast_to(shape const& s, location where = location::current()) const {
        std::int64_t sizes[max_rank]{};
        int const lead = s.rank() - need().rank;
        bool good = lead >= 0 && s.is_static();
        for (int i = 0; good && i < s.rank(); ++i) {
            sizes[i] = s[i].code;
            good = i < lead || need().extents[i - lead] == sizes[i] || need().extents[i - lead] == 1;
        }
        if (!good)
            throw shape_error(
                concat("gradus::any_tensor::broadcast_to(shape): the tensor is ", need().described(), ", the shape is ", s).str());
        return Self(expanded_to(state(), s.rank(), sizes, where));
    }
    Self slice(int axis, std::int64_t start, std::int64_t stop = to_end, std::int64_t step = 1,
               location where = location::current()) const {
        return Self(sliced(state(), any_axis("slice(axis, start, stop)", need(), axis), {start, stop, step}, where));
    }
    Self select(int axis, std::int64_t index, location where = location::current()) const {
        return Self(selected(state(), any_axis("select(axis, index)", need(), axis), index, select_kind, where));
    }
    /// PyTorch's x[i, j, ...]: numbers, gr::range, gr::every, gr::ellipsis, gr::new_axis, tensors of integers and masks.
    template <class... I>
    Self index(I const&... indices) const {
        index_value const items[] = {item_of(indices)...};
        if (int const named = named_axes(items); named > need().rank)
            throw shape_error(concat("gradus::any_tensor::index(...): too many indices: the tensor is ", need().described(),
                                     ", the indices name ", named, " axes")
                                  .str());
        return Self(indexed_by<Asked>(state(), items, location::current()));
    }

    // ---- the rest
    /// Under another dtype.
    Self to(dtype type, location where = location::current()) const { return converted(self(), type, where); }
    Self contiguous(location where = location::current()) const { return need().is_contiguous() ? self() : Self(clone_of(state(), where)); }
    /// As a tensor's.
    void backward() const { start_backward<Asked>(state(), {}, nullptr); }
    void backward(backward_options const& options) const { start_backward<Asked>(state(), {}, &options); }
    void backward(Self const& gradient) const {
        tensor_ref const g = gradient.state();
        start_backward<Asked>(state(), {&g, 1}, nullptr);
    }

protected:
    Self const& self() const { return static_cast<Self const&>(*this); }
    tensor_ref const& state() const { return self().state(); }
    tensor_state& need() const {
        if (!state()) refuse_undefined();
        return *state();
    }
    static axes every_axis() { return std::initializer_list<int>{}; }
    static Self converted(Self const& x, dtype type, location where) {
        if (!x.state()) refuse_undefined();
        if (x.state()->type == type) return x;
        any_operand const operands[] = {{x.state()}};
        return Self(run_statement<op::cast, Asked>({op::cast::to(type), {}}, operands, where));
    }
    template <class Op>
    Self reduced(std::string_view call, axes const& a, bool keep, location where, bool widens = false, double value = 0) const {
        std::int64_t bits = bits_of_axes<Asked>(call, need(), a);
        if (bits == 0) bits = (std::int64_t{1} << need().rank) - 1;
        Self from = self();
        if (widens && (need().type == dtype::int32 || need().type == dtype::boolean)) from = converted(from, dtype::int64, where);
        any_operand const operands[] = {{from.state()}};
        return Self(run_statement<Op, Asked>({op::reduction_attributes(bits, keep, value), {}}, operands, where));
    }
    /// `Op` along an axis, which is the first number among its attributes.
    template <class Op, class... More>
    Self along_with(std::string_view call, int axis, location where, std::int64_t second, std::int64_t third, More const&... more) const {
        any_operand const operands[] = {{state()}, {more.state()}...};
        for (any_operand const& o : operands)
            if (!o.tensor) refuse_undefined();
        return Self(run_statement<Op, Asked>(with_numbers(any_axis(call, need(), axis), second, third), operands, where));
    }
    template <class Op, class... More>
    Self along(std::string_view call, int axis, location where, More const&... more) const {
        return along_with<Op>(call, axis, where, 0, 0, more...);
    }

private:
    template <class I>
    static index_value item_of(I const& i) {
        if constexpr (std::same_as<I, Self>) {
            if (!i.state()) refuse_undefined();
            bool const mask = i.state()->type == dtype::boolean;
            if (!mask && !is_integer(i.state()->type))
                throw error(concat("gradus::any_tensor::index(...): an index is neither a mask nor made of integers: it is ",
                                   i.state()->described())
                                .str());
            return {mask ? index_kind_t::mask : index_kind_t::integers, {}, i.state()};
        } else {
            static_assert(index_argument<I>,
                          "gradus::any_tensor::index(...): an index is a number, a range, gr::every, gr::ellipsis, "
                          "gr::new_axis, or a tensor of integers or bools");
            return value_of_index(i, location::current());
        }
    }
};

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
