// SPDX-License-Identifier: BSL-1.0
#include <gradus/graph/info.hpp>
#include <gradus/kernel/loop_evaluation.hpp>
#include <gradus/op/list.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

// The loop interpreter against plain loops over all indices, in double and std::int64_t. Numbers are small multiples of 1/8, so that sums
// and products of them are exact in every type.
namespace gr = gradus;
namespace k = gradus::kernel;
namespace op = gradus::op;

namespace {

using gr::dtype;
using index_list = std::vector<std::int64_t>;
using numbers = std::vector<double>;

/// Elements behind guards and in front of them, held as doubles outside.
class target {
public:
    target(dtype type, std::int64_t count)
        : type_(type), count_(count), bytes_(2 * guard + static_cast<std::size_t>(count * gr::size_of(type)), std::byte{0x5a}) {}
    target(dtype type, numbers const& values) : target(type, static_cast<std::int64_t>(values.size())) {
        with_type([&]<class T>(T) {
            for (std::size_t i = 0; i < values.size(); ++i) reinterpret_cast<T*>(data())[i] = static_cast<T>(values[i]);
        });
    }
    std::byte* data() { return bytes_.data() + guard; }
    std::byte const* data() const { return bytes_.data() + guard; }
    dtype type() const { return type_; }
    double operator[](std::int64_t i) const {
        double x = 0;
        with_type([&]<class T>(T) { x = static_cast<double>(reinterpret_cast<T const*>(data())[i]); });
        return x;
    }
    numbers values() const {
        numbers all;
        for (std::int64_t i = 0; i < count_; ++i) all.push_back((*this)[i]);
        return all;
    }
    bool guarded() const {
        for (std::size_t i = 0; i < guard; ++i)
            if (bytes_[i] != std::byte{0x5a} || bytes_[bytes_.size() - 1 - i] != std::byte{0x5a}) return false;
        return true;
    }

private:
    void with_type(auto f) const { gr::core::with_dtype(type_, f); }
    static constexpr std::size_t guard = 64;
    dtype type_;
    std::int64_t count_;
    std::vector<std::byte> bytes_;
};

/// Values of a dtype, none the same as its neighbours.
numbers drawn(dtype type, std::int64_t count, int seed = 1) {
    numbers x;
    for (std::int64_t i = 0; i < count; ++i) {
        std::int64_t const draw = (i * 37 + seed * 11 + i / 5) % 23 - 11;
        x.push_back(type == dtype::boolean ? static_cast<double>(draw & 1) : static_cast<double>(draw) / (gr::is_integer(type) ? 1 : 8));
    }
    return x;
}

/// A loop under construction, and what the interpreter and the plain loops get.
struct written_loop {
    index_list extents;
    std::vector<k::instruction> code;
    std::vector<k::block_function> functions;
    std::vector<double (*)(double const*)> plain;  ///< per instruction, for the plain loops
    std::vector<dtype> types;                      ///< of inputs
    std::vector<index_list> strides, begin, end;   ///< per input
    std::vector<std::int64_t> offsets;             ///< elements from the start of an input's memory to index 0
    std::vector<target*> in, out;
    std::vector<k::loop_output> outputs;
    numbers sizes;
    int body = -1;

    explicit written_loop(index_list const& e, numbers const& s = {}) : extents(e), sizes(s) {}
    int axes() const { return static_cast<int>(extents.size()); }
    int add(k::instruction i, k::block_function f = nullptr, double (*formula)(double const*) = nullptr) {
        code.push_back(i);
        functions.push_back(f);
        plain.push_back(formula);
        return static_cast<int>(code.size()) - 1;
    }
    int load(target& from, index_list stride, std::int64_t offset = 0, index_list first = {}, index_list last = {}) {
        in.push_back(&from);
        types.push_back(from.type());
        strides.push_back(stride);
        offsets.push_back(offset);
        first.resize(extents.size());
        last.resize(extents.size());
        begin.push_back(first);
        end.push_back(last);
        return add({k::load, static_cast<std::int16_t>(in.size() - 1), -1, -1, from.type(), 0});
    }
    /// Contiguous.
    int load(target& from) {
        index_list stride(extents.size(), 1);
        for (std::size_t a = extents.size() - 1; a-- > 0;) stride[a] = stride[a + 1] * extents[a + 1];
        return load(from, stride);
    }
    int constant(double value, dtype type) { return add({k::constant, -1, -1, -1, type, value}); }
    template <class Op>
    int apply(dtype type, int a, int b = -1, int c = -1) {
        dtype const works_on = type == dtype::boolean ? code[static_cast<std::size_t>(a)].type : type;
        k::block_function f = nullptr;
        gr::core::with_dtype(works_on, [&]<class T>(T) { f = k::block_function_of<Op, gr::dtype_of<T>>(); });
        return add({0, static_cast<std::int16_t>(a), static_cast<std::int16_t>(b), static_cast<std::int16_t>(c), type, 0}, f,
                   gr::info_of<Op>.eval);
    }
    int convert(dtype type, int a) { return add({0, static_cast<std::int16_t>(a), -1, -1, type, 0}); }
    void result(target& to, int source, k::fold how = k::fold::none, std::uint32_t folded = 0, bool stored = true) {
        out.push_back(&to);
        outputs.push_back({static_cast<std::int16_t>(source), to.type(), how, stored, folded});
    }

