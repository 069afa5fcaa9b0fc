// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/any/several_results.hpp>
#include <gradus/tensor/view/drawn_in_place.hpp>

// What writes over the elements of a tensor whose type only run time knows. Dtype and shape stay: a result that another kind of number
// holds (a fraction, written to integers) is refused, as in PyTorch; wider ones are rounded.

namespace gradus::inline GRADUS_ARCH::core {

template <class Self, class Asked = when<Self, void>>
struct run_time_updates : operations_of_several_results<Self, Asked>, drawn_in_place<Self> {
    using location = std::source_location;

    template <class X>
    Self const& operator+=(X const& x) const {
        return add_(x);
    }
    template <class X>
    Self const& operator-=(X const& x) const {
        return sub_(x);
    }
    template <class X>
    Self const& operator*=(X const& x) const {
        return mul_(x);
    }
    template <class X>
    Self const& operator/=(X const& x) const {
        return div_(x);
    }
    template <class X>
    Self const& add_(X const& x, location where = location::current()) const {
        return update(add(this->self(), x), where);
    }
    template <class X>
    Self const& sub_(X const& x, location where = location::current()) const {
        return update(sub(this->self(), x), where);
    }
    template <class X>
    Self const& mul_(X const& x, location where = location::current()) const {
        return update(mul(this->self(), x), where);
    }
    template <class X>
    Self const& div_(X const& x, location where = location::current()) const {
        return update(div(this->self(), x), where);
    }
    template <class X>
    Self const& pow_(X const& x, location where = location::current()) const {
        return update(apply<op::pow>(this->self(), x), where);
    }
    template <class L, class H>
    Self const& clamp_(L const& low, H const& high, location where = location::current()) const {
        return update(apply<op::clamp>(this->self(), low, high), where);
    }
    /// A number where the mask, which broadcasts, is true.
    template <class X>
    Self const& masked_fill_(Self const& mask, X const& value, location where = location::current()) const {
        return update(apply<op::where>(mask, value, this->self()), where);
    }
    /// source[i, j] is added to x[index[i, j], j] for axis 0, and so on; equal indices add up.
    Self const& scatter_add_(int axis, Self const& index, Self const& source, location where = location::current()) const {
        return update(this->scatter_add(axis, index, source, where), where);
    }
    Self const& neg_(location where = location::current()) const { return updated<op::neg>(where); }
    Self const& abs_(location where = location::current()) const { return updated<op::abs>(where); }
    Self const& square_(location where = location::current()) const { return updated<op::square>(where); }
    Self const& exp_(location where = location::current()) const { return updated<op::exp>(where); }
    Self const& log_(location where = location::current()) const { return updated<op::log>(where); }
    Self const& sqrt_(location where = location::current()) const { return updated<op::sqrt>(where); }
    Self const& rsqrt_(location where = location::current()) const { return updated<op::rsqrt>(where); }
    Self const& sin_(location where = location::current()) const { return updated<op::sin>(where); }
    Self const& cos_(location where = location::current()) const { return updated<op::cos>(where); }
    Self const& tanh_(location where = location::current()) const { return updated<op::tanh>(where); }
    Self const& sigmoid_(location where = location::current()) const { return updated<op::sigmoid>(where); }
    Self const& relu_(location where = location::current()) const { return updated<op::relu>(where); }
    Self const& log1p_(location where = location::current()) const { return updated<op::log1p>(where); }
    Self const& expm1_(location where = location::current()) const { return updated<op::expm1>(where); }
    Self const& floor_(location where = location::current()) const { return updated<op::floor>(where); }
    Self const& ceil_(location where = location::current()) const { return updated<op::ceil>(where); }
    Self const& round_(location where = location::current()) const { return updated<op::round>(where); }
    Self const& trunc_(location where = location::current()) const { return updated<op::trunc>(where); }
    Self const& sign_(location where = location::current()) const { return updated<op::sign>(where); }
    Self const& reciprocal_(location where = location::current()) const { return updated<op::reciprocal>(where); }

    /// Writes a tensor that broadcasts, of any dtype, over the elements.
    Self const& copy_(Self const& x, location where = location::current()) const {
        write_through(this->state(), where,
                      [&] { copy_in_place(this->state(), this->converted(x, this->need().type, where).state(), where); });
        return this->self();
    }
    Self const& fill_(double value) const {
        write_through(this->state(), location::current(), [&] {
            with_dtype(this->need().type, [&]<class T>(T) {
                auto const of_type = static_cast<T>(static_cast<computed_t<dtype_of<T>>>(value));
                fill_in_place(this->state(), &of_type);
            });
        });
        return this->self();
    }
    Self const& zero_() const { return fill_(0); }

private:
    template <class Op>
    Self const& updated(location where) const {
        return update(apply<Op>(this->self()), where);
    }
    Self const& update(Self const& result, location where) const {
        tensor_ref const& t = this->state();
        dtype const from = result.dtype(), to = this->need().type;
        if ((is_floating(from) && !is_floating(to)) || (from != dtype::boolean && to == dtype::boolean))
            throw error(concat("gradus::any_tensor: an in-place operation does not change the type: the tensor is ", t->described(),
                               ", the result is ", result.state()->described())
                            .str());
        write_through(t, where, [&] {
            require_writable(t);
            Self const typed = this->converted(result, to, where);
            require_shape(*t, typed.state()->rank, typed.state()->extents);
            write_over(t, typed.state());
        });
        return this->self();
    }
};

}  // namespace gradus::inline GRADUS_ARCH::core
