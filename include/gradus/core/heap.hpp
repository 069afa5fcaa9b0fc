// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/list.hpp>

namespace gradus::inline GRADUS_ARCH::core {

/// A queue that gives the greatest of its elements, for constant evaluation: log n steps each.
template <class T>
class heap {
public:
    constexpr bool empty() const { return items_.empty(); }
    constexpr void push(T const& value) {
        items_.push_back(value);
        for (int i = items_.size() - 1; i > 0 && items_[(i - 1) / 2] < items_[i]; i = (i - 1) / 2) exchange(items_[i], items_[(i - 1) / 2]);
    }
    constexpr T pop() {
        T const first = items_[0];
        items_[0] = items_.back();
        items_.pop_back();
        for (int i = 0;;) {
            int greatest = i;
            for (int child = 2 * i + 1; child <= 2 * i + 2 && child < items_.size(); ++child)
                if (items_[greatest] < items_[child]) greatest = child;
            if (greatest == i) return first;
            exchange(items_[i], items_[greatest]);
            i = greatest;
        }
    }

private:
    list<T> items_;
};

}  // namespace gradus::inline GRADUS_ARCH::core
