// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>
#include <gradus/core/exchange.hpp>

#include <sched.h>
#include <cstdint>
#include <exception>
#include <type_traits>
#include <utility>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

// Shared ownership, counted in the object. While a program has one thread the count is a plain number, which is what makes
// a handle as cheap to copy as two pointers.

namespace gradus::inline GRADUS_ARCH::core {

inline bool has_one_thread() {
#if defined(__wasi__) && !defined(_REENTRANT)
    return true;
#elif __has_include(<sys/single_threaded.h>)
    return __libc_single_threaded != 0;
#else
    return false;
#endif
}

/// How many own an object; starts with one. (The compilers' own atomic functions: <atomic> costs more than all of this.)
class owners {
public:
    [[gnu::always_inline]] void add() {
        if (has_one_thread()) ++count_;
        else __atomic_fetch_add(&count_, 1, __ATOMIC_RELAXED);
    }
    /// True for the last one.
    [[gnu::always_inline]] bool remove() {
        if (has_one_thread()) return --count_ == 0;
        return __atomic_fetch_sub(&count_, 1, __ATOMIC_ACQ_REL) == 1;
    }
    /// Adds an owner unless the last one is gone and the object about to end.
    bool add_if_alive() {
        std::uint32_t seen = __atomic_load_n(&count_, __ATOMIC_RELAXED);
        while (seen != 0)
            if (__atomic_compare_exchange_n(&count_, &seen, seen + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return true;
        return false;
    }
    bool is_one() const { return __atomic_load_n(&count_, __ATOMIC_ACQUIRE) == 1; }

private:
    std::uint32_t count_ = 1;
};

/// A lock that is rarely contended: whoever waits gives its time away.
class spin_lock {
public:
    void lock() {
        if (has_one_thread()) {  // nobody to wait for
            held_ = true;
            return;
        }
        while (__atomic_test_and_set(&held_, __ATOMIC_ACQUIRE)) sched_yield();
    }
    void unlock() { __atomic_clear(&held_, __ATOMIC_RELEASE); }

private:
    bool held_ = false;
};

/// A pointer that owns: T has a member `owners owned`, and `dispose(T*)` is found for it.
template <class T>
class ref {
public:
    ref() = default;
    /// Takes over one ownership.
    explicit ref(T* taken) : object_(taken) {}
    [[gnu::always_inline]] ref(ref const& that) : object_(that.object_) {
        if (object_) object_->owned.add();
    }
    ref(ref&& that) noexcept : object_(taken(that.object_)) {}
    ref& operator=(ref that) noexcept {
        exchange(object_, that.object_);
        return *this;
    }
    [[gnu::always_inline]] ~ref() {
        if (object_ && object_->owned.remove()) dispose(object_);
    }
    static ref sharing(T* object) {
        if (object) object->owned.add();
        return ref(object);
    }
    T* get() const { return object_; }
    T* operator->() const { return object_; }
    T& operator*() const { return *object_; }
    explicit operator bool() const { return object_ != nullptr; }
    /// Gives the ownership away.
    T* release() { return taken(object_); }

private:
    T* object_ = nullptr;
};

/// Holds a lock until the end of the scope.
class locked {
public:
    explicit locked(spin_lock& lock) : lock_(lock) { lock_.lock(); }
    locked(locked const&) = delete;
    locked& operator=(locked const&) = delete;
    ~locked() { lock_.unlock(); }

private:
    spin_lock& lock_;
};

/// The only owner of an object that most do without. (<memory> and <functional> would cost each user half a second.)
template <class T>
class own {
public:
    own() = default;
    own(own const&) = delete;
    own& operator=(own const&) = delete;
    ~own() { delete object_; }
    T& make() {
        if (!object_) object_ = new T;
        return *object_;
    }
    void reset() { delete taken(object_); }
    T* release() { return taken(object_); }
    void swap(own& that) { exchange(object_, that.object_); }
    T* get() const { return object_; }
    T* operator->() const { return object_; }
    T& operator*() const { return *object_; }
    explicit operator bool() const { return object_ != nullptr; }

private:
    T* object_ = nullptr;
};

/// A function object of any type, shared by its copies.
template <class... A>
class callback {
public:
    callback() = default;
    template <class F>
        requires(!std::is_same_v<F, callback>)
    callback(F f) : object_(new made<F>(std::move(f))) {}  // NOLINT: a function is a callback
    void operator()(A... arguments) const { object_->call(arguments...); }
    explicit operator bool() const { return static_cast<bool>(object_); }

private:
    struct base {
        owners owned;
        virtual ~base() = default;
        virtual void call(A... arguments) = 0;
        friend void dispose(base* b) { delete b; }
    };
    template <class F>
    struct made final : base {
        F f;
        explicit made(F given) : f(std::move(given)) {}
        void call(A... arguments) override { static_cast<void>(f(arguments...)); }
    };
    ref<base> object_;
};

}  // namespace gradus::inline GRADUS_ARCH::core
