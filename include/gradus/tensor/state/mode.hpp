// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <cstdio>
#include <string_view>

namespace gradus::common {

/// What a thread has switched on, with `core::running` the library's only state outside of its objects. One for all
/// libraries of a program, also for those that hide what they do not export, and for all instruction sets.
struct thread_modes {
    bool records = true;   ///< grad mode
    bool anomaly = false;  ///< detect_anomaly
    void (*warn)(std::string_view) = nullptr;
};
[[gnu::visibility("default")]] inline constinit thread_local thread_modes modes{};

}  // namespace gradus::common

namespace gradus::inline GRADUS_ARCH {

namespace core {
using common::modes;
using common::thread_modes;

struct graveyard;
struct node_watcher;

/// What a thread is at, of nodes and tensors of this instruction set.
struct thread_work {
    graveyard* dying = nullptr;       ///< where objects wait that are let go while others are being destroyed (tensor/state/state.hpp)
    node_watcher* watcher = nullptr;  ///< is told of every node that this thread records
    int passes = 0;                   ///< that are running, one inside of the other
};
[[gnu::visibility("default")]] inline constinit thread_local thread_work running{};

/// The object that a mode is a member of.
inline thread_modes& thread_state(thread_modes*) { return modes; }
inline thread_work& thread_state(thread_work*) { return running; }

/// Sets a mode until the end of the scope.
template <class T, auto Mode, class State = thread_modes>
class mode_guard {
public:
    explicit mode_guard(T value) : before_(state().*Mode) { state().*Mode = value; }
    mode_guard(mode_guard const&) = delete;
    mode_guard& operator=(mode_guard const&) = delete;
    ~mode_guard() { state().*Mode = before_; }

private:
    static State& state() { return thread_state(static_cast<State*>(nullptr)); }
    T before_;
};

inline void warn(std::string_view text) {
    if (modes.warn) return modes.warn(text);
    std::fprintf(stderr, "gradus warning: %.*s\n", static_cast<int>(text.size()), text.data());
}

}  // namespace core

/// Is this thread recording? True when a thread starts.
inline bool is_grad_enabled() { return core::modes.records; }

/// Records or not until the end of the scope: `gr::set_grad_enabled guard(train);`. Guards nest; leaving a scope by an
/// exception restores the mode too. The mode is the thread's: a guard in a coroutine that waits goes on to hold for whatever the
/// thread does meanwhile, and has to end on the thread that it began on, the last one begun first.
struct set_grad_enabled : core::mode_guard<bool, &core::thread_modes::records> {
    using mode_guard::mode_guard;
};
/// No recording until the end of the scope: `gr::no_grad guard;`.
struct no_grad : set_grad_enabled {
    no_grad() : set_grad_enabled(false) {}
};
/// Recording until the end of the scope, inside of a no_grad.
struct enable_grad : set_grad_enabled {
    enable_grad() : set_grad_enabled(true) {}
};
/// Looks for NaN in every derivative until the end of the scope, and names the statement whose derivative has one.
struct detect_anomaly : core::mode_guard<bool, &core::thread_modes::anomaly> {
    explicit detect_anomaly(bool on = true) : mode_guard(on) {}
};
/// Sends this thread's warnings to `sink` until the end of the scope; without one they go to stderr.
struct warning_sink : core::mode_guard<void (*)(std::string_view), &core::thread_modes::warn> {
    using mode_guard::mode_guard;
};

}  // namespace gradus::inline GRADUS_ARCH
