// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/nn/state_dict.hpp>
#include <gradus/tensor/state/factories.hpp>

// What an optimiser remembers and what it was told, as tensors by name. A struct tells its fields by a function
// `static void visit(auto& self, auto const& f)`, which calls f(name, field) for tensors, numbers, bools and enumerators.

namespace gradus::inline GRADUS_ARCH::optim {

/// Zeros to remember of a parameter; of one of 16 bits in float, as small shares of what is remembered change.
inline any_tensor zeros_for(any_tensor const& p) {
    return any_tensor(core::zeros_like(computed_in(p.dtype()), p.rank(), p.state()->extents));
}
/// Throws autograd_error for a computed tensor, error for a tensor that comes twice or has gaps.
template <class Asked = void>
void check_parameters(std::vector<any_tensor> const& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!all[i].is_leaf()) throw autograd_error("gradus::optim: can't optimize a non-leaf Tensor");
        if (!is_floating(all[i].dtype()))
            throw error(
                core::concat("gradus::optim: only tensors of floating point can be optimized: a parameter is ", all[i].state()->described())
                    .str());
        if (!all[i].is_contiguous()) throw error("gradus::optim: a parameter is a view whose elements do not follow each other in memory");
        for (std::size_t k = 0; k < i; ++k)
            if (all[k] == all[i]) throw error("gradus::optim: a parameter appears twice in the list");
    }
}

/// Drops the gradients of all parameters, or fills them with zeros (none if memory is refused).
inline void zero_gradients(std::vector<any_tensor> const& parameters, bool set_to_none) {
    if (set_to_none) {
        for (any_tensor const& p : parameters) p.zero_grad();
        return;
    }
    core::list<core::tensor_ref> fresh(static_cast<int>(parameters.size()));
    for (int i = 0; i < fresh.size(); ++i) fresh[i] = core::fresh_zeros(parameters[static_cast<std::size_t>(i)].state()->grad);
    for (int i = 0; i < fresh.size(); ++i) core::set_to_zero(*parameters[static_cast<std::size_t>(i)].state(), std::move(fresh[i]));
}

inline any_tensor as_tensor(double x) { return full<double>(x); }
inline any_tensor as_tensor(std::int64_t x) { return full<std::int64_t>(x); }
inline any_tensor as_tensor(int x) { return full<std::int64_t>(x); }
inline any_tensor as_tensor(bool x) { return full<bool>(x); }
template <class E>
    requires std::is_enum_v<E>
any_tensor as_tensor(E x) {
    return as_tensor(static_cast<int>(x));
}

/// Appends the fields of a struct that have values.
template <class S>
void entries_of(S const& s, std::string const& path, nn::tensor_dict& to) {
    S::visit(s, [&]<class X>(char const* name, X const& x) {
        if constexpr (!std::is_same_v<X, any_tensor>) to.emplace_back(path + name, as_tensor(x));
        else if (x.defined()) to.emplace_back(path + name, x);
    });
}
/// Tensors that a dict is loaded into, and the numbers that these are handed on to.
struct fields {
    nn::tensor_dict into;
    core::list<core::callback<>> numbers;

    template <class S>
    void expect(S& s, std::string const& path) {
        S::visit(s, [&]<class X>(char const* name, X& x) {
            if constexpr (std::is_same_v<X, any_tensor>) {
                if (x.defined()) into.emplace_back(path + name, x);
            } else {
                any_tensor const from = as_tensor(x);
                into.emplace_back(path + name, from);
                numbers.push_back([from, &x] { x = static_cast<X>(from.item()); });
            }
        });
    }
    void take() const {
        for (core::callback<> const& number : numbers) number();
    }
};

}  // namespace gradus::inline GRADUS_ARCH::optim
