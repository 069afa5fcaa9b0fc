// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/list.hpp>
#include <gradus/core/shape.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// What operations demand of extents that are known at run time only: unknown extents that have to be equal are joined,
/// with each other or with a number (union-find).
class unifier {
public:
    /// What is known of `e`: a number, a name, or the unknown extent that stands for all joined with it.
    constexpr extent find(extent e) const {
        while (e.is_unknown() && e.number() < parent_.size() && parent_[e.number()] != dyn) e = parent_[e.number()];
        return e;
    }
    /// Demands that a and b are equal; false where they cannot be.
    constexpr bool join(extent a, extent b) {
        a = find(a);
        b = find(b);
        if (a == b) return true;
        if (!a.is_unknown()) exchange(a, b);
        if (!a.is_unknown()) return false;
        set(a, b);
        return true;
    }
    /// Names what is still unknown: d00, d01, ... in the order of asking.
    constexpr extent name(extent e) {
        e = find(e);
        if (!e.is_unknown()) return e;
        char const digits[] = {'d', static_cast<char>('0' + count_ / 10), static_cast<char>('0' + count_ % 10)};
        ++count_;
        extent named(std::string_view(digits, 3));
        set(e, named);
        return named;
    }
    /// How many names have been given.
    constexpr int count() const { return count_; }

private:
    constexpr void set(extent e, extent to) {
        while (parent_.size() <= e.number()) parent_.push_back(dyn);
        parent_[e.number()] = to;
    }
    list<extent> parent_;
    int count_ = 0;
};

}  // namespace gradus::inline GRADUS_ARCH::core
