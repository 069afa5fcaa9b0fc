// SPDX-License-Identifier: BSL-1.0
#include "messages.hpp"

#include <cstdlib>
#include <new>
#include <sstream>

// A call that fails changes nothing and leaks nothing. Every call below is made with its k-th allocation refused, for every k
// until it needs no more than that. After each failure what can be seen is what it was, bit by bit, and the same call made again
// has the results of a call that never failed. The linker leads malloc and aligned_alloc of this program here (--wrap). Nothing is
// kept for later calls, which would ask for less.

namespace gr = gradus;

namespace memory {

long left = -1;  ///< allocations until one is refused; negative: none is
long live = 0;
bool is_refused() {
    if (left < 0) return false;
    return left-- == 0;
}

}  // namespace memory

extern "C" {
void* __real_malloc(std::size_t);
void* __real_aligned_alloc(std::size_t, std::size_t);
void __real_free(void*);
void* __wrap_malloc(std::size_t bytes) {
    if (memory::is_refused()) return nullptr;
    ++memory::live;
    return __real_malloc(bytes);
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
    if (memory::is_refused()) return nullptr;
    ++memory::live;
    return __real_aligned_alloc(alignment, bytes);
}
void __wrap_free(void* p) {
    if (p) --memory::live;
    __real_free(p);
}
}
[[gnu::noinline]] static void* allocated(void* p) {
    if (!p) throw std::bad_alloc();
    return p;
}
[[gnu::noinline]] void* operator new(std::size_t bytes) { return allocated(__wrap_malloc(bytes)); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t a) {
    return allocated(
        __wrap_aligned_alloc(static_cast<std::size_t>(a), (bytes + static_cast<std::size_t>(a) - 1) & ~(static_cast<std::size_t>(a) - 1)));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes) { return operator new(bytes); }
