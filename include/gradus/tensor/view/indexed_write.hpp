// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/view/in_place.hpp>
#include <gradus/tensor/view/index.hpp>

// `x[indices] = v` and `x[indices] += v`: x[indices] is a copy that knows where it comes from, and what is assigned to it before it
// has a name is written there. Of indices that are equal the last one's value stays; each has the derivative of the element that it
// names, as PyTorch's index_put_ has it.

namespace gradus::inline GRADUS_ARCH::core {

/// `g` with zeros in the rows that indices name.
inline tensor_ref without_picked(tensor_ref const& g, index_node const& n);

inline constexpr node_kind without_picked_kind{
    "IndexFillBackward0",
    [](tape_node& n, backward_call& call) { call.gradients[0] = without_picked(call.cotangents[0], static_cast<index_node&>(n)); },
    &node_block<index_node>::destroy};
inline tensor_ref without_picked(tensor_ref const& g, index_node const& n) {
    tensor_ref made = contiguous_copy(*g);
    std::int64_t const size = size_of(n.type);
    each_index(n, saved_indices(n), [&](std::int64_t whole, std::int64_t, std::int64_t row) {
        std::memset(made->data + whole * size, 0, static_cast<std::size_t>(row * size));
    });
    enter_same(made, g, n, without_picked_kind);
    return made;
}
inline constexpr node_kind index_put_kind{"IndexPutBackward0",
                                          [](tape_node& base, backward_call& call) {
                                              auto& n = static_cast<index_node&>(base);
                                              if (call.wants(0)) call.gradients[0] = without_picked(call.cotangents[0], n);
                                              if (call.wants(1)) call.gradients[1] = picked_by(call.cotangents[0], n);
                                          },
                                          &node_block<index_node>::destroy};

inline constexpr node_kind index_add_to_kind{"IndexPutBackward0",
                                             [](tape_node& base, backward_call& call) {
                                                 auto& n = static_cast<index_node&>(base);
                                                 if (call.wants(0)) call.gradients[0] = call.cotangents[0];
                                                 if (call.wants(1)) call.gradients[1] = picked_by(call.cotangents[0], n);
                                             },
                                             &node_block<index_node>::destroy};

/// t[source.indices] = values or, accumulating, +=; the values are contiguous and of the shape that the indices pick.
inline void put_at(index_source const& source, tensor_ref const& values, std::source_location where, bool accumulate = false) {
    tensor_ref const& t = source.whole;
    tensor_ref const names = overlap(*t, *source.indices) ? contiguous_copy(*source.indices) : source.indices;
    node_ref const owner(node_block<index_node>::make(accumulate ? index_add_to_kind : index_put_kind, 2, 1, 0, *t, *names, source.axis,
                                                      false, source.taken_as_one));
    auto& n = static_cast<index_node&>(*owner);
    require_indices("tensor::operator[](indices)", *t, source.axis, n, names->data);
    bool const from_recorded = is_recording(values);
    node_ref const written = from_recorded || (modes.records && is_recorded_memory(*t)) ? owner : node_ref{};
    if (written) {
        n.save(0, *names);
        n.connect(0, edge_of(t));
        if (from_recorded) n.connect(1, edge_of(values));
        n.file = where.file_name();
        n.line = where.line();
    }
    tensor_ref const to = t->is_contiguous() ? t : contiguous_copy(*t);
    history_of_write history(t, written, 0);
    if (accumulate) add_to_picked(n, names->data, values->data, to->data);
    else
        each_index(n, static_cast<void const*>(names->data), [&](std::int64_t whole, std::int64_t picked, std::int64_t row) {
            std::int64_t const size = size_of(t->type);
            std::memcpy(to->data + whole * size, values->data + picked * size, static_cast<std::size_t>(row * size));
        });
    if (to.get() != t.get()) copy_elements(t->type, to->data, view_place(*to), t->data, view_place(*t));
    history.take_effect();
}

/// Remembers where a copy was picked from, for an assignment to it.
inline tensor_ref picked_from(index_source from, std::source_location where) {
    tensor_ref made = indexed(from.whole, from.axis, from.indices, index_kind, where, from.taken_as_one);
    forget_source(*from.whole);  // it has a name now
    if (!from.indices->is_contiguous()) from.indices = contiguous_copy(*from.indices);
    made->more().picked_from.make() = std::move(from);
    return made;
}
/// Runs `write`, which writes to `t`, a tensor without a name; then the tensor that it was picked from holds what `t` does.
void write_through(tensor_ref const& t, std::source_location where, auto const& write) {
    own<index_source> source;
    if (t) take_source(*t, source);
    if (source) require_writable(source->whole);
    write();
    if (source) put_at(*source, t, where);
}

/// What tensors do in place.
template <class Tensor>
struct written_in_place {
    using location = std::source_location;

