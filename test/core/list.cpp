// SPDX-License-Identifier: BSL-1.0
#include <gradus/core/list.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace gr = gradus;
using gr::core::list;

TEST_CASE("list: keeps what is pushed, across growth") {
    constexpr auto body = [] {
        list<int> numbers;
        for (int i = 0; i < 1000; ++i) numbers.push_back(i * i);
        long sum = 0;
        for (int n : numbers) sum += n;
        return numbers.size() == 1000 && numbers[31] == 961 && numbers.back() == 998001 && sum == 332833500 && numbers.contains(49) &&
               !numbers.contains(50);
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("list: an empty one can be copied, iterated and filled") {
    constexpr auto body = [] {
        list<int> empty, copy = empty;
        for (int n : copy) static_cast<void>(n);
        copy.push_back(7);
        return empty.size() == 0 && copy.size() == 1 && copy[0] == 7 && !empty.contains(0);
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("list: appends runs, longer ones than its memory too") {
    constexpr auto body = [] {
        list<int> a, b(100, 3);
        a.append(b.begin(), 0);
        a.append(b.begin(), 100);
        a.push_back(4);
        a.append(b.begin() + 99, 1);
        return a.size() == 102 && a[0] == 3 && a[99] == 3 && a[100] == 4 && a[101] == 3;
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("list: starts with a number of equal values") {
    static_assert(list<int>(3, -1)[2] == -1);
    list<int> none(0);
    none.push_back(5);
    list<bool> marks(100);
    CHECK(none[0] == 5);
    CHECK(marks.size() == 100);
    CHECK(!marks.contains(true));
}

TEST_CASE("list: copies are independent, moves take everything") {
    constexpr auto body = [] {
        list<int> a(5, 1);
        list<int> b = a;
        b[0] = 2;
        list<int> c = std::move(b);
        a = c;
        list<int> d;
        d = std::move(c);
        a[1] = 9;
        return a[0] == 2 && d[0] == 2 && d[1] == 1 && b.size() == 0 && c.size() == 0;
    };
    static_assert(body());
    CHECK(body());
}

TEST_CASE("list: assigns itself") {
    list<int> a(4, 3);
    auto& same = a;
    a = same;
    CHECK(a.size() == 4);
    CHECK(a[3] == 3);
}

TEST_CASE("list: an element of itself can be pushed while it grows") {
    constexpr auto body = [] {
        list<list<int>> nested;
        nested.push_back(list<int>(2, 8));
        for (int i = 0; i < 40; ++i) nested.push_back(nested[0]);
        return nested.back().size() == 2 && nested.back()[1] == 8;
    };
    static_assert(body());
    CHECK(body());
    list<std::string> words;
    words.push_back("a string that is too long to be stored inline");
    for (int i = 0; i < 40; ++i) words.push_back(words.back());
    CHECK(words.back() == words[0]);
}
