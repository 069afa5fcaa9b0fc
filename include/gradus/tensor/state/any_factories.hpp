// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/program/bind.hpp>
#include <gradus/tensor/state/any_tensor.hpp>

#include <memory>

// Tensors whose dtype and shape only run time knows, made from nothing or of foreign memory.

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// The extents of a shape as a state has them. Throws shape_error for a shape or a dtype that run time has to know first.
struct run_time_extents_of {
    std::int64_t n[max_rank]{};

    run_time_extents_of(std::string_view call, gradus::shape const& s, dtype type) {
        for (int i = 0; i < s.rank(); ++i) n[i] = s[i].code;
        if (!s.is_static() || type == dtype::number)
            throw shape_error(concat("gradus::", call, ": the type of a tensor is known when it is made: ", tensor_type{type, s}).str());
        std::int64_t product = size_of(type);
        bool overflows = false;
        for (int i = 0; i < s.rank(); ++i)
            if (n[i]) overflows = __builtin_mul_overflow(product, n[i], &product) || overflows;
        if (overflows) refuse_size(s);
    }
};

}  // namespace core

/// A tensor with elements not yet written: `gr::empty(gr::shape{7, 5}, gr::dtype::float32)`.
inline any_tensor empty(shape const& s, dtype type) {
    core::run_time_extents_of const extents("empty(shape, dtype)", s, type);
    return any_tensor(core::make_state(type, s.rank(), extents.n));
}
/// Uniform in [0, 1), normal, and whole numbers in [low, high): `gr::randn(gr::shape{7, 5}, gr::dtype::float32)`.
template <class Asked = void>
any_tensor rand(shape const& s, dtype type, random& source = default_random()) {
    return empty(s, type).uniform_(0, 1, source);
}
template <class Asked = void>
any_tensor randn(shape const& s, dtype type, random& source = default_random()) {
    return empty(s, type).normal_(0, 1, source);
}
template <class Asked = void>
any_tensor randint(std::int64_t low, std::int64_t high, shape const& s, dtype type, random& source = default_random()) {
    return empty(s, type).random_(low, high, source);
}
/// Tensors like another one in dtype and shape.
template <class Asked = void>
any_tensor empty_like(any_tensor const& t) {
    if (!t.defined()) core::refuse_undefined();
    return any_tensor(core::make_state(t.dtype(), t.rank(), t.state()->extents));
}
template <class Asked = void>
any_tensor full_like(any_tensor const& t, double value) {
    return empty_like(t).fill_(value);
}
template <class Asked = void>
any_tensor zeros_like(any_tensor const& t) {
    return full_like(t, 0);
}
template <class Asked = void>
any_tensor ones_like(any_tensor const& t) {
    return full_like(t, 1);
}
template <class Asked = void>
any_tensor rand_like(any_tensor const& t, random& source = default_random()) {
    return empty_like(t).uniform_(0, 1, source);
}
template <class Asked = void>
any_tensor randn_like(any_tensor const& t, random& source = default_random()) {
    return empty_like(t).normal_(0, 1, source);
}

/// A tensor of foreign memory: `deleter(data)` is called when the last tensor and the last saved value that show the memory are
/// gone. If this throws, the memory is still the caller's.
template <class Deleter>
any_tensor from_blob(void* data, shape const& s, dtype type, Deleter deleter) {
    struct keeper {
        Deleter deleter;
        void* data;
    };
    core::run_time_extents_of const extents("from_blob(data, shape, dtype, deleter)", s, type);
    if (!data && s.static_size() > 0) core::refuse_null(std::string_view("gradus::from_blob(data)"), s.static_size());
    core::tensor_ref made(new core::tensor_state);
    made->type = type;
    made->rank = static_cast<std::int8_t>(s.rank());
    for (int i = 0; i < s.rank(); ++i) made->extents[i] = extents.n[i];
    auto kept = std::make_unique<keeper>(keeper{std::move(deleter), data});
    made->memory = core::borrow_storage(data, made->bytes());
    made->data = made->memory->data;
    made->memory->let_go = [](void* k) {
        std::unique_ptr<keeper> const gone(static_cast<keeper*>(k));
        gone->deleter(gone->data);
    };
    made->memory->keeper = kept.release();
    return any_tensor(std::move(made));
}

}  // namespace gradus::inline GRADUS_ARCH
