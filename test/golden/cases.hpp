// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/expr/convolution.hpp>
#include <gradus/expr/pooling.hpp>
#include <gradus/expr/rearrange.hpp>
#include <gradus/graph/build.hpp>
#include <gradus/kernel/window_contract.hpp>
#include <gradus/op/list.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Cases computed by PyTorch, as files, and how each of their operations is written with values.
namespace golden {

using gradus::value;

/// An array of the files: extents, elements, and whether these are integers.
struct array {
    gradus::shape shape;
    std::vector<double> data;
    bool integer = false;
};

struct test_case {
    std::string family, op, name;
    nlohmann::json attributes;
    std::vector<array> inputs;
    array output, cotangent, jvp;
    // one per floating-point input
    std::vector<array> vjp, direction, hvp, tangents;
};

/// JSON has no infinities and no NaN: they are strings.
inline double read_number(nlohmann::json const& j) {
    if (!j.is_string()) return j.get<double>();
    if (j == "nan") return std::numeric_limits<double>::quiet_NaN();
    double infinity = std::numeric_limits<double>::infinity();
    if (j == "inf") return infinity;
    if (j == "-inf") return -infinity;
    throw std::runtime_error("no number: " + j.dump());
}
inline array read_array(nlohmann::json const& j) {
    array a;
    for (auto const& extent : j.at("shape")) a.shape.push_back(extent.get<std::int64_t>());
    for (auto const& x : j.at("data")) a.data.push_back(read_number(x));
    a.integer = j.contains("dtype");
    return a;
}
inline std::vector<array> read_arrays(nlohmann::json const& j, char const* key) {
    std::vector<array> all;
    if (j.contains(key) && !j.at(key).is_null())  // PyTorch 1.13 has no second derivative of mish, hardtanh and erfinv
        for (auto const& each : j.at(key)) all.push_back(read_array(each));
    return all;
}
/// The cases of one file, from the directory that GRADUS_GOLDEN names or from test/golden under the current one.
inline std::vector<test_case> read_cases(std::string const& family) {
    char const* directory = std::getenv("GRADUS_GOLDEN");
    auto path = std::filesystem::path(directory ? directory : "test/golden") / (family + ".json");
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path.string() + "; set GRADUS_GOLDEN to the directory of the golden files");
    std::vector<test_case> cases;
    auto const whole = nlohmann::json::parse(file);
    for (auto const& j : whole.at("cases")) {
        test_case c;
        c.family = family;
        c.op = j.at("op");
        c.name = j.at("case");
        c.attributes = j.at("attributes");
        c.inputs = read_arrays(j, "inputs");
        c.output = read_array(j.at("output"));
        c.cotangent = read_array(j.at("cotangent"));
        if (j.contains("jvp") && !j.at("jvp").is_null()) c.jvp = read_array(j.at("jvp"));
        c.vjp = read_arrays(j, "vjp");
        c.direction = read_arrays(j, "direction");
        c.hvp = read_arrays(j, "hvp");
        c.tangents = read_arrays(j, "tangents");
        cases.push_back(c);
    }
    if (cases.empty()) throw std::runtime_error("no cases in " + path.string());
    return cases;
}

using operands = std::vector<value>;

inline std::int64_t all_axes(value x) { return (std::int64_t{1} << x.shape().rank()) - 1; }
/// Axes as bits; all of them where the case names none.
inline std::int64_t axes_of(nlohmann::json const& attributes, value x) {
    if (attributes.contains("axis")) return std::int64_t{1} << attributes.at("axis").get<int>();
    if (!attributes.contains("axes") || attributes.at("axes").is_null()) return all_axes(x);
    std::int64_t bits = 0;
    for (auto const& axis : attributes.at("axes")) bits |= std::int64_t{1} << axis.get<int>();
    return bits;
}

template <class Op>
value apply_to(operands const& x) {
    if constexpr (Op::arity == 1) return gradus::apply<Op>(x.at(0));
    else if constexpr (Op::arity == 2) return gradus::apply<Op>(x.at(0), x.at(1));
    else return gradus::apply<Op>(x.at(0), x.at(1), x.at(2));
}
template <class Op>
value expand(gradus::attributes const& attr, operands const& x) {
    if constexpr (Op::arity == 1) return Op::expand(attr, x.at(0));
    else if constexpr (Op::arity == 2) return Op::expand(attr, x.at(0), x.at(1));
    else return Op::expand(attr, x.at(0), x.at(1), x.at(2));
}

