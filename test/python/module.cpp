// SPDX-License-Identifier: BSL-1.0
#include <gradus.hpp>
#include <gradus/python.hpp>

namespace gr = gradus;

// The functions that functions.py calls.
namespace {

constexpr auto x = gr::var<"x", float, "batch", 5>;
constexpr auto y = gr::var<"y", float, "batch", 3>;
constexpr auto w = gr::var<"w", float, 5, 3>;
constexpr auto b = gr::var<"b", float, 3>;
constexpr auto rate = gr::var<"rate", float>;
constexpr auto loss = gr::binary_cross_entropy_with_logits(gr::matmul(x, w) + b, y);
constexpr auto gradients = gr::compile(loss, gr::grad(loss, w), gr::grad(loss, b));
constexpr auto train = gr::compile(gr::update(w, w - rate * gr::grad(loss, w)), gr::update(b, b - rate * gr::grad(loss, b)));
constexpr auto train_and_tell = gr::compile(loss, gr::update(w, w - rate * gr::grad(loss, w)));

// Each element type, as an array and as a number.
template <class T>
void def_kind(pybind11::module_& module, char const* name) {
    constexpr auto v = gr::var<"v", T, "n">;
    constexpr auto s = gr::var<"s", T>;
    constexpr auto total = gr::var<"total", T>;
    if constexpr (std::is_same_v<T, bool>) {
        gr::python::def(module, name, gr::compile(gr::logical_and(v, s), gr::any(v), gr::update(total, gr::logical_or(total, s))));
    } else {
        gr::python::def(module, name, gr::compile(v + s, gr::sum(v), gr::update(total, total + s)));
    }
}

// Sizes that no array tells, and arithmetic on names.
constexpr auto row = gr::var<"row", double, 3>;
constexpr auto inner = gr::var<"inner", double, "k - 2">;
constexpr auto outer = gr::var<"outer", double, "k">;
constexpr auto copies = gr::compile(gr::broadcast_to<"times", 3>(row));
constexpr auto of_inner = gr::compile(gr::sum(inner) * gr::size<"k">);
constexpr auto of_both = gr::compile(gr::sum(gr::slice<1, -1>(outer) * inner));

constexpr auto m = gr::var<"m", double, "n", "n">;
constexpr auto power = gr::compile(gr::matmul(m, gr::matmul(m, gr::matmul(m, m))));

constexpr auto a = gr::var<"a", double, "n", 2>;
constexpr auto c = gr::var<"c", double>;
constexpr auto t = gr::var<"t", double, "m", 2>;
constexpr auto unused = gr::var<"unused", double, 3>;
constexpr auto distance = gr::sum(gr::square(gr::exp(a) - c)) + gr::sum(gr::square(gr::matmul(t, gr::transpose(a))));
constexpr auto p = gr::var<"p", double, "m">;
constexpr auto q = gr::var<"q", double, "k">;
constexpr auto fitted = gr::sum(gr::square(gr::matmul(p, t))) + gr::sum(q);

}  // namespace

PYBIND11_MODULE(gradus_test, module) {
    gr::python::def(module, "gradients", gradients, "The loss and its derivatives.");
    gr::python::def(module, "train", train);
    gr::python::def(module, "train_and_tell", train_and_tell);
    def_kind<bool>(module, "kind_bool");
    def_kind<std::int32_t>(module, "kind_int32");
    def_kind<std::int64_t>(module, "kind_int64");
    def_kind<gr::float16>(module, "kind_float16");
    def_kind<float>(module, "kind_float32");
    def_kind<double>(module, "kind_float64");
    gr::python::def(module, "copies", copies);
    gr::python::def(module, "of_inner", of_inner);
    gr::python::def(module, "of_both", of_both);
    gr::python::def(module, "power", power);
    gr::python::def_objective(module, "distance", distance, a, c, unused);
    gr::python::def_objective(module, "fitted", fitted, q, p);
    gr::python::def_objective(module, "cubes", [](auto const& v) { return gr::sum(v * v * v); });
    gr::python::def_objective(module, "refused", [](auto const& v) { return gr::sum(v) * v.item(); });
}
