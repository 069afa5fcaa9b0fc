// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <array>
#include <deque>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace gr = gradus;

namespace {

template <class T>
bool has(gr::any_tensor const& t, gr::shape const& s, std::vector<T> const& values) {
    std::span<T> const have = t.values<T>();
    return t.shape() == s && std::equal(have.begin(), have.end(), values.begin(), values.end());
}

}  // namespace

TEST_CASE("tensor{values}: nested lists give elements, and shapes that the type leaves open") {
    CHECK(has<float>(gr::tensor<float, 3>{1, 2, 3}, {3}, {1, 2, 3}));
    CHECK(has<float>(gr::tensor<float, 2, 2>{1, 2, 3, 4}, {2, 2}, {1, 2, 3, 4}));
    CHECK(has<float>(gr::tensor<float, 2, 2>{{1, 2}, {3, 4}}, {2, 2}, {1, 2, 3, 4}));
    CHECK(has<float>(gr::tensor<float, 2, 1>{{1}, {2}}, {2, 1}, {1, 2}));
    CHECK(has<float>(gr::tensor<float, 2, 1>{1, 2}, {2, 1}, {1, 2}));
    CHECK(has<float>(gr::tensor<float, 1, 1>{{1}}, {1, 1}, {1}));
    CHECK(has<float>(gr::tensor<float>{7}, {}, {7}));
    CHECK(has<float>(gr::tensor<float, gr::dyn>{1, 2, 3}, {3}, {1, 2, 3}));
    CHECK(has<float>(gr::tensor<float, gr::dyn, 2>{{1, 2}, {3, 4}, {5, 6}}, {3, 2}, {1, 2, 3, 4, 5, 6}));
    CHECK(has<float>(gr::tensor<float, gr::dyn, 1>{{1}, {2}}, {2, 1}, {1, 2}));
    CHECK(has<float>(gr::tensor<float, 1, gr::dyn>{{1, 2}}, {1, 2}, {1, 2}));
    CHECK(has<float>(gr::tensor<float, 2, 1, 2>{{{1, 2}}, {{3, 4}}}, {2, 1, 2}, {1, 2, 3, 4}));
    CHECK(has<float>(gr::tensor<float, gr::dyn, gr::dyn, gr::dyn>{{{1}, {2}}}, {1, 2, 1}, {1, 2}));
}

TEST_CASE("tensor{values}: the type is deduced, with extents of run time") {
    gr::tensor v{1.0f, 2.0f};
    static_assert(std::is_same_v<decltype(v), gr::tensor<float, gr::dyn>>);
    gr::tensor m{{1, 2, 3}, {4, 5, 6}};
    static_assert(std::is_same_v<decltype(m), gr::tensor<int, gr::dyn, gr::dyn>>);
    gr::tensor c{{{1.0, 2.0}}};
    static_assert(std::is_same_v<decltype(c), gr::tensor<double, gr::dyn, gr::dyn, gr::dyn>>);
    CHECK(has<int>(m, {2, 3}, {1, 2, 3, 4, 5, 6}));
    CHECK(has<double>(c, {1, 1, 2}, {1, 2}));
}

TEST_CASE("tensor{values}: lists of other lengths are refused") {
    CHECK(messages::of<gr::shape_error>([] { gr::tensor<float, 3>{1, 2}; }) == "gradus::tensor(values): 2 values for float[3]");
    CHECK(messages::of<gr::shape_error>([] { gr::tensor<float, 2, 2>{{1, 2}, {3}}; }) ==
          "gradus::tensor{values}: a list of 1 among lists of 2 on axis 1");
    CHECK(messages::of<gr::shape_error>([] { gr::tensor<float, gr::dyn, 2>{{1, 2, 3}}; }) ==
          "gradus::tensor(shape): the tensor is float[1,3], wanted is float[dyn,2]");
    CHECK(messages::of<gr::shape_error>([] { gr::tensor<float, gr::dyn, gr::dyn, 1>{{{1}, {2}}, {{3}}}; }) ==
          "gradus::tensor{values}: a list of 1 among lists of 2 on axis 1");
}

