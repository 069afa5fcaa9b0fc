// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/program/array.hpp>
#include <gradus/tensor/state/conversion.hpp>
#include <gradus/tensor/state/values.hpp>
#include <gradus/tensor/tape/evaluate.hpp>
#include <gradus/tensor/tape/region.hpp>
#include <gradus/tensor/tape/tape.hpp>
#include <gradus/tensor/view/drawn_in_place.hpp>
#include <gradus/tensor/view/in_place.hpp>
#include <gradus/tensor/view/indexed_write.hpp>
#include <gradus/tensor/view/indexing.hpp>

#include <array>

namespace gradus::inline GRADUS_ARCH {

/// A tensor with PyTorch's semantics: a handle, shared by its copies, of elements and their part in the tape.
///
/// `gr::tensor z = gr::matmul(x, w) + b;` computes the whole expression with fused kernels and, where an operand requires it,
/// records one node. An extent is a number or `gr::dyn` (known at run time). Default-constructed, it is undefined.
template <element T, extent... E>
class tensor : public core::written_in_place<tensor<T, E...>>,
               public core::drawn_in_place<tensor<T, E...>>,
               public core::indexed_by_all<tensor<T, E...>> {
    static_assert(sizeof...(E) <= static_cast<std::size_t>(max_rank), "gradus::tensor: at most 6 axes");
    static_assert((!E.is_named() && ...), "gradus::tensor: an extent is a number or gr::dyn; names are for symbols");
    static_assert(!gradus::shape{E...}.is_too_large(), "gradus::tensor: more elements than 64 bits count");
    using location = std::source_location;
    static constexpr bool is_static_column = sizeof...(E) == 2 && core::is_static_column({E...});

public:
    using gradus_symbolic = void;
    using value_type = T;
    static constexpr tensor_type type{dtype_of<T>, {E...}};
    static constexpr bool is_static = type.shape.is_static();
    static constexpr int weight = 1;
    static constexpr int rank() { return static_cast<int>(sizeof...(E)); }

    tensor() = default;
    tensor(tensor const&) = default;
    tensor(tensor&&) noexcept = default;
    [[gnu::always_inline]] ~tensor() = default;
    tensor& operator=(tensor const& that) & = default;
    tensor& operator=(tensor&& that) & noexcept = default;
    /// Writes the elements: `x[2] = v`, `x.slice(0, 3) = v`, `x[indices] = v`. (Assignment to a named tensor makes it another handle.)
    template <class X>
    tensor const& operator=(X const& x) const&& {
        return this->through([&] { copy_(x); });
    }
    tensor const& operator=(tensor const& x) const&& {
        return this->through([&] { copy_(x); });
    }

    /// Computes an expression.
    template <core::tensor_value X>
    tensor(X const& x, location where = location::current()) {  // NOLINT: gr::tensor z = x + y;
        if constexpr (!core::is_refused<X>) core::report<&core::conversion_complaint<type, X::type>>();
        if constexpr (core::can_hold(type, X::type)) {
            state_ = core::evaluate(x, where);
            require_type("tensor(a)");
        }
    }
    /// The same tensor under another declaration; shape_error where a number of it is not the extent.
    template <extent... F>
        requires(!std::is_same_v<tensor<T, F...>, tensor>)
    tensor(tensor<T, F...> const& that) : state_(that.state()) {  // NOLINT: a static tensor is a dynamic one
        core::report<&core::conversion_complaint<type, tensor<T, F...>::type>>();
        require_type("tensor(a)");
    }
    /// A copy of an array's elements.
    tensor(array<T, E...> const& values) : tensor(values.shape(), values.data()) {}  // NOLINT: a tensor is an array and more
    /// The elements in memory order; shape_error unless there are as many.
    tensor(std::initializer_list<T> values)
        requires((is_static || sizeof...(E) == 1) && !is_static_column)
        : tensor(core::shape_holding<type>(static_cast<std::int64_t>(values.size())), values.begin()) {}
    template <std::convertible_to<T> U>  // `{{1}, {2}}` would fit the one above and the one below
        requires is_static_column
    tensor(std::initializer_list<U> values) : tensor(values.begin(), values.end()) {}
    /// The elements nested by axis: `{{1, 2}, {3, 4}}`.
    tensor(std::initializer_list<std::initializer_list<T>> values)
        requires(sizeof...(E) == 2)
        : tensor(core::nested_list<T>::shape_of(values), nullptr) {
        core::nested_list<T>::copy(data(), state_->shape(), values);
    }
    tensor(std::initializer_list<std::initializer_list<std::initializer_list<T>>> values)
        requires(sizeof...(E) == 3)
        : tensor(core::nested_list<T>::shape_of(values), nullptr) {
        core::nested_list<T>::copy(data(), state_->shape(), values);
    }
    /// A copy of contiguous data in memory order: std::vector, std::array, std::span, a C array. One extent may be found out.
    template <core::flat_data_of<T> Data>
    explicit tensor(Data const& values) : tensor(core::shape_holding<type>(core::data_size(values)), core::elements_of(values)) {
        core::report<&core::count_complaint<type, core::data_traits<Data const>::static_size>>();
    }
    /// The elements of a range in memory order, converted to T.
    template <std::input_iterator I, std::sentinel_for<I> S>
    tensor(I first, S last) : tensor(core::collected<T>(std::move(first), last)) {}
    explicit tensor(core::tensor_ref state) : state_(std::move(state)) {}
    /// A tensor of a shape that fits the declared one, with a copy of `values` or (null) its elements not yet written.
    tensor(gradus::shape const& s, T const* values) {
        std::int64_t extents[max_rank]{};
        for (int i = 0; i < s.rank(); ++i) extents[i] = s[i].code;
        state_ = core::make_state(type.type, s.rank(), extents);
        require_type("tensor(shape)");
        if (values && size()) std::memcpy(data(), values, static_cast<std::size_t>(state_->bytes()));
    }

    // ---- what it is

    bool defined() const { return static_cast<bool>(state_); }
    static constexpr gradus::shape shape()
        requires is_static
    {
        return type.shape;
    }
    gradus::shape shape() const
        requires(!is_static)
    {
        return need().shape();
    }
    std::int64_t size() const { return need().size(); }
    std::int64_t size(int axis) const { return need().extents[core::axis_in("tensor::size(axis)", *state_, axis)]; }
    static constexpr gradus::dtype dtype() { return type.type; }
    /// The first element; the others follow row by row only if is_contiguous().
    T* data() const { return state_ ? reinterpret_cast<T*>(state_->data) : nullptr; }
    bool is_contiguous() const { return need().is_contiguous(); }
    std::int64_t stride(int axis) const { return need().stride(core::axis_in("tensor::stride(axis)", *state_, axis)); }
    T* begin() const { return require_contiguous(), data(); }
    T* end() const { return begin() + size(); }
    /// All elements in memory order.
    std::span<T> values() const { return {begin(), static_cast<std::size_t>(size())}; }
    /// The element at one index per axis, read; shape_error where there is none.
    template <std::integral... I>
        requires(sizeof...(I) == sizeof...(E))
    T operator()(I... index) const {
        core::tensor_state const& t = need();
        std::int64_t const at[] = {static_cast<std::int64_t>(index)..., 0};
        std::int64_t offset = 0;
        for (int axis = 0; axis < rank(); ++axis) {
            if (at[axis] < 0 || at[axis] >= t.extents[axis]) core::refuse_index("tensor::operator()(i...)", t, at[axis], axis);
            offset += at[axis] * t.stride(axis);
        }
        return data()[offset];
    }
    /// The only element.
    T item() const {
        if (size() != 1)
            throw error(core::concat("gradus::tensor::item(): a tensor with ", size(), " elements cannot be converted to a number").str());
        return *data();
    }
    /// A scalar is a number: `double d = t`, `total += loss`.
    operator T() const  // NOLINT: as said
        requires(sizeof...(E) == 0)
    {
        return item();
    }
    /// A copy of the elements as a value.
    array<T, E...> to_array() const {
        array<T, E...> values(uninitialized, need().shape());
        tensor const source = contiguous();
        if (size()) std::memcpy(values.data(), source.data(), static_cast<std::size_t>(need().bytes()));
        return values;
    }

    // ---- its part in the tape

    bool requires_grad() const { return need().is_recorded(); }
    /// Asks for a gradient of this leaf, or no longer does.
    tensor requires_grad_(bool on = true) const {
        core::report<&core::requires_grad_complaint<type>>();
        core::require_grad(need(), on);
        return *this;
    }
    bool is_leaf() const { return !history().node; }
    /// What computed it; null for leaves.
    grad_function grad_fn() const { return grad_function(history().node ? core::edge{state_->node, {}, state_->output} : core::edge{}); }
    /// The gradient that backward passes have collected, undefined if there is none.
    tensor grad() const {
        if (history().node && !state_->retains_grad && !state_->grad)
            core::warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated "
                "during autograd.backward(). If you indeed want the .grad field to be "
                "populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, "
                "make sure you access the leaf Tensor instead.");
        return tensor(state_->grad);
    }
    /// Replaces the gradient; undefined drops it. Throws if it is not like this tensor.
    void set_grad(tensor const& gradient) const {
        if (gradient.state_.get() == state_.get() && state_) throw autograd_error("can't assign Variable as its own grad");
        if (gradient.defined() && !(gradient.state_->described() == need().described()))
            core::refuse_type("tensor::set_grad(g)", *gradient.state_, need().described());
        core::replace_gradient(need(), gradient.state_);
    }
    void zero_grad() const { core::replace_gradient(need(), {}); }
    /// Keeps the gradient of this computed tensor too.
    void retain_grad() const {
        if (!need().is_recorded()) throw autograd_error("can't retain_grad on Tensor that has requires_grad=False");
        if (!state_->node || state_->retains_grad) return;
        core::locked held(state_->node->lock);
        state_->node->more().retaining.push_back(state_.get());
        state_->retains_grad = true;
    }
    bool retains_grad() const { return need().retains_grad; }
    /// Adds the derivatives of this tensor to the gradients of the leaves that it depends on; from any number of threads, and
    /// from hooks. An exception of a hook or a function comes out as it is, and no gradient has changed.
    void backward(backward_options const& options = {}) const {
        core::tensor_ref root = state_;
        core::backward(core::array_view(&root, 1),
                       options.gradient.defined() ? core::array_view(&options.gradient, 1) : core::array_view<any_tensor const>(), options);
    }
    void backward(any_tensor const& gradient, backward_options options = {}) const {
        options.gradient = gradient;
        backward(options);
    }
    /// The same elements in the same memory, not recorded.
    tensor detach() const {
        need();
        return tensor(core::detached(*state_));
    }
    /// Forgets what computed it.
    tensor detach_() const {
        if (history().extras && state_->extras->base)
            throw autograd_error(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and "
                "gradient_as_bucket_view is set as True, gradients are views of DDP buckets.");
        core::forget_history(*state_);
        return *this;
    }
    /// A copy in memory of its own; its derivative is this tensor's.
    tensor clone(location where = location::current()) const { return tensor(core::clone_of(state_, where)); }
    tensor contiguous(location where = location::current()) const { return is_contiguous() ? *this : clone(where); }
    /// How often its memory was written to in place.
    std::uint32_t version() const { return need().memory->written_times(); }

