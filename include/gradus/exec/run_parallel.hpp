// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/exec/run.hpp>

// Kernels on threads that the caller lends. Whoever computes a row computes it alone and in one order, and sums over rows are
// left to one thread: results have the same bits for any number of threads.

namespace gradus::inline GRADUS_ARCH {

/// An argument of a call, made by gr::parallel.
template <class Run>
struct parallel_argument {
    int threads;
    Run& run;
};
/// Runs a program on several threads: `step(x = X, w = W, gr::parallel(2, run))`. `run(n, f)` calls f(0), ..., f(n - 1), n being
/// at most `threads`, and returns when all have returned; they may, but need not, run at the same time:
/// `[](int n, auto f) { tbb::parallel_for(0, n, f); }`. Products of matrices and large elementwise kernels are shared out, what is
/// small is not. Results have the same bits as on one thread. Each thread has scratch memory of its own for products.
template <class Run>
constexpr parallel_argument<std::remove_reference_t<Run>> parallel(int threads, Run&& run) {
    static_assert(std::is_object_v<std::remove_reference_t<Run>>,
                  "gradus::parallel(threads, run): run is a function: hand in an object that calls it, [](int n, auto f) { ...; }");
    return {threads < 1 ? 1 : threads, run};
}

namespace core {

template <class T>
inline constexpr bool is_parallel = false;
template <class Run>
inline constexpr bool is_parallel<parallel_argument<Run>> = true;

/// The caller's threads, their type erased.
struct thread_team {
    int threads = 1;
    void* pool = nullptr;
    void (*call)(void* pool, int n, void (*task)(void*, int), void* data) = nullptr;

