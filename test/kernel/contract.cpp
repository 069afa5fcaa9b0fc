// SPDX-License-Identifier: BSL-1.0
#ifdef GRADUS_TEST_MAIN
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#endif
#include <doctest/doctest.h>

#include <gradus/kernel/contract.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using gradus::kernel::contiguous;
using gradus::kernel::contract;
using gradus::kernel::contract_extents;
using gradus::kernel::contract_scratch;
using gradus::kernel::contract_static;
using gradus::kernel::matrix_layout;

/// Elements that end where a page without access begins, so that one read or write too far is a crash.
template <class T>
class guarded {
public:
    explicit guarded(std::int64_t n) {
        auto const page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        auto const bytes = static_cast<std::size_t>(n) * sizeof(T);
        size_ = (bytes + page - 1) / page * page + page;
        base_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(base_ != MAP_FAILED);
        char* const wall = static_cast<char*>(base_) + size_ - page;
        REQUIRE(mprotect(wall, page, PROT_NONE) == 0);
        data_ = reinterpret_cast<T*>(wall) - n;
    }
    guarded(guarded const&) = delete;
    guarded& operator=(guarded const&) = delete;
    ~guarded() { munmap(base_, size_); }

    T* data() { return data_; }
    T& operator[](std::int64_t i) { return data_[i]; }

private:
    void* base_;
    std::size_t size_;
    T* data_;
};

/// How A and B lie: rows (N) or columns (T) contiguous, or every element `gap` apart as in a strided view.
matrix_layout layout_of(bool transposed, std::int64_t rows, std::int64_t columns, std::int64_t gap) {
    return transposed ? matrix_layout{gap, rows * gap} : matrix_layout{columns * gap, gap};
}

std::int64_t span_of(matrix_layout l, std::int64_t rows, std::int64_t columns) {
    return rows == 0 || columns == 0 ? 0 : (rows - 1) * l.row_stride + (columns - 1) * l.column_stride + 1;
}

struct problem {
    contract_extents e;
    bool a_transposed = false, b_transposed = false;
    std::int64_t a_gap = 1, b_gap = 1, c_gap = 0;
};

std::mt19937 generator(20240607);

template <class T>
struct operands {
    explicit operands(problem const& p)
        : la(layout_of(p.a_transposed, p.e.m, p.e.k, p.a_gap)),
          lb(layout_of(p.b_transposed, p.e.k, p.e.n, p.b_gap)),
          ldc(p.e.n + p.c_gap),
          sizes{span_of(la, p.e.m, p.e.k), span_of(lb, p.e.k, p.e.n), span_of({ldc, 1}, p.e.m, p.e.n)},
          a(sizes[0]),
          b(sizes[1]),
          c(sizes[2]) {
        std::uniform_real_distribution<T> uniform(-1, 1);
        for (std::int64_t i = 0; i < sizes[0]; ++i) { a[i] = uniform(generator); }
        for (std::int64_t i = 0; i < sizes[1]; ++i) { b[i] = uniform(generator); }
        for (std::int64_t i = 0; i < sizes[2]; ++i) { c[i] = uniform(generator); }
        before.assign(c.data(), c.data() + sizes[2]);
    }

    /// Every element of C against a sum in long double, every gap of C against what it was.
    void check(contract_extents e, bool accumulate) {
        // A sum of k products in any order is off by at most k + 1 roundings of the sum of their magnitudes.
        long double const unit = std::numeric_limits<T>::epsilon() * static_cast<long double>(e.k + 2);
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < e.m; ++i) {
            for (std::int64_t j = 0; j < e.n; ++j) {
                long double sum = accumulate ? before[static_cast<std::size_t>(i * ldc + j)] : 0;
                long double magnitude = std::abs(sum);
                for (std::int64_t p = 0; p < e.k; ++p) {
                    long double const x = a[i * la.row_stride + p * la.column_stride];
                    long double const product = x * b[p * lb.row_stride + j * lb.column_stride];
                    sum += product;
                    magnitude += std::abs(product);
                }
                wrong += !(std::abs(c[i * ldc + j] - sum) <= unit * magnitude);
            }
            for (std::int64_t j = e.n; j < ldc && e.n > 0 && i + 1 < e.m; ++j) {
                wrong += c[i * ldc + j] != before[static_cast<std::size_t>(i * ldc + j)];
            }
        }
        CHECK(wrong == 0);
    }

    matrix_layout la, lb;
    std::int64_t ldc;
    std::int64_t sizes[3];
    guarded<T> a, b, c;
    std::vector<T> before;
};

