// SPDX-License-Identifier: BSL-1.0
#include "small_graph.hpp"

#include <gradus/transform/widen.hpp>

using namespace small_graph;
using gr::dtype;

namespace {

constexpr auto widened = [](auto build) {
    auto const twice = [](gr::graph const& g) { return gr::pass::widen(gr::pass::widen(g)); };
    std::string const once = text_after(gr::pass::widen, made(build));
    CHECK(once == text_after(twice, made(build)));
    return once;
};

}  // namespace

TEST_CASE("widen: operands are converted where they are read, results rounded where they are stored") {
    CHECK(widened([](builder& b) {
              value x = b.symbol("x", {3}, dtype::bfloat16);
              b.result((x * x + 1).sum(1, false));
          }) == R"(
%0 = symbol x : bfloat16[3]
%1 = cast %0 : float[3]
%2 = mul %1 %1 : float[3]
%3 = constant 1 : float
%4 = add %2 %3 : float[3]
%5 = sum axes=0 %4 : float
%6 = cast %5 : bfloat16
return %6
)");
}
TEST_CASE("widen: what only moves stays in 16 bits, unless it has been computed") {
    CHECK(widened([](builder& b) {
              value x = b.symbol("x", {3}, dtype::float16), y = x + x;
              b.result(x.reshape({1, 3}));
              b.result(y.reshape({1, 3}));
          }) == R"(
%0 = symbol x : float16[3]
%1 = cast %0 : float[3]
%2 = add %1 %1 : float[3]
%3 = reshape %0 : float16[1,3]
%4 = reshape %2 : float[1,3]
%5 = cast %4 : float16[1,3]
return %3
return %5
)");
}
TEST_CASE("widen: casts to 16 bits round, casts from them are gone") {
    CHECK(widened([](builder& b) {
              value x = b.symbol("x", {3}, dtype::float32), h = x.cast(dtype::bfloat16);
              b.result(x - h.cast(dtype::float32));
              b.result((h * h).cast(dtype::float32));
              b.result((h * h).cast(dtype::int32));
          }) == R"(
%0 = symbol x : float[3]
%1 = cast %0 : bfloat16[3]
%2 = cast %1 : float[3]
%3 = sub %0 %2 : float[3]
%4 = mul %2 %2 : float[3]
%5 = cast %4 : int32[3]
return %3
return %4
return %5
)");
}
TEST_CASE("widen: graphs without 16 bits stay as they are") {
    CHECK(widened([](builder& b) {
              value x = b.symbol("x", {3});
              b.result(x * x);
          }) == R"(
%0 = symbol x : double[3]
%1 = mul %0 %0 : double[3]
return %1
)");
}