    /// As a whole, or its first axis in pieces of these lengths.
    void run(index_list const& pieces = {}) const {
        index_list flat_strides, flat_begin, flat_end;
        std::vector<void const*> from;
        std::vector<void*> to;
        for (std::size_t j = 0; j < in.size(); ++j) {
            from.push_back(in[j]->data() + offsets[j] * gr::size_of(types[j]));
            flat_strides.insert(flat_strides.end(), strides[j].begin(), strides[j].end());
            flat_begin.insert(flat_begin.end(), begin[j].begin(), begin[j].end());
            flat_end.insert(flat_end.end(), end[j].begin(), end[j].end());
        }
        for (target* t : out) to.push_back(t->data());
        int const count = static_cast<int>(code.size());
        k::loop_view const view{code.data(),
                                functions.data(),
                                nullptr,
                                count,
                                body < 0 ? count : body,
                                types.data(),
                                flat_begin.data(),
                                flat_end.data(),
                                outputs.data(),
                                static_cast<int>(in.size()),
                                static_cast<int>(out.size()),
                                axes()};
        k::loop_arguments const arguments{from.data(), to.data(), extents.data(), flat_strides.data(), sizes.data()};
        if (pieces.empty()) return k::loop_evaluation<>::run(view, arguments);
        k::loop_evaluation<> all(view, arguments);
        all.begin();
        std::int64_t first = 0;
        for (std::int64_t length : pieces) {
            all.piece(first, length);
            first += length;
        }
        all.end();
    }
    double plain_value(int i, std::vector<double> const& r, index_list const& at) const {
        k::instruction const& now = code[static_cast<std::size_t>(i)];
        if (now.op == k::constant) return now.value;
        if (now.op == k::size) return sizes[static_cast<std::size_t>(now.a)];
        if (now.op == k::index) return static_cast<double>(at[static_cast<std::size_t>(now.a)]);
        if (now.op == k::load) {
            auto const j = static_cast<std::size_t>(now.a);
            std::int64_t place = offsets[j];
            for (std::size_t a = 0; a < extents.size(); ++a) {
                if (end[j][a] > 0 && (at[a] < begin[j][a] || at[a] >= end[j][a])) return 0;
                place += (at[a] - begin[j][a]) * strides[j][a];
            }
            return (*in[j])[place];
        }
        double x[3]{};
        std::int16_t const operands[] = {now.a, now.b, now.c};
        for (int o = 0; o < 3 && operands[o] >= 0; ++o) x[o] = r[static_cast<std::size_t>(operands[o])];
        double const y = plain[static_cast<std::size_t>(i)] ? plain[static_cast<std::size_t>(i)](x) : x[0];
        return now.type == dtype::boolean ? y != 0 : gr::is_integer(now.type) ? std::trunc(y) : y;
    }
    /// Results of the plain loops, per output in row-major order of the axes that are left.
    std::vector<numbers> expected() const {
        std::vector<numbers> results(outputs.size());
        std::int64_t all = 1;
        for (std::int64_t e : extents) all *= e;
        for (std::size_t o = 0; o < outputs.size(); ++o) {
            std::int64_t left = 1;
            for (std::size_t a = 0; a < extents.size(); ++a) left *= outputs[o].axes >> a & 1 ? 1 : extents[a];
            double const none = outputs[o].how != k::fold::amax    ? 0
                                : gr::is_floating(outputs[o].type) ? -std::numeric_limits<double>::infinity()
                                : outputs[o].type == dtype::int32  ? std::numeric_limits<std::int32_t>::lowest()
                                                                   : static_cast<double>(std::numeric_limits<std::int64_t>::lowest());
            results[o].assign(static_cast<std::size_t>(left), none);
        }
        for (std::int64_t e = 0; e < all; ++e) {
            index_list at(extents.size());
            std::int64_t rest = e;
            for (std::size_t a = extents.size(); a-- > 0; rest /= extents[a]) at[a] = rest % extents[a];
            numbers r;
            for (int i = 0; i < static_cast<int>(code.size()); ++i) r.push_back(plain_value(i, r, at));
            for (std::size_t o = 0; o < outputs.size(); ++o) {
                std::size_t place = 0;
                for (std::size_t a = 0; a < extents.size(); ++a)
                    if (!(outputs[o].axes >> a & 1)) place = place * static_cast<std::size_t>(extents[a]) + static_cast<std::size_t>(at[a]);
                double const x = r[static_cast<std::size_t>(outputs[o].source)];
                double& y = results[o][place];
                y = outputs[o].how == k::fold::sum ? y + x : outputs[o].how == k::fold::amax ? (y != y || y > x ? y : x) : x;
            }
        }
        return results;
    }
    /// Runs it and compares every result with the plain loops'; inputs may be changed by it.
    void check(index_list const& pieces = {}) const {
        std::vector<numbers> const wanted = expected();
        run(pieces);
        for (std::size_t o = 0; o < outputs.size(); ++o) {
            CAPTURE(o);
            CHECK(out[o]->guarded());
            CHECK(out[o]->values() == wanted[o]);
        }
    }
};

constexpr dtype numeric[] = {dtype::int32, dtype::int64, dtype::float32, dtype::float64};
constexpr std::int64_t lengths[] = {0, 1, 2, 15, 16, 17, 31, 33, 1000, 5000};

}  // namespace

