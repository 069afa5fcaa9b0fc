// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gr = gradus;

namespace {

using scalar = gr::tensor<double>;

constexpr unsigned line_of_power = __LINE__ + 1;
scalar power(scalar const& x, double exponent) { return gr::pow(x, exponent); }
scalar times(scalar const& x, double y) { return x * y; }
scalar zero() { return gr::zeros<double>().requires_grad_(); }

std::string heard;
void listen(std::string_view text) { heard += text; }
/// What a call throws; empty if nothing.
template <class F>
std::string error_of(F f) {
    try {
        f();
    } catch (gr::autograd_error const& e) { return e.what(); }
    return {};
}
bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }
std::string const place = "anomaly.cpp:" + std::to_string(line_of_power);

struct not_a_number : gr::autograd::function<not_a_number> {
    static scalar forward(gr::autograd::context&, scalar const& x, bool) { return x.clone(); }
    static auto backward(gr::autograd::context&, scalar const&) {
        return std::tuple(gr::full<double>(std::numeric_limits<double>::quiet_NaN()), nothing);
    }
};
struct failing : gr::autograd::function<failing> {
    static scalar forward(gr::autograd::context&, scalar const& x) { return x.clone(); }
    static scalar backward(gr::autograd::context&, scalar const&) { throw std::runtime_error("none today"); }
};

}  // namespace

TEST_CASE("84 anomaly: names the function and the statement whose derivative is not a number") {
    scalar x = zero();
    // 0.5 x^-0.5 is infinite at 0, and meets the derivative 0 of what follows
    auto loss = [&] { return times(power(x, 0.5), 0); };
    std::string found;
    {
        gr::detect_anomaly guard;
        found = error_of([&] { loss().backward(); });
    }
    CHECK(contains(found, "Function 'PowBackward0' returned nan values in its 0th output."));
    CHECK(contains(found, "Traceback of forward call that caused the error"));
    CHECK(contains(found, place));
    CHECK(!x.grad().defined());
    CHECK(error_of([&] { loss().backward(); }).empty());  // the mode has ended with the scope
    CHECK(x.grad().item() != x.grad().item());
    x.zero_grad();
    gr::detect_anomaly guard, off(false);
    CHECK(error_of([&] { loss().backward(); }).empty());
}

TEST_CASE("84 anomaly: derivatives of derivatives lead to the same statement") {
    scalar x = zero();
    gr::detect_anomaly guard;
    // the first derivative of x^1.5 is 1.5 x^0.5; the second, 0.75 x^-0.5, is infinite at 0, and 0 times that no number
    scalar const first = gr::autograd::grad(power(x, 1.5), x, {.create_graph = true});
    CHECK(first.item() == 0);
    std::string const found = error_of([&] { first.backward(gr::zeros<double>()); });
    CHECK(contains(found, "returned nan values in its 0th output."));
    CHECK(contains(found, place));
}

TEST_CASE("84 anomaly: functions of the user's; what is infinite is a number") {
    scalar x = zero();
    gr::detect_anomaly guard;
    std::string const found = error_of([&] { not_a_number::apply(x, true).backward(); });
    CHECK(contains(found, "Function 'not_a_numberBackward' returned nan values in its 0th output."));
    CHECK(contains(found, "anomaly.cpp:"));
    CHECK(error_of([&] { power(x, 0.5).backward(); }).empty());
    CHECK(x.grad().item() == std::numeric_limits<double>::infinity());
}

TEST_CASE("84 anomaly: an exception in a backward function is announced with its statement") {
    scalar x = zero();
    gr::warning_sink sink(&listen);
    heard.clear();
    CHECK_THROWS_AS(failing::apply(x).backward(), std::runtime_error);
    CHECK(heard.empty());
    gr::detect_anomaly guard;
    CHECK_THROWS_WITH_AS(failing::apply(x).backward(), "none today", std::runtime_error);
    CHECK(contains(heard, "Error detected in failingBackward. Traceback of forward call that caused the error: "));
    CHECK(contains(heard, "anomaly.cpp:"));
}
