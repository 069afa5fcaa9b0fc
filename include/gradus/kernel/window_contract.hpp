// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/window/product.hpp>
#include <gradus/kernel/window/weights.hpp>
#include <gradus/op/convolution.hpp>

// The kernels of op/convolution.hpp: one for all extents, strides, paddings, dilations and groups, for each element type. Threads share
// images, or rows of the weights' derivative: the order of every sum is that of one thread.
namespace gradus::inline GRADUS_ARCH::kernel::detail {

template <class T>
bool all_finite(T const* x, std::int64_t n) {
    bool finite = true;
    for (std::int64_t i = 0; i < n; ++i) finite = finite & (x[i] - x[i] == T{0});
    return finite;
}
/// The derivative of an input by weights that are not finite: zeros around results must not meet them.
template <class T>
void multiply_inside(op::window_extents const& e, T const* y, T const* w, T* x, std::int64_t first, std::int64_t last) {
    auto const& [a0, a1, a2] = e.axis;
    std::int64_t const inputs = e.size(&op::window_axis::x), places = e.size(&op::window_axis::y), group = e.groups * e.in;
    std::fill_n(x + first * group * inputs, (last - first) * group * inputs, T{0});
    auto const each = [&](op::window_axis const& a, auto const& f) {  // where positions of the window are inside
        for (std::int64_t k = 0; k < a.window; ++k)
            for (std::int64_t j = 0; j < a.y; ++j)
                if (std::int64_t const at = a.stride * j + a.dilation * k - a.padding; at >= 0 && at < a.x) f(k, j, at);
    };
    for (std::int64_t n = first; n < last; ++n)
        for (std::int64_t o = 0; o < e.groups * e.out; ++o)
            for (std::int64_t i = 0; i < e.in; ++i) {
                T const* const from = y + (n * e.groups * e.out + o) * places;
                T const* const by = w + (o * e.in + i) * e.size(&op::window_axis::window);
                T* const to = x + (n * group + o / e.out * e.in + i) * inputs;
                each(a0, [&](std::int64_t k0, std::int64_t j0, std::int64_t x0) {
                    each(a1, [&](std::int64_t k1, std::int64_t j1, std::int64_t x1) {
                        each(a2, [&](std::int64_t k2, std::int64_t j2, std::int64_t x2) {
                            to[(x0 * a1.x + x1) * a2.x + x2] +=
                                by[(k0 * a1.window + k1) * a2.window + k2] * from[(j0 * a1.y + j1) * a2.y + j2];
                        });
                    });
                });
            }
}

/// Of `all` parts, those that a thread computes.
struct thread_share {
    std::int64_t begin, end;
    thread_share(std::int64_t all, kernel_work const& work)
        : begin(all * work.thread / work.threads), end(all * (work.thread + 1) / work.threads) {}
    /// Those of instance `number`, which has `count` parts.
    std::pair<std::int64_t, std::int64_t> of(std::int64_t number, std::int64_t count) const {
        auto const within = [&](std::int64_t at) { return std::clamp<std::int64_t>(at - number * count, 0, count); };
        return {within(begin), within(end)};
    }
};

}  // namespace gradus::inline GRADUS_ARCH::kernel::detail

namespace gradus::inline GRADUS_ARCH::op {

template <class Op, window_role Role>
template <class T>
    requires std::is_floating_point_v<T>
void window_product<Op, Role>::kernel(call const& c, T const* const* in, T* out, kernel_work const& work) {
    namespace detail = gradus::kernel::detail;
    std::int64_t const instances = instances_of(c.target, window_extents::axes(c.attr, c.operand[0].shape)).static_size();
    each_instance(c, in, out, [&](window_extents const& e, T const* a, T const* b, T* to, std::int64_t number) {
        if constexpr (Role == window_role::weight) {
            std::int64_t const blocks = detail::window_gradient<T>::blocks(e);
            auto const [first, last] = detail::thread_share(instances * blocks, work).of(number, blocks);
            if (first < last) detail::window_gradient<T>(e, a, b, to, work.scratch).run(first, last);
        } else {
            auto const [first, last] = detail::thread_share(instances * e.images, work).of(number, e.images);
            if (first == last) return;
            constexpr bool is_input = Role == window_role::input;
            if (is_input && !detail::all_finite(b, e.w_size())) return detail::multiply_inside(e, a, b, to, first, last);
            detail::window_multiplication<T>(e, is_input, a, b, to, work.scratch).run(first, last);
        }
    });
}

}  // namespace gradus::inline GRADUS_ARCH::op
