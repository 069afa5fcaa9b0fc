// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/state/state.hpp>

#include <exception>

#if __has_include(<pthread.h>)
#include <pthread.h>
#endif

// A thread of its own for what is nested deeply.

namespace gradus::inline GRADUS_ARCH::core {

#if __has_include(<pthread.h>)
/// Calls f in a thread of its own, with the modes of this one, and waits for it: its stack is empty.
template <class F>
void call_on_another_stack(F f) {
    struct work {
        F& f;
        thread_modes given;
        thread_work at;
        std::exception_ptr thrown{};
    } all{f, modes, running};
    all.at.dying = nullptr;
    auto const start = [](void* begun) -> void* {
        auto& w = *static_cast<work*>(begun);
        modes = w.given;
        running = w.at;
        try {
            w.f();
        } catch (...) { w.thrown = std::current_exception(); }
        return nullptr;
    };
    pthread_t thread;
    if (pthread_create(&thread, nullptr, start, &all) != 0) return f();
    pthread_join(thread, nullptr);
    if (all.thrown) std::rethrow_exception(all.thrown);
}
#else
/// Without threads there is one stack.
template <class F>
void call_on_another_stack(F f) {
    f();
}
#endif

}  // namespace gradus::inline GRADUS_ARCH::core
