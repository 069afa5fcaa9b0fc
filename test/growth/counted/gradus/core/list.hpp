// SPDX-License-Identifier: BSL-1.0
#pragma once
#pragma GCC system_header  // or -pedantic warns of include_next

#include <type_traits>

// The library's list, found before it on the include path of one test program: it counts the elements that are looked at. Production has
// no counter.
#define list plain_list
#include_next <gradus/core/list.hpp>
#undef list

namespace gradus::core {

inline std::int64_t steps_taken = 0;
constexpr void step(int count = 1) {
    if (!std::is_constant_evaluated()) steps_taken += count;
}

template <class T>
class list : public plain_list<T> {
    using plain = plain_list<T>;

public:
    constexpr list() = default;
    constexpr explicit list(int count, T const& value = T{}) : plain(count, value) { step(count); }
    constexpr list(list const& that) : plain(that) { step(that.size()); }
    constexpr list(list&&) noexcept = default;
    constexpr list& operator=(list that) noexcept {
        this->swap(that);
        return *this;
    }
    constexpr ~list() = default;
    constexpr T& operator[](int i) { return step(), plain::operator[](i); }
    constexpr T const& operator[](int i) const { return step(), plain::operator[](i); }
    // a loop over a range looks at all of it, or is left early: at most this
    constexpr T* begin() { return step(this->size()), plain::begin(); }
    constexpr T const* begin() const { return step(this->size()), plain::begin(); }
    constexpr void push_back(T const& value) { step(), plain::push_back(value); }
    constexpr void append(T const* from, int count) { step(count), plain::append(from, count); }
    constexpr void insert(int at, T value) { step(this->size() - at), plain::insert(at, std::move(value)); }
    constexpr void erase(int at) { step(this->size() - at), plain::erase(at); }
    constexpr void remove_if(auto gone) { step(this->size()), plain::remove_if(gone); }
    constexpr bool contains(T const& value) const {
        for (int i = 0; i < this->size(); ++i)
            if ((*this)[i] == value) return true;
        return false;
    }
};

}  // namespace gradus::core