/// Elementwise operations by name: all of the library's.
template <class... Op>
std::optional<value> elementwise(gradus::op::op_list<Op...>, std::string const& name, operands const& x) {
    std::optional<value> found;
    ((name == Op::name ? static_cast<void>(found = apply_to<Op>(x)) : static_cast<void>(0)), ...);
    return found;
}
/// Composites by name.
template <class... Op>
std::optional<value> composite(gradus::op::op_list<Op...>, std::string const& name, gradus::attributes const& attr, operands const& x) {
    std::optional<value> found;
    ((name == Op::name ? static_cast<void>(found = expand<Op>(attr, x)) : static_cast<void>(0)), ...);
    return found;
}

inline gradus::attributes transpose_last_two(int rank) {
    gradus::attributes attr;
    for (int i = 0; i < rank; ++i) attr.n[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    return attr;
}
inline value with_axis(value x, int axis) {
    gradus::shape s;
    for (int i = 0; i <= x.shape().rank(); ++i) {
        if (i == axis) s.push_back(1);
        if (i < x.shape().rank()) s.push_back(x.shape()[i]);
    }
    return x.reshape(s);
}
inline value ones(value like, gradus::shape const& s) { return like.number(1).broadcast_to(s); }
inline value zeros(value like, gradus::shape const& s) { return like.number(0).broadcast_to(s); }

inline gradus::attributes windows_of(nlohmann::json const& a) {
    return gradus::core::window_parameters({a.value("stride", std::int64_t{1}), a.value("padding", std::int64_t{0}),
                                            a.value("dilation", std::int64_t{1}), a.value("groups", std::int64_t{1})})
        .attr;
}
inline gradus::attributes pool_of(nlohmann::json const& a) {
    return gradus::core::pool_parameters({a.at("kernel").get<std::int64_t>(), a.value("stride", std::int64_t{0})}).attr;
}

inline value with_bias(value y, value per_channel) { return y + gradus::op::along_channels(per_channel, y); }

/// Operations that are neither elementwise nor composite, as functions of operands, attributes and the result's shape.
using rule = std::function<value(operands const&, nlohmann::json const&, gradus::shape const&)>;
inline std::map<std::string, rule> const& rules() {
    using json = nlohmann::json;
    using gradus::shape;
    static std::map<std::string, rule> const all{
        {"where", [](operands const& x, json const&, shape const&) { return gradus::where(x.at(2) != 0, x.at(0), x.at(1)); }},
        {"sum", [](operands const& x, json const& a, shape const&) { return x.at(0).sum(axes_of(a, x.at(0)), a.value("keepdim", false)); }},
        {"amax",
         [](operands const& x, json const& a, shape const&) { return x.at(0).amax(axes_of(a, x.at(0)), a.value("keepdim", false)); }},
        {"matmul", [](operands const& x, json const&, shape const&) { return x.at(0).matmul(x.at(1)); }},
        {"outer", [](operands const& x, json const&, shape const&) { return with_axis(x.at(0), 1).matmul(with_axis(x.at(1), 0)); }},
        {"einsum",
         [](operands const& x, json const& a, shape const&) {
             auto const given = gradus::core::equation(a.at("equation").get<std::string>()).attr;
             return x.size() == 1 ? gradus::op::einsum_of_one::expand(given, x[0]) : gradus::op::einsum::expand(given, x.at(0), x.at(1));
         }},
        {"conv1d", [](operands const& x, json const& a,
                      shape const&) { return with_bias(gradus::op::convolution::of(windows_of(a), x.at(0), x.at(1)), x.at(2)); }},
        {"conv2d", [](operands const& x, json const& a,
                      shape const&) { return with_bias(gradus::op::convolution::of(windows_of(a), x.at(0), x.at(1)), x.at(2)); }},
        {"conv_transpose2d",
         [](operands const& x, json const& a, shape const&) {
             return with_bias(gradus::op::transposed_convolution::expand(windows_of(a), x.at(0), x.at(1)), x.at(2));
         }},
        {"max_pool2d", [](operands const& x, json const& a, shape const&) { return gradus::op::max_pool::expand(pool_of(a), x.at(0)); }},
        {"avg_pool2d", [](operands const& x, json const& a, shape const&) { return gradus::op::avg_pool::expand(pool_of(a), x.at(0)); }},
        {"take_rows", [](operands const& x, json const&, shape const&) { return gradus::op::index_select::expand({}, x.at(0), x.at(1)); }},
        {"cholesky", [](operands const& x, json const&, shape const&) { return gradus::apply<gradus::op::cholesky>(x.at(0)); }},
        {"triangular_solve",
         [](operands const& x, json const&, shape const&) { return gradus::op::solve_triangular::expand({}, x.at(0), x.at(1)); }},
        {"trace", [](operands const& x, json const&, shape const&) { return gradus::op::diagonal::expand({}, x.at(0)).sum(1, false); }},
        {"reshape", [](operands const& x, json const&, shape const& s) { return x.at(0).reshape(s); }},
        {"broadcast_to", [](operands const& x, json const&, shape const& s) { return x.at(0).broadcast_to(s); }},
        {"transpose",
         [](operands const& x, json const&, shape const&) { return x.at(0).transpose(transpose_last_two(x.at(0).shape().rank())); }},
        {"permute",
         [](operands const& x, json const& a, shape const&) {
             gradus::attributes attr;
             for (int i = 0; i < x.at(0).shape().rank(); ++i) attr.n[i] = a.at("axes").at(static_cast<std::size_t>(i));
             return x.at(0).transpose(attr);
         }},
        {"slice",
         [](operands const& x, json const& a, shape const& s) {
             gradus::attributes attr;
             for (std::size_t i = 0; i < a.at("start").size(); ++i)
                 attr.n[i] = gradus::op::pack_range(a.at("start").at(i), a.at("step").at(i));
             return x.at(0).slice(attr, s);
         }},
        {"pad",
         [](operands const& x, json const& a, shape const& s) {
             gradus::attributes attr;
             for (std::size_t i = 0; i < a.at("before").size(); ++i) attr.n[i] = gradus::op::pack_range(a.at("before").at(i), 1);
             return x.at(0).pad(attr, s);
         }},
        {"concatenate",
         [](operands const& x, json const& a, shape const&) {
             gradus::attributes attr;
             attr.n[0] = a.at("axis");
             return x.at(0).concatenate(x.at(1), attr);
         }},
        {"stack",
         [](operands const& x, json const& a, shape const&) {
             gradus::attributes attr;
             attr.n[0] = a.at("axis");
             return with_axis(x.at(0), a.at("axis")).concatenate(with_axis(x.at(1), a.at("axis")), attr);
         }},
        // PyTorch's tutorial of autograd: the loss of one layer on constant data
        {"tutorial",
         [](operands const& x, json const&, shape const&) {
             value w = x.at(0), b = x.at(1);
             return gradus::op::binary_cross_entropy_with_logits::expand({}, ones(w, {5}).matmul(w) + b, zeros(w, {3}));
         }},
    };
    return all;
}

/// The attributes of a composite: axes, and the numbers that PyTorch takes as arguments, with its defaults.
inline gradus::attributes attributes_of(test_case const& c, value x) {
    auto attr = gradus::op::reduction_attributes(axes_of(c.attributes, x), c.attributes.value("keepdim", false));
    attr.value = c.op == "norm" ? 2 : c.attributes.value("eps", 1.0);  // or the correction of var and std, the delta of huber_loss
    if (c.op == "tril" || c.op == "triu" || c.op == "diagonal") attr.n[0] = 0;
    if (c.op == "roll") {
        attr.n[0] = c.attributes.at("axis");
        attr.n[1] = c.attributes.at("shift");
    }
    if (c.op == "gather" || c.op == "scatter_add") attr.n[0] = c.attributes.at("axis");
    if (c.op == "logdet" || c.op == "det" || c.op == "inv" || c.op == "solve" || c.op == "cross_entropy" || c.op == "nll_loss") attr = {};
    if (c.op == "group_norm") attr.n[0] = c.attributes.at("groups");
    if (c.op == "scaled_dot_product_attention") attr.n[0] = c.attributes.at("causal").get<bool>();
    return attr;
}

/// The expression of a case on `x`.
inline value build(test_case const& c, operands x) {
    if (c.op == "binary_cross_entropy_with_logits" && x.size() == 1) {  // "logits +-100": the targets 1, 0, 1, 0 are not in the file
        value on = x[0].index(0);
        x.push_back(gradus::where(on == 0, x[0].number(1), gradus::where(on == 2, x[0].number(1), 0)));
    }
    if (c.op == "scatter_add") std::swap(x.at(1), x.at(2));  // the files have the source before the index
    if (auto found = rules().find(c.op); found != rules().end()) return found->second(x, c.attributes, c.output.shape);
    std::string const name = c.op == "var" ? "variance" : c.op == "std" ? "stddev" : c.op;
    if (auto y = composite(gradus::op::structure_list{}, name, attributes_of(c, x[0]), x)) return *y;
    // numbers among the operands that the files leave to PyTorch's defaults or to attributes
    if (c.op == "elu") x.push_back(1);
    if (c.op == "leaky_relu") x.push_back(c.attributes.value("negative_slope", 0.01));
    if (c.op == "clamp") x.insert(x.end(), {value(c.attributes.value("min", -1.0)), value(c.attributes.value("max", 1.5))});
    if (auto y = elementwise(gradus::op::elementwise_list{}, c.op, x)) return *y;
    if (auto y = elementwise(gradus::op::further_list{}, c.op, x)) return *y;
    if (auto y = elementwise(gradus::op::connective_list{}, c.op, x)) return *y;
    if (auto y = elementwise(gradus::op::composite_list{}, c.op, x)) return *y;
    throw std::runtime_error("no rule for the golden cases of " + c.op);
}

/// Where we differ from PyTorch, and why; `element` -1 is all of them.
struct deviation {
    char const *family, *op, *name, *quantity;
    int element;
    char const* reason;
};
inline std::vector<deviation> const deviations{
    {"edges", "expm1", "", "vjp", 6, "ours is e^x, e^-100; PyTorch's y + 1 is 0"},
    {"edges", "expm1", "", "vjp", 10, "the same, e^-700"},
    {"edges", "sigmoid", "", "vjp", 5, "ours is e^-100; PyTorch's y (1 - y) is 0"},
    {"edges", "sigmoid", "", "vjp", 9, "the same, e^-700"},
    {"edges", "tanh", "", "vjp", 5, "ours is 4 e^-200; PyTorch's 1 - y^2 is 0"},
    {"edges", "tanh", "", "vjp", 6, "the same"},
    {"edges", "gelu_tanh", "", "vjp", 11, "ours is 1 at infinity; PyTorch's is 0 times infinity"},
    {"edges", "gelu_tanh", "", "vjp", 12, "the same, 0 at -infinity"},
    {"edges", "digamma", "", "vjp", -1,
     "PyTorch's trigamma stops after three terms: 8e-10 off; and has no poles at negative integers. Checked below"},
    {"unary", "digamma", "", "vjp", -1, "the same"},
    {"unary", "digamma", "", "jvp", -1, "the same"},
    {"unary", "lgamma", "", "hvp", -1, "the same"},
    {"reduction", "logcumsumexp", "", "jvp", -1, "PyTorch 1.13 says NaN; law/ compares ours with difference quotients"},
    {"reduction", "prod", "two zeros", "hvp", -1, "PyTorch 1.13 says 0 for two zeros, where d2/db dc of a b c is a; checked below"},
};

inline bool deviates(auto const& c, std::string_view quantity, std::size_t element) {
    if (quantity.rfind("recorded ", 0) == 0) quantity.remove_prefix(9);
    return std::any_of(deviations.begin(), deviations.end(), [&](deviation const& d) {
        return c.family == d.family && c.op == d.op && c.name.rfind(d.name, 0) == 0 && quantity.rfind(d.quantity, 0) == 0 &&
               (d.element < 0 || static_cast<std::size_t>(d.element) == element);
    });
}

}  // namespace golden