    template <class Run>
    static thread_team of(parallel_argument<Run> const& p) {
        return {p.threads, const_cast<void*>(static_cast<void const*>(&p.run)),
                [](void* pool, int n, void (*task)(void*, int), void* data) {
                    (*static_cast<Run*>(pool))(n, [task, data](int i) { task(data, i); });
                }};
    }
    /// f(context) for every thread's context.
    template <class F>
    void each(run_context const& c, F f) const {
        struct shared {
            run_context const& c;
            int threads;
            F& f;
        } all{c, threads, f};
        call(
            pool, threads,
            [](void* data, int i) {
                auto const& s = *static_cast<shared*>(data);
                run_context mine = s.c;
                mine.thread = i;
                mine.threads = s.threads;
                s.f(mine);
            },
            &all);
    }
};

/// Is each row of a group's results computed from that row alone, and can a loop begin at any?
template <class Source, planned_group G>
constexpr bool is_by_rows() {
    if constexpr (G.kind == kernel_kind::loop) {
        constexpr auto const& d = loop_code<Source, G.number>::value.description;
        for (auto const& o : d.outputs)
            if (o.how == kernel::fold::epilogue || (o.axes && !kernel::loop_facts<d>::folds_row(o))) return false;
        for (auto const& input : d.inputs)
            if (input.has_window()) return false;
        for (auto const& i : d.code)
            if (i.op == kernel::index) return false;
        return d.extents[0] == kernel::at_run_time && G.domain[0].code != 1;
    } else return G.kind == kernel_kind::contraction && G.part == row_part::local;
}
/// How many groups from `First` to `Last` are such.
template <class Source, int First, int Last>
constexpr int groups_by_rows() {
    if constexpr (First == Last) return 0;
    else if constexpr (!is_by_rows<Source, stages<Source>::plan.groups[First]>()) return 0;
    else return 1 + groups_by_rows<Source, First + 1, Last>();
}

/// Groups First + I of the plan, each thread on blocks of rows of its own, `piece` rows at a time (0: all at once). Blocks are those of one
/// thread, since what sums along rows may group them by where it begins.
template <class Source, int First, int... I>
void share_rows(run_context const& c, thread_team const& team, std::int64_t rows, std::int64_t block, std::int64_t piece,
                std::integer_sequence<int, I...>) {
    team.each(c, [rows, block, piece](run_context const& mine) {
        std::int64_t const blocks = (rows + block - 1) / block;
        std::int64_t const begin = blocks * mine.thread / mine.threads * block,
                           end = std::min(rows, blocks * (mine.thread + 1) / mine.threads * block);
        if (begin >= end) return;
        groups_of_kernel<Source, First, I...> groups(mine);
        for (std::int64_t row = begin, step = piece ? piece : end - begin; row < end; row += step)
            groups.rows(row, std::min(step, end - row));
        groups.end();
    });
}

/// A product and the groups behind it: first those that go by rows, on all threads, then the rest block by block.
template <class Source, int Position, int... Rows, int... Rest>
void share_product(run_context const& c, thread_team const& team, std::integer_sequence<int, Rows...>,
                   std::integer_sequence<int, Rest...>) {
    constexpr planned_kernel k = stages<Source>::plan.kernels[Position];
    using product = bound_product<Source, stages<Source>::plan.groups[k.first].node>;
    using T = typename product::T;
    team.each(c, [](run_context const& mine) {
        using groups_type = groups_of_kernel<Source, k.first + 1, Rows...>;
        groups_type groups(mine);
        product p(mine);
        p.work.finished = {[](void* to, std::int64_t first, std::int64_t count) { static_cast<groups_type*>(to)->rows(first, count); },
                           &groups};
        kernel::contract<T>(p.a, p.layout_a, p.b, p.layout_b, p.to, p.size.n, p.size, p.work);
        groups.end();
    });
    if constexpr (sizeof...(Rest) > 0) {
        product const p(c);
        groups_of_kernel<Source, k.first + 1 + sizeof...(Rows), Rest...> groups(c);
        std::int64_t const rows = p.size.m, block = kernel::block_of_rows<T>(p.layout_a, p.layout_b, p.size);
        for (std::int64_t row = 0; row < rows || row == 0; row += block) groups.rows(row, std::min(block, rows - row));
        groups.end();
    }
}

/// A small product is shared by quarters of its rows, where it has many.
template <class Product>
inline constexpr bool has_quarters = Product::lead == 0 && Product::m.is_static() && Product::m.code >= target::product_rows &&
                                     Product::m.code % 4 == 0 && Product::k.code > 1;
template <class Source, int Node>
GRADUS_FLATTEN void share_quarters(run_context const& c) {
    using product = bound_product<Source, Node>;
    constexpr int rows = static_cast<int>(product::m.code / 4), columns = static_cast<int>(product::k.code);
    product const p(c);
    for (int i = 4 * c.thread / c.threads; i < 4 * (c.thread + 1) / c.threads; ++i)
        kernel::contract_static<typename product::T, false, rows, columns, static_cast<int>(product::inner.code), product::are>(
            p.a + i * rows * p.layout_a.row_stride, p.layout_a, p.b, p.layout_b, p.to + i * rows * columns, columns);
}

/// Is a product computed by one call, whatever the number of threads?
template <class Product>
inline constexpr bool is_one_piece = Product::lead == 0 && is_small(Product::m, Product::k, Product::inner) && !has_quarters<Product>;

/// Does an operation's own kernel run on all threads? It decides itself whether there is enough to do.
template <class Source, int At>
inline constexpr bool is_shared_kernel = [] {
    constexpr planned_group g = stages<Source>::plan.groups[At];
    if constexpr (g.kind == kernel_kind::whole) return shares_threads<Source, g.node>;
    else return false;
}();

/// Operations of a group, about; 0 for one that no threads share.
template <class Source, int At>
std::int64_t work_of(run_context const& c) {
    static constexpr planned_group g = stages<Source>::plan.groups[At];
    constexpr monomial work = [] {
        dimension_table dimensions = stages<Source>::plan.dimensions;
        monomial const elements = dimensions.size(g.domain);
        if constexpr (g.kind == kernel_kind::loop) return elements * monomial{loop_code<Source, g.number>::n.code, 0};
        else if constexpr (g.kind != kernel_kind::contraction) return monomial{};
        else if constexpr (is_one_piece<bound_product<Source, g.node>>) return monomial{};
        else return elements * dimensions.of(bound_product<Source, g.node>::inner) * monomial{2, 0};
    }();
    return work.at(c.dimensions);
}

template <class Source, int At>
void run_group_on(run_context const& c, thread_team const& team) {
    constexpr planned_group g = stages<Source>::plan.groups[At];
    if constexpr (is_shared_kernel<Source, At>) {
        run_whole<Source, g.node>(c, [&](std::int64_t operations, auto const& run) {
            if (operations < target::worth_threads) return run(0, 1);
            team.each(c, [&run](run_context const& mine) { run(mine.thread, mine.threads); });
        });
    } else if constexpr (g.kind == kernel_kind::contraction) {
        using product = bound_product<Source, g.node>;
        if constexpr (is_one_piece<product>) run_group<Source, At>(c);
        else if constexpr (product::lead == 0 && is_small(product::m, product::k, product::inner))
            team.each(c, share_quarters<Source, g.node>);
        else team.each(c, run_contraction<Source, g.node>);
    } else if constexpr (groups_by_rows<Source, At, At + 1>() == 1) {
        std::int64_t const rows = rows_in<Source, At>(c);
        share_rows<Source, At>(c, team, rows, target::product_rows, 0, std::integer_sequence<int, 0>{});
    } else run_group<Source, At>(c);
}

template <class Source, int Position>
void run_kernel_on(run_context const& c, thread_team const& team) {
    constexpr planned_kernel k = stages<Source>::plan.kernels[Position];
    std::int64_t const work = [&]<int... I>(std::integer_sequence<int, I...>) {
        return (work_of<Source, k.first + I>(c) + ...);
    }(std::make_integer_sequence<int, k.groups>{});
    if (work < target::worth_threads && !is_shared_kernel<Source, k.first>) return run_kernel<Source, Position>(c);
    if constexpr (k.rows == fused_rows::after_product) {
        constexpr int by_rows = groups_by_rows<Source, k.first + 1, k.first + k.groups>();
        share_product<Source, Position>(c, team, std::make_integer_sequence<int, by_rows>{},
                                        std::make_integer_sequence<int, k.groups - 1 - by_rows>{});
    } else if constexpr (k.rows == fused_rows::blocks) {
        if constexpr (groups_by_rows<Source, k.first, k.first + k.groups>() == k.groups)
            share_rows<Source, k.first>(c, team, rows_in<Source, k.first>(c), block_rows<Source, Position>(c),
                                        block_rows<Source, Position>(c), std::make_integer_sequence<int, k.groups>{});
        else run_blocks<Source, Position>(c, std::make_integer_sequence<int, k.groups>{});
    } else {
        [&]<int... I>(std::integer_sequence<int, I...>) {
            (run_group_on<Source, k.first + I>(c, team), ...);
        }(std::make_integer_sequence<int, k.groups>{});
    }
    run_groups<Source, k.first + k.groups>(c, std::make_integer_sequence<int, k.after>{});
}

template <class Source>
void run_program_on(run_context const& c, thread_team const& team) {
    if (interprets || team.threads == 1) return run_program<Source>(c);  // an interpreted loop has the bits of one thread
    context_of<Source> at(c);
    [&]<int... K>(std::integer_sequence<int, K...>) {
        (run_kernel_on<Source, K>(at, team), ...);
    }(std::make_integer_sequence<int, stages<Source>::plan.kernel_count>{});
    copy_back_all<Source>(at);
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
