// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <utility>

namespace gradus::inline GRADUS_ARCH::core {

/// A list for calls, whose first `Few` elements are inside it: no memory is allocated for what is small.
template <class T, int Few>
class short_list {
public:
    explicit short_list(int count = 0, T const& value = T{}) { assign(count, value); }
    short_list(short_list const&) = delete;
    short_list& operator=(short_list const&) = delete;
    ~short_list() {
        if (items_ != few_) delete[] items_;
    }
    void assign(int count, T const& value) {
        size_ = 0;
        reserve(count);
        for (; size_ < count; ++size_) items_[size_] = value;
    }
    void push_back(T value) {
        if (size_ == capacity_) reserve(2 * capacity_);
        items_[size_++] = std::move(value);
    }
    void pop_back() { --size_; }
    T& back() { return items_[size_ - 1]; }
    T& operator[](int i) { return items_[i]; }
    T const& operator[](int i) const { return items_[i]; }
    T* begin() { return items_; }
    T const* begin() const { return items_; }
    int size() const { return size_; }
    bool empty() const { return size_ == 0; }

private:
    void reserve(int count) {
        if (count <= capacity_) return;
        T* const larger = new T[static_cast<unsigned>(count)];
        for (int i = 0; i < size_; ++i) larger[i] = std::move(items_[i]);
        if (items_ != few_) delete[] items_;
        items_ = larger;
        capacity_ = count;
    }
    T few_[Few];
    T* items_ = few_;
    int size_ = 0, capacity_ = Few;
};

}  // namespace gradus::inline GRADUS_ARCH::core