template <class T, bool Accumulate>
void check_one(problem const& p) {
    CAPTURE(sizeof(T));
    CAPTURE(Accumulate);
    operands<T> o(p);
    contract<T, Accumulate>(o.a.data(), o.la, o.b.data(), o.lb, o.c.data(), o.ldc, p.e);
    o.check(p.e, Accumulate);
    // with scratch memory, the same bits
    guarded<T> c(o.sizes[2]), scratch(contract_scratch<T>(o.la, o.lb, p.e));
    std::copy(o.before.begin(), o.before.end(), c.data());
    std::int64_t rows = 0;
    auto const finished = [](void* to, std::int64_t first, std::int64_t count) {
        CHECK(first == *static_cast<std::int64_t*>(to));
        *static_cast<std::int64_t*>(to) += count;
    };
    contract<T, Accumulate>(o.a.data(), o.la, o.b.data(), o.lb, c.data(), o.ldc, p.e, {scratch.data(), {finished, &rows}});
    CHECK(rows == p.e.m);
    CHECK(std::memcmp(c.data(), o.c.data(), static_cast<std::size_t>(o.sizes[2]) * sizeof(T)) == 0);
}

void check_all(problem const& p) {
    CAPTURE(p.e.m);
    CAPTURE(p.e.n);
    CAPTURE(p.e.k);
    CAPTURE(p.a_transposed);
    CAPTURE(p.b_transposed);
    CAPTURE(p.a_gap);
    CAPTURE(p.b_gap);
    check_one<float, false>(p);
    check_one<float, true>(p);
    check_one<double, false>(p);
    check_one<double, true>(p);
}

void check_layouts(contract_extents e) {
    for (int layout = 0; layout < 4; ++layout) { check_all({e, (layout & 1) != 0, (layout & 2) != 0, 1, 1, layout % 3}); }
}

template <class T, bool Accumulate, int M, int N, int K, contiguous Are>
void check_static_one(problem const& p) {
    operands<T> o(p);
    if ((Are.a_columns && o.la.row_stride != 1) || (Are.b_rows && o.lb.column_stride != 1)) return;  // what is said of them must be so
    CAPTURE(Are.a_columns);
    CAPTURE(Are.b_rows);
    contract_static<T, Accumulate, M, N, K, Are>(o.a.data(), o.la, o.b.data(), o.lb, o.c.data(), o.ldc);
    o.check(p.e, Accumulate);
}

template <class T, int M, int N, int K, contiguous Are>
void check_static_knowing(problem const& p) {
    check_static_one<T, false, M, N, K, Are>(p);
    check_static_one<T, true, M, N, K, Are>(p);
}

template <class T, int M, int N, int K>
void check_static(problem p) {
    CAPTURE(M);
    CAPTURE(N);
    CAPTURE(K);
    p.e = {M, N, K};
    for (int layout = 0; layout < 4; ++layout) {
        CAPTURE(layout);
        p.a_transposed = (layout & 1) != 0;
        p.b_transposed = (layout & 2) != 0;
        check_static_knowing<T, M, N, K, contiguous{false, false}>(p);
        check_static_knowing<T, M, N, K, contiguous{false, true}>(p);
        check_static_knowing<T, M, N, K, contiguous{true, false}>(p);
        check_static_knowing<T, M, N, K, contiguous{true, true}>(p);
    }
}

}  // namespace

TEST_CASE("contract: small and prime extents, every layout") {
    for (std::int64_t const m : {1, 2, 3, 7, 8, 13}) {
        for (std::int64_t const n : {1, 2, 5, 16, 17, 31, 37}) {
            for (std::int64_t const k : {1, 2, 3, 16, 19}) { check_layouts({m, n, k}); }
        }
    }
}

TEST_CASE("contract: random extents from 1 to 40, strided views") {
    std::uniform_int_distribution<std::int64_t> extent(1, 40), gap(1, 3);
    std::bernoulli_distribution coin;
    for (int round = 0; round < 300; ++round) {
        check_all({{extent(generator), extent(generator), extent(generator)},
                   coin(generator),
                   coin(generator),
                   gap(generator),
                   gap(generator),
                   gap(generator) - 1});
    }
}

TEST_CASE("contract: deeper than a cache block, wider than a panel") {
    check_layouts({64, 128, 784});
    check_layouts({784, 128, 64});
    check_layouts({33, 67, 1031});
    check_layouts({101, 103, 107});
    check_layouts({150, 100, 150});
    check_layouts({70, 2060, 17});  // more columns than are packed at a time
    check_all({{66, 132, 1024}});   // rows of A that the cache keeps in the same places
    check_all({{66, 1024, 140}});   // and rows of B, which are more than the second cache keeps
}

