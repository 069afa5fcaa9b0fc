// SPDX-License-Identifier: BSL-1.0
#include "golden.hpp"

#include "../golden/cases.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace golden_tensors {
namespace {

namespace core = gradus::core;

// As in test/golden/golden.cpp: doubles after a handful of operations, sums of up to 33 products, derivatives that cancel.
constexpr double tolerance = 1e-12;

values plain(golden::array const& a) { return {a.shape, a.data, a.integer}; }
std::vector<values> plain(std::vector<golden::array> const& all) {
    std::vector<values> made;
    for (golden::array const& a : all) made.push_back(plain(a));
    return made;
}
std::vector<test_case> const& cases_of(std::string const& family) {
    static std::map<std::string, std::vector<test_case>> known;
    std::vector<test_case>& cases = known[family];
    if (cases.empty())
        for (golden::test_case const& c : golden::read_cases(family))
            cases.push_back({family, c.op, c.name, plain(c.inputs), plain(c.output), plain(c.cotangent), plain(c.jvp), plain(c.vjp),
                             plain(c.direction), plain(c.hvp), plain(c.tangents)});
    return cases;
}

core::tensor_ref tensor_of(values const& v, bool flat) {
    std::int64_t extents[gr::max_rank]{static_cast<std::int64_t>(v.data.size())};
    int const rank = flat ? 1 : v.shape.rank();
    for (int i = 0; !flat && i < rank; ++i) extents[i] = v.shape[i].code;
    core::tensor_ref made = core::make_state(v.integer ? gr::dtype::int64 : gr::dtype::float64, rank, extents);
    for (std::size_t i = 0; i < v.data.size(); ++i) core::write_element(*made, static_cast<std::int64_t>(i), v.data[i]);
    return made;
}
bool agrees(double actual, double expected, double floor) {
    if (std::isnan(expected) || std::isinf(expected)) return std::isnan(expected) ? std::isnan(actual) : actual == expected;
    return std::abs(actual - expected) <= tolerance * std::max(std::abs(expected), floor);
}
void compare(test_case const& c, std::string const& quantity, core::tensor_ref const& actual, values const& expected) {
    INFO(quantity);
    REQUIRE(static_cast<bool>(actual));
    REQUIRE(actual->size() == static_cast<std::int64_t>(expected.data.size()));
    for (std::size_t i = 0; i < expected.data.size(); ++i) {
        if (golden::deviates(c, quantity, i)) continue;
        double const found = core::read_element(*actual, static_cast<std::int64_t>(i));
        INFO("element " << i << ": " << found << ", PyTorch: " << expected.data[i]);
        CHECK(agrees(found, expected.data[i], c.family == "edges" ? 0 : 1));
    }
}
void compare(test_case const& c, std::string const& quantity, tensors const& actual, std::vector<values> const& expected) {
    REQUIRE(actual.size() == static_cast<int>(expected.size()));
    for (int k = 0; k < actual.size(); ++k)
        compare(c, quantity + " " + std::to_string(k), actual[k], expected[static_cast<std::size_t>(k)]);
}

/// Steps of gradcheck need smooth functions and few elements.
bool is_checked(test_case const& c) {
    std::size_t elements = c.output.data.size();
    for (values const& v : c.inputs) elements += v.data.size();
    return c.family != "edges" && c.name.find("ties") == std::string::npos && c.name.find("100") == std::string::npos && elements <= 80;
}

void run_case(test_case const& c, bool flat, function const& f) {
    CAPTURE(c.op);
    CAPTURE(c.name);
    auto const all = [&](std::vector<values> const& each) {
        tensors made;
        for (values const& v : each) made.push_back(tensor_of(v, flat));
        return made;
    };
    tensors const inputs = all(c.inputs);
    tensors x;
    for (core::tensor_ref const& t : inputs) {
        if (t->type != gr::dtype::float64) continue;
        t->requires_grad = true;
        x.push_back(t);
    }
    auto const evaluated = [&] {
        core::tensor_ref y;
        f(inputs, y);
        return y;
    };
    core::tensor_ref const y = evaluated(), cotangent = tensor_of(c.cotangent, flat);
    compare(c, "output", y, c.output);
    if (!flat) CHECK(y->shape() == c.output.shape);

    gr::any_tensor const gradient(cotangent);
    core::backward(std::span(&y, 1), std::span(&gradient, 1), {});
    tensors collected;
    for (core::tensor_ref const& t : x) collected.push_back(t->grad);
    compare(c, "vjp", collected, c.vjp);
    if (c.jvp.data.empty()) return;

    core::recorder_function const recorder = core::recording_option(true).recorder;
    tensors const outputs = core::only(evaluated());
    tensors const vjp = core::pull(outputs, core::only(cotangent), x, {false, false, recorder});
    compare(c, "recorded vjp", vjp, c.vjp);
    compare(c, "hvp", core::pull(vjp, all(c.direction), x, {}), c.hvp);
    compare(c, "jvp", core::pushforward(core::only(evaluated()), x, recorder, false)(all(c.tangents), {}), {c.jvp});

    if (!is_checked(c)) return;
    core::hidden_function const hidden([&](tensors& to) { to.push_back(evaluated()); });
    CHECK(core::gradient_check(hidden, {inputs.begin(), inputs.end()}, {}).run());
    CHECK(core::second_gradient_check(hidden, {inputs.begin(), inputs.end()}, {}, core::recording_option(true)).run());
}

}  // namespace

void run(std::string const& family, std::string const& op, std::string const& name, int operands, function const& f) {
    int found = 0;
    bool const flat = name.empty();  // elementwise on operands of one shape: what shape does not matter
    for (test_case c : cases_of(family)) {
        if (c.op != op || (!flat && c.name != name)) continue;
        bool one_shape = true;
        for (values const& v : c.inputs) one_shape = one_shape && v.shape == c.inputs[0].shape;
        if (flat && !one_shape) continue;
        if (family == "edges") c.inputs.at(0).data.at(1) = -0.0;  // JSON lost the sign
        REQUIRE(static_cast<int>(c.inputs.size()) == operands);
        run_case(c, flat, f);
        ++found;
    }
    INFO(family << ": " << op << ": " << name);
    CHECK(found > 0);
}

}  // namespace golden_tensors
