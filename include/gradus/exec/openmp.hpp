// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/core/config.hpp>

#include <exception>

// Included on its own: it needs the compiler's OpenMP (-fopenmp).

namespace gradus::inline GRADUS_ARCH {

namespace core {

#ifdef _OPENMP
template <class>
inline constexpr bool has_openmp = true;
#else
template <class>
inline constexpr bool has_openmp = false;
#endif

struct openmp_pool {
    template <class F>
    void operator()([[maybe_unused]] int n, [[maybe_unused]] F const& f) const {
        static_assert(has_openmp<F>, "gradus::openmp: this file is compiled without OpenMP: give the compiler -fopenmp");
        std::exception_ptr thrown;  // no exception may leave a parallel region
#ifdef _OPENMP
#pragma omp parallel for schedule(static, 1) num_threads(n)
        for (int i = 0; i < n; ++i) {
            try {
                f(i);
            } catch (...) {
#pragma omp critical(gradus_thrown)
                if (!thrown) thrown = std::current_exception();
            }
        }
#endif
        if (thrown) std::rethrow_exception(thrown);
    }
};

}  // namespace core

/// OpenMP's threads for a call: `step(x = X, gr::parallel(4, gr::openmp))`. Inside of a parallel region, where OpenMP makes no further
/// threads if it was not told to, the tasks run one after the other. What one throws reaches the caller.
inline constexpr core::openmp_pool openmp{};

}  // namespace gradus::inline GRADUS_ARCH

#pragma GCC diagnostic pop