TEST_CASE_TEMPLATE("contract: the error of a deep product is that of a block and of the sum of the blocks", T, float, double) {
    std::int64_t const depth = gradus::kernel::detail::tile<T>::depth;
    std::mt19937 random(7);
    std::uniform_real_distribution<T> positive(0, 1), any(-1, 1);
    for (std::int64_t k : {std::int64_t{1000}, std::int64_t{1000000}})
        for (int kind = 0; kind < 3; ++kind) {
            CAPTURE(k);
            CAPTURE(kind);
            auto draw = [&](double constant) { return kind == 0 ? static_cast<T>(constant) : kind == 1 ? positive(random) : any(random); };
            std::vector<T> a(static_cast<std::size_t>(2 * k)), b(static_cast<std::size_t>(k * 3)), c(6);
            for (T& x : a) x = draw(0.3);  // ones in the last places: plain sums lose some of each addition in the same direction
            for (T& x : b) x = draw(0.7);
            contract<T>(a.data(), {k, 1}, b.data(), {3, 1}, c.data(), 3, {2, 3, k});
            for (std::int64_t i = 0; i < 2; ++i)
                for (std::int64_t j = 0; j < 3; ++j) {
                    long double exact = 0, size = 0;
                    for (std::int64_t p = 0; p < k; ++p) {
                        long double const term = static_cast<long double>(a[static_cast<std::size_t>(i * k + p)]) *
                                                 static_cast<long double>(b[static_cast<std::size_t>(p * 3 + j)]);
                        exact += term;
                        size += std::abs(term);
                    }
                    auto const terms = static_cast<long double>(depth + (k + depth - 1) / depth);
                    auto const found = static_cast<long double>(c[static_cast<std::size_t>(i * 3 + j)]);
                    CHECK(std::abs(found - exact) <= terms / 2 * size * static_cast<long double>(std::numeric_limits<T>::epsilon()));
                }
        }
}
TEST_CASE("contract: matrix times vector and vector times matrix, long and strided") {
    for (std::int64_t const s : {61, 1027, 2100}) {
        check_layouts({s, 1, 53});
        check_layouts({53, 1, s});
        check_layouts({1, s, 53});
        check_layouts({1, 53, s});
        check_all({{1, 53, s}, false, false, 2, 3, 0});
        check_all({{53, 1, s}, true, false, 2, 3, 4});
        check_all({{53, 1, s}, false, true, 1, 2, 4});
    }
    check_layouts({1, 1, 3000});
}

TEST_CASE("contract: no terms are zeros, no rows or columns are nothing") {
    check_layouts({3, 5, 0});
    check_layouts({1, 1, 0});
    check_layouts({0, 5, 3});
    check_layouts({5, 0, 3});
}

TEST_CASE("contract: a row repeated by stride 0") {
    std::vector<float> const a{1, 2, 3}, b(3 * 20, 2.0F);
    std::vector<float> c(4 * 20);
    contract<float>(a.data(), {0, 1}, b.data(), {20, 1}, c.data(), 20, {4, 20, 3});
    for (float const x : c) { CHECK(x == 12.0F); }
    contract<float>(a.data(), {0, 1}, b.data(), {0, 0}, c.data(), 20, {4, 20, 3});
    CHECK(c.back() == 12.0F);
    contract<float>(a.data(), {0, 1}, b.data(), {1, 0}, c.data(), 1, {4, 1, 3});
    CHECK(c[3] == 12.0F);
}

TEST_CASE("contract: infinities and NaN stay in their row and column") {
    std::int64_t const n = 21;
    std::vector<double> a(n * n, 1.0), b(n * n, 1.0), c(n * n);
    a[4 * n + 20] = std::numeric_limits<double>::infinity();
    b[20 * n + 7] = std::numeric_limits<double>::quiet_NaN();
    contract<double>(a.data(), {n, 1}, b.data(), {n, 1}, c.data(), n, {n, n, n});
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
            auto const x = c[static_cast<std::size_t>(i * n + j)];
            CHECK((j == 7 ? std::isnan(x) : i == 4 ? std::isinf(x) : x == 21.0));
        }
    }
}

TEST_CASE("contract: the same bits on every run, at every address") {
    problem const p{{50, 70, 300}};
    operands<float> o(p);
    contract<float>(o.a.data(), o.la, o.b.data(), o.lb, o.c.data(), o.ldc, p.e);
    std::vector<float> a(50 * 300 + 1), b(300 * 70 + 1), c(50 * 70 + 1);
    std::copy_n(o.a.data(), 50 * 300, a.data() + 1);
    std::copy_n(o.b.data(), 300 * 70, b.data() + 1);
    contract<float>(a.data() + 1, o.la, b.data() + 1, o.lb, c.data() + 1, 70, p.e);
    CHECK(std::memcmp(c.data() + 1, o.c.data(), 50 * 70 * sizeof(float)) == 0);
}

TEST_CASE("contract_static: every layout, both dtypes") {
    for (problem const& p : {problem{}, problem{{}, false, false, 2, 3, 1}}) {
        check_static<float, 1, 3, 5>(p);
        check_static<float, 4, 1, 4>(p);
        check_static<float, 5, 17, 3>(p);
        check_static<float, 16, 16, 16>(p);
        check_static<float, 3, 4, 0>(p);
        check_static<double, 1, 1, 1>(p);
        check_static<double, 7, 1, 3>(p);
        check_static<double, 13, 11, 5>(p);
    }
}
