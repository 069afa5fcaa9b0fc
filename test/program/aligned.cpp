// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/aligned.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace gr = gradus;

TEST_CASE("aligned_buffer: starts empty, without memory") {
    gr::aligned_buffer buffer;
    CHECK(buffer.data() == nullptr);
    CHECK(buffer.size() == 0);
    buffer.reserve(0);
    CHECK(buffer.data() == nullptr);
}

TEST_CASE("aligned_buffer: is whole cache lines, and only grows") {
    gr::aligned_buffer buffer(100);
    CHECK(buffer.size() == 128);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
    buffer.data()[127] = std::byte{1};
    auto* before = buffer.data();
    buffer.reserve(128);
    buffer.reserve(1);
    CHECK(buffer.data() == before);
    CHECK(buffer.data()[127] == std::byte{1});
    buffer.reserve(10000);
    CHECK(buffer.size() >= 10000);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
    buffer.data()[9999] = std::byte{2};
}

TEST_CASE("aligned_buffer: what cannot be had is bad_alloc and changes nothing") {
    gr::aligned_buffer buffer(64);
    auto* before = buffer.data();
    CHECK_THROWS_AS(buffer.reserve(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
    CHECK(buffer.data() == before);
    CHECK(buffer.size() == 64);
}

TEST_CASE("aligned_buffer: moves without copying and leaves nothing behind") {
    static_assert(std::is_nothrow_move_constructible_v<gr::workspace> && std::is_nothrow_move_assignable_v<gr::workspace>);
    static_assert(!std::is_copy_constructible_v<gr::workspace>);
    gr::workspace a(64), b(256);
    auto* memory = b.data();
    a = std::move(b);
    CHECK(a.data() == memory);
    CHECK(b.size() == 0);
    b.reserve(10);
    CHECK(b.size() == 64);
    gr::workspace c = std::move(a);
    CHECK(c.size() == 256);
    auto& same = c;
    c = std::move(same);
    CHECK(c.size() == 256);
}
