// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/allocator.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>

// The classes of sizes; blocks that are kept and taken again are tested with tensors (test/tensor/allocator.cpp).
namespace gr = gradus;

using cache = gr::core::block_cache;

TEST_CASE("sizes of blocks: each class holds what is asked of it, with a quarter more at most") {
    static_assert(cache::class_of(1) == 0 && cache::size_of_class(0) == 512);
    static_assert(cache::class_of(513) == 1 && cache::size_of_class(1) == 640);
    static_assert(cache::class_of(1024) == 4 && cache::size_of_class(4) == 1024);
    bool fits = true, tight = true, ordered = true, whole_lines = true;
    for (int c = 0; c < cache::classes; ++c) {
        std::size_t const size = cache::size_of_class(c);
        ordered = ordered && cache::class_of(size) == c && cache::class_of(size + 1) == c + 1;
        whole_lines = whole_lines && size % cache::alignment == 0;
    }
    for (std::size_t bytes = 512; bytes < 100000; ++bytes) {
        std::size_t const size = cache::size_of_class(cache::class_of(bytes));
        fits = fits && size >= bytes;
        tight = tight && 4 * size <= 5 * bytes;
    }
    CHECK(fits);
    CHECK(tight);
    CHECK(ordered);
    CHECK(whole_lines);
    static_assert(cache::size_of_class(cache::classes - 1) == std::size_t{1} << 36);
    static_assert(cache::class_of(std::numeric_limits<std::size_t>::max()) > cache::classes);
}