TEST_CASE("interpreted loops: every length and dtype") {
    for (dtype type : numeric)
        for (std::int64_t n : lengths) {
            CAPTURE(static_cast<int>(type));
            CAPTURE(n);
            target x(type, drawn(type, n, 1)), y(type, drawn(type, n, 2)), b(dtype::boolean, drawn(dtype::boolean, n, 3)), sum(type, n),
                less(dtype::boolean, n), chosen(type, n);
            written_loop loop({n});
            int const lx = loop.load(x), ly = loop.load(y), lb = loop.load(b);
            int const product = loop.apply<op::mul>(type, lx, ly);
            loop.result(sum, loop.apply<op::add>(type, product, loop.constant(2, type)));
            loop.result(less, loop.apply<op::less>(dtype::boolean, lx, ly));
            loop.result(chosen, loop.apply<op::where>(type, lb, ly, product));
            loop.check();
        }
}
TEST_CASE("interpreted loops: dtypes as others") {
    constexpr dtype all[] = {dtype::boolean, dtype::int32, dtype::int64, dtype::float32, dtype::float64};
    for (dtype from : all)
        for (dtype to : all)
            for (std::int64_t n : {1, 16, 17, 300}) {
                target x(from, drawn(from, n)), y(to, n), copy(from, n);
                written_loop loop({n});
                int const lx = loop.load(x);
                loop.result(y, loop.convert(to, lx));
                loop.result(copy, lx);
                loop.check();
            }
}
TEST_CASE("interpreted loops: strides of zero, one, more, and negative ones") {
    for (dtype type : numeric)
        for (std::int64_t rows : {0, 1, 3, 40})
            for (std::int64_t columns : lengths) {
                if (rows * columns > 20000) continue;
                target x(type, drawn(type, 1 + 3 * rows * columns, 1)), row(type, drawn(type, columns, 2)),
                    column(type, drawn(type, rows, 3)), one(type, drawn(type, 1, 4)), y(type, rows * columns), z(type, rows * columns);
                written_loop loop({rows, columns});
                int const backwards = loop.load(x, {-columns, -1}, rows * columns), transposed = loop.load(x, {1, rows}),
                          steps = loop.load(x, {3 * columns, 3}, 1), of_rows = loop.load(row, {0, 1}),
                          of_columns = loop.load(column, {1, 0}), number = loop.load(one, {0, 0});
                loop.result(y, loop.apply<op::add>(type, loop.apply<op::sub>(type, backwards, transposed), of_rows));
                loop.result(z, loop.apply<op::add>(type, loop.apply<op::mul>(type, steps, number), of_columns));
                loop.check();
            }
}
TEST_CASE("interpreted loops: windows, zeros around") {
    for (dtype type : numeric)
        for (std::int64_t columns : {1, 2, 15, 16, 17, 200})
            for (std::int64_t left : {0, 1, 5})
                for (std::int64_t right : {0, 1, 20}) {
                    CAPTURE(static_cast<int>(type));
                    CAPTURE(columns);
                    CAPTURE(left);
                    CAPTURE(right);
                    std::int64_t const rows = 3, wide = left + columns + right;
                    target x(type, drawn(type, rows * columns)), y(type, (rows + 2) * wide), full(type, drawn(type, (rows + 2) * wide, 2));
                    written_loop loop({rows + 2, wide});
                    int const padded = loop.load(x, {columns, 1}, 0, {1, left}, {1 + rows, left + columns}),
                              mirrored = loop.load(x, {columns, -1}, columns - 1, {2, left}, {2 + rows, left + columns}),
                              all = loop.load(full);
                    loop.result(y, loop.apply<op::add>(type, loop.apply<op::mul>(type, padded, all), mirrored));
                    loop.check();
                    loop.check({2, 1, 2});
                }
}
TEST_CASE("interpreted loops: a window of the only axis, in pieces") {
    for (std::int64_t columns : {1, 16, 50}) {
        target x(dtype::float32, drawn(dtype::float32, columns)), y(dtype::float32, columns + 7);
        written_loop loop({columns + 7});
        loop.result(y, loop.load(x, {1}, 0, {3}, {3 + columns}));
        loop.check({1, 4, columns + 2});
    }
}
TEST_CASE("interpreted loops: folds over any axes, as a whole and in pieces") {
    for (dtype type : numeric)
        for (k::fold how : {k::fold::sum, k::fold::amax})
            for (std::uint32_t axes = 1; axes < 8; ++axes)
                for (std::int64_t columns : {1, 15, 16, 17, 65, 1000})
                    for (index_list const& pieces : {index_list{}, index_list{1, 3, 1}, index_list{5}}) {
                        CAPTURE(static_cast<int>(type));
                        CAPTURE(axes);
                        CAPTURE(columns);
                        index_list const extents{5, 3, columns};
                        std::int64_t left = 1;
                        for (std::size_t a = 0; a < 3; ++a) left *= axes >> a & 1 ? 1 : extents[a];
                        target x(type, drawn(type, 15 * columns)), y(type, left), doubled(type, 15 * columns);
                        written_loop loop(extents);
                        int const twice = loop.apply<op::mul>(type, loop.load(x), loop.constant(2, type));
                        loop.result(y, twice, how, axes);
                        loop.result(doubled, twice);
                        loop.check(pieces);
                    }
}
TEST_CASE("interpreted loops: folds over nothing, and of what is not a number") {
    for (std::uint32_t axes : {1u, 2u, 3u}) {
        index_list const extents = axes == 1 ? index_list{0, 3} : axes == 2 ? index_list{3, 0} : index_list{0, 0};
        target x(dtype::float32, 0), total(dtype::float32, axes == 3 ? 1 : 3), most(dtype::float32, axes == 3 ? 1 : 3);
        written_loop loop(extents);
        int const lx = loop.load(x);
        loop.result(total, lx, k::fold::sum, axes);
        loop.result(most, lx, k::fold::amax, axes);
        loop.check();
    }
    for (std::int64_t n : {3, 16, 100, 3000})
        for (std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
            numbers values = drawn(dtype::float64, n);
            values[static_cast<std::size_t>(at)] = std::numeric_limits<double>::quiet_NaN();
            target x(dtype::float64, values), most(dtype::float64, 1), total(dtype::float64, 1);
            written_loop loop({n});
            int const lx = loop.load(x);
            loop.result(most, lx, k::fold::amax, 1);
            loop.result(total, lx, k::fold::sum, 1);
            loop.run();
            CHECK(std::isnan(most[0]));
            CHECK(std::isnan(total[0]));
        }
}
// Float keeps 24 bits: a sum one by one of a million equal numbers is off by 1e-3. Doubles are summed up in runs of at most 1024, which
// lose at most 1024 * 1.1e-16 each; between runs nothing is lost.
TEST_CASE("interpreted loops: sums of a million equal numbers") {
    constexpr std::int64_t many = 1'000'000;
    struct {
        index_list extents;
        std::uint32_t axes;
    } const shapes[] = {{{many}, 1}, {{1, many}, 2}, {{many, 3}, 1}, {{3, many}, 2}, {{1000, 3, 1000}, 5}, {{1000, 1000, 2}, 3}};
    for (auto const& s : shapes)
        for (dtype type : {dtype::float32, dtype::float64}) {
            std::int64_t left = 1;
            for (std::size_t a = 0; a < s.extents.size(); ++a) left *= s.axes >> a & 1 ? 1 : s.extents[a];
            target x(type, numbers{0.1}), y(type, left);
            written_loop loop(s.extents);
            loop.result(y, loop.load(x, index_list(s.extents.size(), 0)), k::fold::sum, s.axes);
            loop.run();
            CHECK(y.guarded());
            double const exact = x[0] * static_cast<double>(many), tolerance = type == dtype::float32 ? 2e-6 : 1.2e-13;
            for (std::int64_t i = 0; i < left; ++i) CHECK(std::abs(y[i] - exact) <= tolerance * exact);
        }
}
TEST_CASE("interpreted loops: an epilogue computes numbers from complete folds") {
    for (dtype type : {dtype::float32, dtype::float64})
        for (std::int64_t n : {1, 16, 17, 1000}) {
            target x(type, drawn(type, n)), mean(type, 1), shifted(type, 1), total(type, 1);
            written_loop loop({n}, {static_cast<double>(n)});
            int const lx = loop.load(x);
            loop.body = 1;
            int const sum = loop.add({k::reduced, 0, -1, -1, type, 0}), count = loop.add({k::size, 0, -1, -1, type, 0});
            int const quotient = loop.apply<op::div>(type, sum, count);
            loop.result(total, lx, k::fold::sum, 1, n == 17);
            loop.result(mean, quotient, k::fold::epilogue, 0);
            loop.result(shifted, loop.apply<op::add>(type, quotient, loop.constant(1, type)), k::fold::epilogue, 0);
            loop.run();
            double sum_of_all = 0;
            for (double v : x.values()) sum_of_all += v;
            double const tolerance = type == dtype::float32 ? 1e-6 : 1e-15;  // the quotient, rounded
            CHECK(std::abs(mean[0] - sum_of_all / static_cast<double>(n)) <= tolerance * std::max(1.0, std::abs(mean[0])));
            CHECK(std::abs(shifted[0] - mean[0] - 1) <= tolerance * 2);
            if (n == 17) CHECK(total[0] == sum_of_all);
            CHECK(mean.guarded());
        }
}
TEST_CASE("interpreted loops: indices of an axis, as a whole and in pieces") {
    for (dtype type : numeric)
        for (index_list const& pieces : {index_list{}, index_list{2, 1, 4}}) {
            target first(type, 7 * 40), second(type, 7 * 40);
            written_loop loop({7, 40});
            int const row = loop.add({k::index, 0, -1, -1, type, 0}), column = loop.add({k::index, 1, -1, -1, type, 0});
            loop.result(first, row);
            loop.result(second, loop.apply<op::add>(type, row, column));
            loop.check(pieces);
        }
}
TEST_CASE("interpreted loops: results are stored where operands were") {
    for (dtype type : numeric)
        for (std::int64_t n : lengths)
            for (bool in_pieces : {false, true}) {
                target x(type, drawn(type, n, 1)), y(type, drawn(type, n, 2)), z(type, n);
                written_loop loop({n});
                int const lx = loop.load(x), ly = loop.load(y);
                int const sum = loop.apply<op::add>(type, lx, ly);
                loop.result(x, sum);
                loop.result(y, loop.apply<op::sub>(type, lx, sum));
                loop.result(z, loop.apply<op::mul>(type, lx, ly));
                loop.check(in_pieces && n > 2 ? index_list{n / 2, n - n / 2} : index_list{});
            }
}
TEST_CASE("interpreted loops: two arrays change places") {
    for (dtype type : numeric)
        for (std::int64_t n : lengths) {
            target x(type, drawn(type, n, 1)), y(type, drawn(type, n, 2)), sum(type, n);
            written_loop loop({n});
            int const lx = loop.load(x), ly = loop.load(y);
            loop.result(x, ly);
            loop.result(y, lx);
            loop.result(sum, loop.apply<op::add>(type, lx, ly));
            loop.check();
        }
}
TEST_CASE("interpreted loops: more values than the first cache holds") {
    target x(dtype::float64, drawn(dtype::float64, 500)), y(dtype::float64, 500);
    written_loop loop({500});
    std::vector<int> values{loop.load(x)};
    // all are needed until the end
    for (int i = 0; i < 600; ++i) values.push_back(loop.apply<op::add>(dtype::float64, values.back(), values[0]));
    int sum = values[0];
    for (int v : values) sum = loop.apply<op::maximum>(dtype::float64, sum, v);
    loop.result(y, sum);
    loop.check();
}