    template <class X>
    Tensor const& operator+=(X const& x) const& {
        return update(self() + x);
    }
    template <class X>
    Tensor const& operator-=(X const& x) const& {
        return update(self() - x);
    }
    template <class X>
    Tensor const& operator*=(X const& x) const& {
        return update(self() * x);
    }
    template <class X>
    Tensor const& operator/=(X const& x) const& {
        return update(self() / x);
    }
    // The same for views, and for x[indices], which is written to x.
    template <class X>
    Tensor const& operator+=(X const& x) const&& {
        return through([&] { *this += x; });
    }
    template <class X>
    Tensor const& operator-=(X const& x) const&& {
        return through([&] { *this -= x; });
    }
    template <class X>
    Tensor const& operator*=(X const& x) const&& {
        return through([&] { *this *= x; });
    }
    template <class X>
    Tensor const& operator/=(X const& x) const&& {
        return through([&] { *this /= x; });
    }
    template <class X>
    Tensor const& add_(X const& x, location where = location::current()) const {
        return update(self() + x, where);
    }
    template <class X>
    Tensor const& sub_(X const& x, location where = location::current()) const {
        return update(self() - x, where);
    }
    template <class X>
    Tensor const& mul_(X const& x, location where = location::current()) const {
        return update(self() * x, where);
    }
    template <class X>
    Tensor const& div_(X const& x, location where = location::current()) const {
        return update(self() / x, where);
    }
    template <class X>
    Tensor const& pow_(X const& x, location where = location::current()) const {
        return update(pow(self(), x), where);
    }
    Tensor const& neg_(location where = location::current()) const { return update(neg(self()), where); }
    Tensor const& abs_(location where = location::current()) const { return update(abs(self()), where); }
    Tensor const& square_(location where = location::current()) const { return update(square(self()), where); }
    Tensor const& exp_(location where = location::current()) const { return update(exp(self()), where); }
    Tensor const& log_(location where = location::current()) const { return update(log(self()), where); }
    Tensor const& sqrt_(location where = location::current()) const { return update(sqrt(self()), where); }
    Tensor const& rsqrt_(location where = location::current()) const { return update(rsqrt(self()), where); }
    Tensor const& sin_(location where = location::current()) const { return update(sin(self()), where); }
    Tensor const& cos_(location where = location::current()) const { return update(cos(self()), where); }
    Tensor const& tanh_(location where = location::current()) const { return update(tanh(self()), where); }
    Tensor const& sigmoid_(location where = location::current()) const { return update(sigmoid(self()), where); }
    Tensor const& relu_(location where = location::current()) const { return update(relu(self()), where); }
    Tensor const& log1p_(location where = location::current()) const { return update(log1p(self()), where); }
    Tensor const& expm1_(location where = location::current()) const { return update(expm1(self()), where); }
    Tensor const& exp2_(location where = location::current()) const { return update(exp2(self()), where); }
    Tensor const& log2_(location where = location::current()) const { return update(log2(self()), where); }
    Tensor const& log10_(location where = location::current()) const { return update(log10(self()), where); }
    Tensor const& tan_(location where = location::current()) const { return update(tan(self()), where); }
    Tensor const& sinh_(location where = location::current()) const { return update(sinh(self()), where); }
    Tensor const& cosh_(location where = location::current()) const { return update(cosh(self()), where); }
    Tensor const& asin_(location where = location::current()) const { return update(asin(self()), where); }
    Tensor const& acos_(location where = location::current()) const { return update(acos(self()), where); }
    Tensor const& atan_(location where = location::current()) const { return update(atan(self()), where); }
    Tensor const& erf_(location where = location::current()) const { return update(erf(self()), where); }
    Tensor const& erfc_(location where = location::current()) const { return update(erfc(self()), where); }
    Tensor const& floor_(location where = location::current()) const { return update(floor(self()), where); }
    Tensor const& ceil_(location where = location::current()) const { return update(ceil(self()), where); }
    Tensor const& round_(location where = location::current()) const { return update(round(self()), where); }
    Tensor const& trunc_(location where = location::current()) const { return update(trunc(self()), where); }
    Tensor const& sign_(location where = location::current()) const { return update(sign(self()), where); }
    Tensor const& reciprocal_(location where = location::current()) const { return update(reciprocal(self()), where); }
    Tensor const& nan_to_num_(location where = location::current()) const { return update(nan_to_num(self()), where); }
    template <class X>
    Tensor const& atan2_(X const& x, location where = location::current()) const {
        return update(atan2(self(), x), where);
    }
    template <class X>
    Tensor const& fmod_(X const& x, location where = location::current()) const {
        return update(fmod(self(), x), where);
    }
    template <class X>
    Tensor const& remainder_(X const& x, location where = location::current()) const {
        return update(remainder(self(), x), where);
    }
    template <class X>
    Tensor const& copysign_(X const& x, location where = location::current()) const {
        return update(copysign(self(), x), where);
    }
    template <class X>
    Tensor const& xlogy_(X const& x, location where = location::current()) const {
        return update(xlogy(self(), x), where);
    }
    template <class X>
    Tensor const& hypot_(X const& x, location where = location::current()) const {
        return update(hypot(self(), x), where);
    }
    template <class L, class H>
    Tensor const& clamp_(L const& low, H const& high, location where = location::current()) const {
        return update(clamp(self(), low, high), where);
    }
    template <class B, class W>
    Tensor const& lerp_(B const& b, W const& w, location where = location::current()) const {
        return update(lerp(self(), b, w), where);
    }
    template <class A, class B>
    Tensor const& addcmul_(A const& a, B const& b, location where = location::current()) const {
        return update(addcmul(self(), a, b), where);
    }

protected:
    Tensor const& self() const { return static_cast<Tensor const&>(*this); }
    Tensor const& through(auto const& write, location where = location::current()) const {
        return write_through(self().state(), where, write), self();
    }

private:
    template <class X>
    Tensor const& update(X const& x, location where = location::current()) const {
        return update_in_place(self(), x, where), self();
    }
};

}  // namespace gradus::inline GRADUS_ARCH::core