TEST_CASE("tensor(data): copies vectors, arrays, spans and C arrays; one extent is found out") {
    std::vector<float> const vector{1, 2, 3, 4, 5, 6};
    std::array<double, 4> const array{1, 2, 3, 4};
    float const rows[2][3] = {{1, 2, 3}, {4, 5, 6}};
    CHECK(has<float>(gr::tensor<float, gr::dyn, 2>(vector), {3, 2}, vector));
    CHECK(has<float>(gr::tensor<float, 2, 3>(std::span(vector)), {2, 3}, vector));
    CHECK(has<double>(gr::tensor<double, 2, 2>(array), {2, 2}, {1, 2, 3, 4}));
    CHECK(has<float>(gr::tensor<float, 3, gr::dyn>(rows), {3, 2}, vector));

    gr::tensor from_vector(vector);
    static_assert(std::is_same_v<decltype(from_vector), gr::tensor<float, gr::dyn>>);
    gr::tensor from_array(array);
    static_assert(std::is_same_v<decltype(from_array), gr::tensor<double, 4>>);
    gr::tensor from_rows(rows);
    static_assert(std::is_same_v<decltype(from_rows), gr::tensor<float, 2, 3>>);
    CHECK(has<float>(from_vector, {6}, vector));
    CHECK(has<float>(from_rows, {2, 3}, vector));

    CHECK(messages::of<gr::shape_error>([&] { gr::tensor<float, gr::dyn, 4>{vector}; }) ==
          "gradus::tensor(values): 6 values for float[dyn,4]");
    CHECK(messages::of<gr::shape_error>([&] { gr::tensor<float, 7>{vector}; }) == "gradus::tensor(values): 6 values for float[7]");
    static_assert(!std::is_constructible_v<gr::tensor<double, gr::dyn>, std::vector<float>>, "data is not converted silently");
    static_assert(!std::is_convertible_v<std::vector<float>, gr::tensor<float, gr::dyn>>, "nor copied silently");
    static_assert(!std::is_constructible_v<gr::tensor<float, gr::dyn>, std::string>);
}

TEST_CASE("tensor(data): is a copy, even of one element or none") {
    std::vector<float> source{1};
    gr::tensor<float, gr::dyn> t(source);
    source[0] = 2;
    CHECK(t.item() == 1);
    CHECK(gr::tensor<float, gr::dyn>(std::vector<float>{}).size() == 0);
    CHECK(gr::tensor<float, gr::dyn, 0>(std::vector<float>{}).shape() == gr::shape{0, 0});
}

TEST_CASE("tensor(first, last): takes any iterators and converts") {
    std::deque<int> const deque{1, 2, 3, 4};
    CHECK(has<float>(gr::tensor<float, 2, gr::dyn>(deque.begin(), deque.end()), {2, 2}, {1, 2, 3, 4}));
    std::vector<bool> const bits{true, false};
    gr::tensor mask(bits.begin(), bits.end());
    static_assert(std::is_same_v<decltype(mask), gr::tensor<bool, gr::dyn>>);
    CHECK(!mask(1));
    std::istringstream stream("1.5 2.5");
    CHECK(has<double>(gr::tensor<double, 2>(std::istream_iterator<double>(stream), std::istream_iterator<double>()), {2}, {1.5, 2.5}));
    CHECK(messages::of<gr::shape_error>([&] { gr::tensor<float, 3>(deque.begin(), deque.end()); }) ==
          "gradus::tensor(values): 4 values for float[3]");
}

TEST_CASE("tensor: begin, end and values() are its memory") {
    gr::tensor<float, 2, 2> t{1, 2, 3, 4};
    float total = 0;
    for (float x : t) total += x;
    CHECK(total == 10);
    std::vector<float> const copy(t.begin(), t.end());
    CHECK(copy == std::vector<float>{1, 2, 3, 4});
    t.values()[3] = 40;
    CHECK(t(1, 1) == 40);
    CHECK_THROWS_AS(t.t().values(), gr::error);
    CHECK(has<float>(gr::tensor<float, 2, 2>(t.to_array()), {2, 2}, {1, 2, 3, 40}));
}

TEST_CASE("from_blob: shares memory that is the caller's") {
    float memory[6] = {1, 2, 3, 4, 5, 6};
    gr::tensor t = gr::from_blob<float, gr::dyn, 3>(memory, 2);
    memory[0] = 10;
    CHECK(t(0, 0) == 10);
    t.values()[5] = 60;
    CHECK(memory[5] == 60);
    CHECK(t.shape() == gr::shape{2, 3});
}

TEST_CASE("from_blob: the deleter runs once, after the last tensor and the last saved value") {
    int deleted = 0;
    auto memory = std::make_unique<float[]>(2);
    float* const pointer = memory.get();
    pointer[0] = 3;
    pointer[1] = 4;
    auto w = gr::ones<float, 2>().requires_grad_();
    gr::tensor<float, 2> y;
    {
        auto x = gr::from_blob<float, gr::dyn>(memory.release(), 2, [&](float* p) {
            CHECK(p == pointer);
            ++deleted;
            delete[] p;
        });
        gr::tensor<float, 2> fixed = x;
        y = w * fixed;
    }
    CHECK(deleted == 0);  // y's node has saved x
    y.backward(gr::any_tensor(gr::ones<float, 2>()));
    CHECK(w.grad()(1) == 4);
    CHECK(deleted == 1);
}

TEST_CASE("from_blob: if it throws, the memory is still the caller's") {
    float memory[1];
    bool deleted = false;
    CHECK(messages::of<gr::shape_error>([&] { gr::from_blob<float, gr::dyn>(memory, -1, [&](float*) { deleted = true; }); }) !=
          "nothing is thrown");
    CHECK(!deleted);
}