    /// Calls `f(gradient)` when a backward pass has the gradient of this tensor, hooks in the order of registration; what f
    /// returns (a tensor) replaces it. The hook is about what the tensor is now: a later in-place operation leaves it there.
    template <class F>
    hook_handle register_hook(F f) const {
        return core::add_hook(need(),
                              [f = std::move(f)](core::array_view<core::tensor_ref> gradient, core::array_view<core::tensor_ref const>) {
                                  if constexpr (std::is_void_v<std::invoke_result_t<F const&, tensor>>) f(tensor(gradient[0]));
                                  else if (tensor replaced = f(tensor(gradient[0])); replaced.defined())
                                      gradient[0] = core::checked_replacement(gradient[0], replaced.contiguous().state());
                              });
    }
    /// Calls `f(leaf)` after a backward pass has added to the gradient of this leaf.
    template <class F>
    hook_handle register_post_accumulate_grad_hook(F f) const {
        return core::add_leaf_hook(need(), [f = std::move(f)](core::array_view<core::tensor_ref> leaf,
                                                              core::array_view<core::tensor_ref const>) { f(tensor(leaf[0])); });
    }

    // ---- views: other looks at the same memory

    template <extent... F>
    auto reshape(location where = location::current()) const {
        return viewed(gradus::reshape<F...>(*this), where);
    }
    auto flatten(location where = location::current()) const {
        return tensor<T, (is_static ? extent(type.shape.static_size()) : dyn)>(core::flattened(state_, where));
    }
    template <int... Axes>
    auto transpose(location where = location::current()) const {
        return viewed(gradus::transpose<Axes...>(*this), where);
    }
    /// The matrix with its last two axes exchanged, or with all axes reversed.
    auto t(location where = location::current()) const { return viewed(gradus::transpose<>(*this), where); }
    /// Repeated along axes of extent 1 and along new leading axes, without a copy.
    template <extent... F>
    auto expand(location where = location::current()) const {
        return viewed(gradus::broadcast_to<F...>(*this), where);
    }
    /// Without an axis of one element; shape_error where run time finds more.
    template <int Axis>
    auto squeeze(location where = location::current()) const {
        constexpr int axis = checked_axis<Axis, sizeof...(E)>();
        static_assert(axis >= static_cast<int>(sizeof...(E)) || !type.shape[axis].is_static() || type.shape[axis].code == 1,
                      "gradus::tensor::squeeze<axis>(): the axis has more than one element");
        return core::declared_as<core::without_axis(type, axis)>(core::squeezed(state_, axis, where));
    }
    /// With another axis, of one element: it is axis `Axis` of the result.
    template <int Axis>
    auto unsqueeze(location where = location::current()) const {
        constexpr int axis = checked_axis<Axis, sizeof...(E) + 1>();
        return core::declared_as<core::with_axis(type, axis, 1)>(core::unsqueezed(state_, axis, where));
    }
    template <std::int64_t Start, std::int64_t Stop, std::int64_t Step = 1, int Axis = 0>
    auto slice(location where = location::current()) const {
        return viewed(gradus::slice<Start, Stop, Step, Axis>(*this), where);
    }
    /// Elements start, start + step, ... before stop along an axis, known at run time; negative ones count from the end, what leaves the
    /// axis is clamped.
    template <int Axis = 0>
    auto slice(std::int64_t start, std::int64_t stop = to_end, std::int64_t step = 1, location where = location::current()) const {
        constexpr int axis = checked_axis<Axis, sizeof...(E)>();
        return core::declared_as<core::with_extent(type, axis, dyn)>(core::sliced(state_, axis, {start, stop, step}, where));
    }
    /// `length` elements from `start` on.
    template <int Axis = 0>
    auto narrow(std::int64_t start, std::int64_t length, location where = location::current()) const {
        std::int64_t const n = size(Axis), first = start < 0 ? start + n : start;
        if (first < 0 || first > n)
            core::refuse_index("tensor::narrow(start, length)", *state_, start,
                               core::axis_in("tensor::narrow(start, length)", *state_, Axis));
        if (length < 0 || length > n - first)
            throw shape_error(core::concat("gradus::tensor::narrow(start, length): there are no ", length, " elements from ", start,
                                           " on: the tensor is ", state_->described())
                                  .str());
        return slice<Axis>(first, first + length, 1, where);
    }
    /// Element `index` of an axis, which is gone then.
    template <int Axis = 0>
    auto select(std::int64_t index, location where = location::current()) const {
        constexpr int axis = checked_axis<Axis, sizeof...(E)>();
        return core::declared_as<core::without_axis(type, axis)>(core::selected(state_, axis, index, core::select_kind, where));
    }
    /// `x[1]`, `x[1][2]`, written by assignment: `x[1] = v`.
    template <std::integral I>
        requires(sizeof...(E) > 0)
    auto operator[](I index) const {
        return select<0>(static_cast<std::int64_t>(index));
    }
    /// `x[indices]`, `x[x > 0]`: the elements of axis 0 that integers name, or those where a mask is true, a copy; see index.
    /// `x[indices] = v`, `+=` and so on write to x; of equal indices the last one's value stays.
    template <run_time_operand I>
        requires(sizeof...(E) > 0)
    auto operator[](I const& indices) const {
        return this->index(indices);
    }
    /// All elements of an axis of known extent, an array of views.
    template <int Axis = 0>
    auto unbind(location where = location::current()) const {
        constexpr int axis = checked_axis<Axis, sizeof...(E)>();
        static_assert(axis >= static_cast<int>(sizeof...(E)) || type.shape[axis].is_static(),
                      "gradus::tensor::unbind<axis>(): the extent of the axis is known at run time only");
        std::array<decltype(core::declared_as<core::without_axis(type, axis)>({})), static_cast<std::size_t>(type.shape[axis].code)> views;
        for (std::size_t i = 0; i < views.size(); ++i) {
            views[i] = core::declared_as<core::without_axis(type, axis)>(
                core::selected(state_, axis, static_cast<std::int64_t>(i), core::unbind_kind, where));
            views[i].state()->extras->origin = core::view_origin::several;
        }
        return views;
    }