[[gnu::noinline]] void operator delete(void* p) noexcept { __wrap_free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { __wrap_free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { __wrap_free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { __wrap_free(p); }
[[gnu::noinline]] void operator delete[](void* p) noexcept { __wrap_free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept { __wrap_free(p); }

namespace {

using sight = std::vector<double>;

void elements(sight& all, gr::any_tensor const& t) {
    if (!t.defined()) return all.push_back(-1e9);
    gr::any_tensor const c = t.detach().clone();
    for (std::int64_t i = 0; i < c.size(); ++i)
        all.push_back(c.dtype() == gr::dtype::float32 ? static_cast<double>(c.values<float>()[static_cast<std::size_t>(i)])
                                                      : c.values<double>()[static_cast<std::size_t>(i)]);
}
/// What can be seen of tensors: elements, versions, gradients, history.
template <class... T>
sight seen(T const&... tensors) {
    sight all;
    auto look = [&](gr::any_tensor const& t) {
        elements(all, t);
        if (!t.defined()) return;
        for (bool fact : {t.requires_grad(), t.is_leaf(), t.is_contiguous()}) all.push_back(fact);
        all.push_back(t.version());
        gr::any_tensor const g = t.grad();
        elements(all, g);
        if (g.defined()) all.push_back(g.requires_grad() + 2.0 * g.version());
        if (!t.is_leaf()) {
            gr::grad_function const f(gr::core::edge_of(t.state()));
            for (auto const& next : f.next_functions()) all.push_back(next.defined() ? static_cast<double>(next.name().size()) : 0);
            all.push_back(f.saved_count());
        }
    };
    (look(tensors), ...);
    return all;
}

[[maybe_unused]] bool const keeps_nothing = (gr::set_cache_limit(0), true);

/// `make()` sets a scene of which call() is tried, and look() tells what is seen.
void try_every_allocation(auto const& make) {
    sight const expected = [&] {
        auto scene = make();
        scene.call();
        return scene.look();
    }();
    long refused = 0;
    for (bool succeeded = false; !succeeded; ++refused) {
        long const live = memory::live;
        bool same = true, again = true;
        {
            auto scene = make();
            sight const before = scene.look();
            try {
                memory::left = refused;
                scene.call();
                memory::left = -1;
                succeeded = true;
            } catch (std::bad_alloc const&) {
                memory::left = -1;
                same = scene.look() == before;
                scene.call();
            }
            again = scene.look() == expected;
        }
        long const leaked = memory::live - live;
        CAPTURE(refused);
        CHECK(same);
        CHECK(again);
        CHECK(leaked == 0);
        if (refused > 2000) break;
    }
    CHECK(refused > 1);  // something was refused
}
template <class Call, class Look>
struct scene {
    Call call;
    Look look;
    std::vector<gr::any_tensor> leaves{};  ///< whose gradients may lead back to them

    ~scene() {
        for (auto const& each : leaves) each.zero_grad();
    }
};
template <class Call, class Look>
scene(Call, Look) -> scene<Call, Look>;
template <class Call, class Look>
scene(Call, Look, std::vector<gr::any_tensor>) -> scene<Call, Look>;

template <class T>
using row = gr::tensor<T, 3>;
template <class T>
row<T> leaf(T a) {
    return row<T>{a, a + 1, a + 2}.requires_grad_();
}

}  // namespace

TEST_CASE_TEMPLATE("a statement, its views and copies", T, float, double) {
    try_every_allocation([] {
        auto w = leaf<T>(T(0.5));
        auto y = std::make_shared<row<T>>();
        return scene{[=] { *y = gr::tanh(w) * w + T(1); }, [=] { return seen(w, *y); }};
    });
    try_every_allocation([] {  // blocks that the cache would keep
        auto w = gr::full<T, 200>(T(0.5)).requires_grad_();
        auto y = std::make_shared<gr::tensor<T, 200>>();
        return scene{[=] {
                         gr::tensor h = gr::tanh(w) * w;
                         *y = h * h;
                     },
                     [=] { return seen(w, *y); }};
    });
    try_every_allocation([] {
        auto w = leaf<T>(T(0.5));
        auto all = std::make_shared<std::vector<gr::any_tensor>>();
        return scene{[=] {
                         std::vector<gr::any_tensor> made{w.template slice<0, 2>(),
                                                          w.template reshape<3, 1>(),
                                                          w.select(1),
                                                          w.clone(),
                                                          w.detach(),
                                                          gr::cat<0>({w, w}),
                                                          w.template expand<2, 3>().contiguous(),
                                                          gr::index_select(w, gr::tensor<std::int64_t, 2>{2, 0})};
                         for (auto const& each : w.unbind()) made.push_back(each);
                         all->swap(made);
                     },
                     [=] {
                         sight s = seen(w);
                         for (auto const& t : *all)
                             for (double d : seen(t)) s.push_back(d);
                         return s;
                     }};
    });
}

TEST_CASE_TEMPLATE("a backward pass adds to all gradients or to none, and the graph stays", T, float, double) {
    auto const graph = [](bool twice, gr::backward_options options) {
        return [=] {
            auto w = leaf<T>(T(0.5)), b = leaf<T>(T(2)), c = leaf<T>(T(3));
            row<T> h = w * gr::exp(b);
            h.retain_grad();
            row<T> k = h * w + c;
            auto hook = c.register_hook([](row<T> const& g) { return row<T>(g * T(2)); });
            static_cast<void>(hook);
            gr::tensor<T> loss = gr::sum(k * k + h + h.template reshape<3>());
            if (twice) loss.backward({.retain_graph = true});
            return scene{[=] { loss.backward(options); }, [=] { return seen(w, b, c, h, loss, k); }, {w, b, c, h}};
        };
    };
    try_every_allocation(graph(false, {}));
    try_every_allocation(graph(true, {}));
    try_every_allocation(graph(true, {.retain_graph = true}));
    gr::warning_sink quiet([](std::string_view) {});
    try_every_allocation(graph(true, {.create_graph = true}));
    try_every_allocation([] {
        auto w = leaf<T>(T(0.5)), b = leaf<T>(T(2));
        gr::tensor<T> loss = gr::sum(w * w * b);
        auto given = std::make_shared<std::tuple<row<T>, row<T>>>();
        return scene{[=] { *given = gr::autograd::grad(loss, std::tuple(w, b), {.create_graph = true}); },
                     [=] { return seen(w, b, loss, std::get<0>(*given), std::get<1>(*given)); }};
    });
    try_every_allocation([] {
        auto w = leaf<T>(T(0.5)), b = leaf<T>(T(2));
        gr::tensor<T> loss = gr::sum(w * w * b);
        loss.backward({.retain_graph = true});
        return scene{[=] { loss.backward({.inputs = {w, b}}); }, [=] { return seen(w, b, loss); }};
    });
}

TEST_CASE("many leaves of one pass, some with gradients") {
    try_every_allocation([] {
        std::vector<row<double>> leaves;
        row<double> total = gr::zeros<double, 3>();
        for (int i = 0; i < 40; ++i) {
            leaves.push_back(leaf<double>(i));
            if (i % 3 == 0) leaves.back().set_grad(gr::ones<double, 3>());
            total = total + leaves.back() * leaves[static_cast<std::size_t>(i) / 2];
        }
        gr::tensor<double> loss = gr::sum(total);
        return scene{[=] { loss.backward(); },
                     [=] {
                         sight s = seen(loss);
                         for (auto const& each : leaves)
                             for (double d : seen(each)) s.push_back(d);
                         return s;
                     }};
    });
}

TEST_CASE_TEMPLATE("a step of an optimiser, and zero_grad", T, float, double) {
    auto const step = [](auto make_optimizer) {
        for (bool first : {true, false})
            try_every_allocation([=] {
                auto w = leaf<T>(T(0.5)), b = leaf<T>(T(2)), c = leaf<T>(T(3));
                auto optimizer = std::make_shared<decltype(make_optimizer(std::vector<gr::any_tensor>{}))>(
                    make_optimizer(std::vector<gr::any_tensor>{w, b, c}));
                gr::tensor<T>(gr::sum(w * w) + gr::sum(b)).backward();
                c.set_grad(gr::tensor<T, 6>{1, 0, 2, 0, 3, 0}.template slice<0, 6, 2>());
                if (!first) optimizer->step();
                return scene{[=] { optimizer->step(); },
                             [=] {
                                 sight s = seen(w, b, c);
                                 for (std::size_t i = 0; i < 3; ++i) s.push_back(optimizer->state(i).has_begun());
                                 return s;
                             }};
            });
    };
    step([](std::vector<gr::any_tensor> p) { return gr::optim::adam(std::move(p), {.lr = 0.1}); });
    step([](std::vector<gr::any_tensor> p) { return gr::optim::adamw(std::move(p), {.lr = 0.1}); });
    step([](std::vector<gr::any_tensor> p) { return gr::optim::sgd(std::move(p), {.lr = 0.1, .momentum = 0.9, .dampening = 0.5}); });
    step([](std::vector<gr::any_tensor> p) { return gr::optim::sgd(std::move(p), {.lr = 0.1, .momentum = 0.9, .nesterov = true}); });
    try_every_allocation([] {
        auto w = leaf<T>(T(0.5)), b = leaf<T>(T(2));
        auto optimizer = std::make_shared<gr::optim::sgd>(std::vector<gr::any_tensor>{w, b}, gr::optim::sgd_options{});
        for (auto const& p : {w, b}) p.set_grad(gr::tensor<T, 6>{1, 0, 2, 0, 3, 0}.template slice<0, 6, 2>());
        return scene{[=] { optimizer->zero_grad(false); }, [=] { return seen(w, b); }};
    });
}

namespace {

constexpr auto xs = gr::var<"x", double, "n", 3>;
constexpr auto ps = gr::var<"p", double, 3>;
constexpr auto model = gr::compile(gr::sum(gr::tanh(gr::matmul(xs, ps))), gr::tanh(gr::matmul(xs, ps)));
constexpr auto descent = gr::compile(gr::update(ps, ps - gr::grad(gr::sum(gr::square(gr::matmul(xs, ps))), ps)), gr::matmul(xs, ps));

}  // namespace

TEST_CASE("printing") {
    try_every_allocation([] {
        auto w = leaf<double>(0.5);
        gr::tensor y = w * w;
        auto out = std::make_shared<std::size_t>(0);
        return scene{[=] {
                         *out = gr::to_string(y).str().size() + y.grad_fn().graph().str().size() + y.grad_fn().to_dot().str().size() +
                                gr::to_dot(y).str().size() + model.explain(gr::dim<"n"> = 2).str().size();
                     },
                     [=] { return sight{static_cast<double>(*out)}; }};
    });
}

TEST_CASE_TEMPLATE("writing in place", T, float, double) {
    auto const write = [](auto change) {
        try_every_allocation([=] {
            auto w = leaf<T>(T(0.5));
            row<T> t = w * T(2), other{4, 5, 6};
            gr::tensor<T, 2> view = t.template slice<1, 3>();
            t.retain_grad();
            return scene{[=] { change(t, view, w, other); }, [=] { return seen(w, t, view, other); }};
        });
    };
    write([](auto& t, auto&, auto& w, auto&) { t += w; });
    write([](auto& t, auto&, auto&, auto&) { t.exp_(); });
    write([](auto& t, auto&, auto& w, auto&) { t.copy_(gr::cumsum<0>(w * t)); });
    write([](auto& t, auto&, auto&, auto&) { t.fill_(T(3)); });
    write([](auto&, auto& view, auto&, auto&) { view *= T(2); });
    write([](auto&, auto& view, auto& w, auto&) { view.copy_(w[0]); });
    write([](auto& t, auto&, auto&, auto& other) { other.copy_(t); });
    write([](auto& t, auto&, auto&, auto&) {
        gr::no_grad guard;
        t[1] = T(9);
    });
}

TEST_CASE("hooks and retained gradients are there or not") {
    auto const call = [](auto change) {
        try_every_allocation([=] {
            auto w = leaf<double>(0.5);
            row<double> y = w * w;
            gr::tensor<double> loss = gr::sum(y);
            return scene{[=] { change(w, y); },
                         [=] {
                             w.zero_grad();
                             loss.backward({.retain_graph = true});
                             sight s = seen(w);
                             s.push_back(y.retains_grad());
                             elements(s, gr::any_tensor(y).grad());
                             y.zero_grad();
                             return s;
                         }};
        });
    };
    call([](auto& w, auto&) { w.register_hook([](row<double> const& g) { return row<double>(g * 2.0); }); });
    call([](auto&, auto& y) { y.register_hook([](row<double> const& g) { return row<double>(g * 2.0); }); });
    call([](auto&, auto& y) { y.retain_grad(); });
}

namespace {

struct doubled : gr::autograd::function<doubled> {
    static auto forward(gr::autograd::context& ctx, row<double> const& x, row<double> const& y) {
        ctx.save_for_backward(x, y);
        ctx.saved_data<double>() = 2;
        return x * y;
    }
    static auto backward(gr::autograd::context& ctx, row<double> const& g) {
        return std::tuple(ctx.saved<1, double, 3>() * g, ctx.saved<0, double, 3>() * g);
    }
};

}  // namespace

TEST_CASE("checkpoints and functions of the user's") {
    auto const nested = [](row<double> const& a, row<double> const& b) {
        row<double> c = gr::checkpoint(
            [](row<double> const& d) {
                row<double> e = gr::exp(d) * d;
                return row<double>(e * e);
            },
            row<double>(a * b));
        return row<double>(c * b);
    };
    try_every_allocation([=] {
        auto w = leaf<double>(0.5), b = leaf<double>(0.25);
        auto y = std::make_shared<row<double>>();
        return scene{[=] { *y = gr::checkpoint(nested, w, b); }, [=] { return seen(w, b, *y); }};
    });
    try_every_allocation([=] {
        auto w = leaf<double>(0.5), b = leaf<double>(0.25);
        gr::tensor<double> loss = gr::sum(gr::checkpoint(nested, w, b));
        return scene{[=] { loss.backward(); }, [=] { return seen(w, b); }};
    });
    try_every_allocation([=] {
        auto w = leaf<double>(0.5), b = leaf<double>(0.25);
        auto y = std::make_shared<row<double>>();
        return scene{[=] { *y = doubled::apply(w, b); }, [=] { return seen(w, b, *y); }};
    });
    try_every_allocation([=] {
        auto w = leaf<double>(0.5), b = leaf<double>(0.25);
        gr::tensor<double> loss = gr::sum(doubled::apply(w, b));
        return scene{[=] { loss.backward(); }, [=] { return seen(w, b); }};
    });
}

TEST_CASE("programs: results by value, workspaces, updates, and calls with tensors") {
    try_every_allocation([] {
        auto samples = std::make_shared<gr::array<double, gr::dyn, 3>>(4);
        auto weights = std::make_shared<std::vector<double>>(std::vector{1.0, 2.0, 3.0});
        for (int i = 0; i < 12; ++i) samples->data()[i] = 0.1 * i;
        return scene{[=] { descent(xs = *samples, ps = *weights); }, [=] { return *weights; }};
    });
    try_every_allocation([] {
        auto w = leaf<double>(0.5);
        gr::tensor<double, gr::dyn, 3> samples{{1, 2, 3}, {4, 5, 6}};
        auto y = std::make_shared<gr::tensor<double, gr::dyn>>();
        return scene{[=] {
                         auto [total, all] = model(xs = samples, ps = w);
                         static_cast<void>(total);
                         *y = all;
                     },
                     [=] { return seen(w, samples, *y); }};
    });
    try_every_allocation([] {
        row<double> w{1, 2, 3};
        gr::tensor<double, gr::dyn, 3> samples{{1, 2, 3}, {4, 5, 6}};
        return scene{[=] { descent(xs = samples, ps = w); }, [=] { return seen(w, samples); }};
    });
}

TEST_CASE("a user's hook or function that throws leaves gradients and graph as they were") {
    struct refusal {};
    auto w = leaf<double>(0.5), b = leaf<double>(2);
    bool throws = true;
    auto const may_throw = [&] {
        if (throws) throw refusal{};
    };
    row<double> y = w * w;
    gr::tensor<double> loss = gr::sum(y * b);
    w.set_grad(gr::ones<double, 3>());
    auto const is_unchanged = [&] {
        sight const before = seen(w, b, y, loss);
        throws = true;
        CHECK_THROWS_AS(loss.backward(), refusal);
        CHECK(seen(w, b, y, loss) == before);
    };
    auto const on_computed = y.register_hook([&](row<double> const&) { may_throw(); });
    is_unchanged();
    auto removed = on_computed;
    removed.remove();
    auto on_leaf = b.register_hook([&](row<double> const&) { may_throw(); });
    is_unchanged();
    on_leaf.remove();
    auto on_node = loss.grad_fn().register_hook([&](auto const&, auto const&) { may_throw(); });
    is_unchanged();
    on_node.remove();
    throws = false;
    loss.backward();
    CHECK(w.grad()(0) == 1 + 2 * 0.5 * 2);  // d(w w b) = 2 w b
    CHECK(b.grad()(0) == 0.25);
    // what is called after the gradients have changed finds them all changed
    row<double> again = w * b;
    auto late = w.register_post_accumulate_grad_hook([&](row<double> const&) {
        CHECK(b.grad()(0) == 0.25 + 0.5);
        may_throw();
    });
    throws = true;
    CHECK_THROWS_AS(again.backward(gr::ones<double, 3>()), refusal);
    CHECK(w.grad()(0) == 5);
    CHECK_THROWS_AS(again.backward(gr::ones<double, 3>()), gr::autograd_error);  // the graph has been let go
}

TEST_CASE("where the system has no more, what is kept is given to it first") {
    if (gr::sanitizes_memory) return;
    gr::set_cache_limit(1 << 20);
    long const live = memory::live;
    { auto kept = gr::ones<double, 200>(); }
    CHECK(memory::live > live);
    memory::left = 0;
    auto larger = gr::ones<double, 300>();
    CHECK(memory::left < 0);  // one allocation was refused
    CHECK(larger(299) == 1);
    CHECK(gr::memory_statistics().cached == 0);
    gr::set_cache_limit(0);
}

TEST_CASE("errors in the middle of a call") {
    gr::tensor<double, gr::dyn> a{1, 2, 3}, b{1, 2};
    auto w = leaf<double>(1);
    sight const before = seen(a, b, w);
    CHECK_THROWS_AS(a += b, gr::shape_error);
    CHECK_THROWS_AS(a.copy_(b), gr::shape_error);
    CHECK_THROWS_AS(gr::index_select(w, gr::tensor<std::int64_t, 2>{0, 3}), gr::shape_error);
    CHECK_THROWS_AS(a.slice(1, 3, 0), gr::error);
    CHECK_THROWS_AS(w += 1.0, gr::autograd_error);
    gr::tensor<double> loss = gr::sum(w);
    CHECK_THROWS_AS(gr::autograd::grad(loss, std::tuple(w, leaf<double>(2))), gr::autograd_error);  // one is not used
    loss = gr::sum(w * w);
    CHECK_THROWS_AS(gr::autograd::grad(loss, std::tuple(w, leaf<double>(2))), gr::autograd_error);
    CHECK(gr::autograd::grad(loss, w)(0) == 2);  // the graph is there
    CHECK(seen(a, b, w) == before);
}