    // ---- in place

    /// Writes a number, or a tensor or an expression that broadcasts to this shape, over the elements.
    template <class X>
    tensor const& copy_(X const& x, location where = location::current()) const {
        if constexpr (std::is_arithmetic_v<X>) return fill_(static_cast<T>(x));
        else return core::copy_from(*this, x, where), *this;
    }
    tensor const& fill_(T value) const { return core::fill_in_place(state_, &value), *this; }
    tensor const& zero_() const { return fill_(T{}); }

    core::tensor_ref const& state() const { return state_; }

private:
    explicit tensor(core::list<T> const& values) : tensor(core::shape_holding<type>(values.size()), values.begin()) {}
    core::tensor_state& need() const {
        if (!state_) core::refuse_undefined();
        return *state_;
    }
    /// The state, its part in the tape up to date.
    core::tensor_state& history() const { return need().update_history(), *state_; }
    template <int Axis, std::size_t Rank>
    static constexpr int checked_axis() {
        constexpr int axis = static_cast<int>(core::axis_of(Axis, static_cast<int>(Rank)));
        static_assert(axis < static_cast<int>(Rank), "gradus::tensor: no such axis");
        return axis;
    }
    void require_type(std::string_view call) const {
        if (state_ && !core::fits(*state_, type)) core::refuse_type(call, *state_, type);
    }
    void require_contiguous() const {
        if (!need().is_contiguous())
            throw error("gradus::tensor: the elements of this view do not follow each other in memory: use contiguous() or clone()");
    }
    template <class X>
    static auto viewed(X const& x, location where) {
        return typename X::tensor_type_of(core::view_of(x, where));
    }

    core::tensor_ref state_;
};

/// Throws where the tape does not allow to write over the elements: leaves that require a gradient, while the thread records.
template <element T, extent... E>
void require_writable(tensor<T, E...> const& t) {
    if (t.defined()) core::require_writable(t.state());
}

}  // namespace gradus::inline GRADUS_ARCH

#include <gradus/tensor/state/guides.hpp>  // last: it says what `tensor` without arguments is
