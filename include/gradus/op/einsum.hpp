// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/comparison.hpp>
#include <gradus/op/elementwise.hpp>
#include <gradus/op/reduction.hpp>

namespace gradus::inline GRADUS_ARCH::op {

/// The letters of one operand, or of the result: a byte each, the first lowest.
struct letters {
    int count = 0;
    char of[max_rank]{};

    static constexpr letters unpack(std::int64_t packed) {
        letters l;
        for (; packed; packed >>= 8) l.of[l.count++] = static_cast<char>(packed & 0xff);
        return l;
    }
    constexpr int find(char c) const {
        int i = 0;
        while (i < count && of[i] != c) ++i;
        return i < count ? i : -1;
    }
    constexpr void add(char c) { of[count++] = c; }
};

/// Base of both forms: n[0], n[1] are the operands' letters, n[2] those of the result.
template <class Op, int Arity>
struct einstein_sum : composite {
    static constexpr auto name = "einsum";
    static constexpr int arity = Arity;
    static constexpr op_kind kind = op_kind::contraction;

    static constexpr tensor_type infer(call const& c, complaint& fail) {
        dtype type = common_dtype(c, 0, accepts::floating, fail);
        if (fail.failed) return {};
        shape result;
        letters const out = letters::unpack(c.attr.n[2]);
        for (int o = 0; o < out.count; ++o) {
            extent found = 0;
            bool known = false;
            for (int k = 0; k < Arity; ++k) {
                letters const in = letters::unpack(c.attr.n[k]);
                known = known || in.find(out.of[o]) >= 0;
                if (in.find(out.of[o]) >= 0 && in.count == c.operand[k].shape.rank()) found = c.operand[k].shape[in.find(out.of[o])];
            }
            if (!known || out.find(out.of[o]) < o)
                return fail("a letter of the result stands there once and in an operand: ", std::string_view(&out.of[o], 1));
            result.push_back(found);
        }
        for (int k = 0; k < Arity; ++k) {
            letters const in = letters::unpack(c.attr.n[k]);
            if (in.count != c.operand[k].shape.rank())
                return fail("one letter per axis: ", letter(k), " is ", c.operand[k], ", which has ", in.count,
                            in.count == 1 ? " letter" : " letters");
            for (int i = 0; i < in.count; ++i) {
                for (int other = 0; other <= k; ++other) {
                    letters const before = letters::unpack(c.attr.n[other]);
                    int const j = before.find(in.of[i]);
                    if (j >= 0 && !c.same(c.operand[other].shape[j], c.operand[k].shape[i]))
                        return fail("one letter stands for two extents: ", letter(other), " is ", c.operand[other], ", ", letter(k), " is ",
                                    c.operand[k], " (", std::string_view(&in.of[i], 1), ": ", c.operand[other].shape[j],
                                    " != ", c.operand[k].shape[i], ")");
                }
            }
        }
        return {type, result};
    }

protected:
    /// An operand in which every letter stands once and none that is `wanted` by nobody: diagonals are taken, sums made. From the
    /// last axis to the first, so that a letter's first axis is summed when it has no other any more.
    static constexpr auto reduced(auto x, letters& of, auto wanted) {
        for (int i = of.count - 1; i >= 0; --i) {
            int const first = of.find(of.of[i]);
            bool const twice = first < i;
            if (!twice && wanted(of.of[i])) continue;
            if (twice) x = gradus::where(x.index(first) == x.index(i), x, 0);
            x = x.sum(std::int64_t{1} << i, false);
            for (int j = i; j + 1 < of.count; ++j) of.of[j] = of.of[j + 1];
            --of.count;
        }
        return x;
    }
    /// x with axes in the order of `to`.
    static constexpr auto ordered(auto x, letters const& from, letters const& to) {
        attributes axes;
        for (int i = 0; i < to.count; ++i) axes.n[i] = from.find(to.of[i]);
        return to.count > 1 ? x.transpose(axes) : x;
    }
};

/// Transposes, diagonals and sums of one operand: "ij->ji", "ii->i", "ij->".
struct einsum_of_one : einstein_sum<einsum_of_one, 1> {
    static constexpr auto expand(attributes const& attr, auto x) {
        letters of = letters::unpack(attr.n[0]);
        letters const out = letters::unpack(attr.n[2]);
        x = reduced(x, of, [&](char c) { return out.find(c) >= 0; });
        return ordered(x, of, out);
    }
};

/// Products of two: one matrix product over the letters that only the operands have, batched over those that all have.
struct einsum : einstein_sum<einsum, 2> {
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        letters const a = letters::unpack(c.attr.n[0]), b = letters::unpack(c.attr.n[1]), out = letters::unpack(c.attr.n[2]);
        tensor_type const y = einstein_sum<einsum, 2>::infer(c, fail);
        if (fail.failed) return y;
        int summed = 0, named = 0;
        for (int i = 0; i < a.count; ++i) {
            if (a.find(a.of[i]) < i || b.find(a.of[i]) < 0 || out.find(a.of[i]) >= 0) continue;
            ++summed;
            named += !c.operand[0].shape[i].is_static();
        }
        if (named && summed > 1)
            return fail("a named dimension is summed with another: a is ", c.operand[0], ", b is ", c.operand[1], ". Sum one at a time");
        return y;
    }
    /// The orders of the letters for one matrix product, [batch..., rows, inner] and [batch..., inner, columns], and its shapes.
    struct product {
        letters a, b, y;
        shape left, right, result;
    };
    /// Letters of the result that both operands have. Named dimensions are not multiplied: they batch, too.
    static constexpr void batch(product& p, letters const& in_a, letters const& in_b, letters const& out, shape const& a, shape const& b) {
        auto const extent_of = [&](char c) { return in_a.find(c) >= 0 ? a[in_a.find(c)] : b[in_b.find(c)]; };
        auto const batches = [&](char c) { return (in_a.find(c) >= 0 && in_b.find(c) >= 0) || !extent_of(c).is_static(); };
        int count = 0;
        for (int i = 0; i < out.count; ++i) count += batches(out.of[i]);
        bool const too_many = count + 2 > max_rank;  // then static ones are one axis, after the others
        extent joined = 1;
        for (int turn = 0; turn <= too_many; ++turn)
            for (int i = 0; i < out.count; ++i) {
                char const c = out.of[i];
                extent const e = extent_of(c);
                if (!batches(c) || (too_many && e.is_static() != (turn == 1))) continue;
                if (in_a.find(c) >= 0) p.a.add(c);
                if (in_b.find(c) >= 0) p.b.add(c);
                p.y.add(c);
                p.result.push_back(e);
                if (turn == 1) joined = times(joined, e);
                else p.left.push_back(in_a.find(c) >= 0 ? e : extent(1)), p.right.push_back(in_b.find(c) >= 0 ? e : extent(1));
            }
        if (too_many) p.left.push_back(joined), p.right.push_back(joined);
    }
    static constexpr auto expand(attributes const& attr, auto a, auto b) {
        letters in_a = letters::unpack(attr.n[0]), in_b = letters::unpack(attr.n[1]);
        letters const out = letters::unpack(attr.n[2]), all_a = in_a, all_b = in_b;
        a = reduced(a, in_a, [&](char c) { return out.find(c) >= 0 || all_b.find(c) >= 0; });
        b = reduced(b, in_b, [&](char c) { return out.find(c) >= 0 || all_a.find(c) >= 0; });
        product p;
        batch(p, in_a, in_b, out, a.shape(), b.shape());
        extent rows = 1, inner = 1, columns = 1;
        for (int i = 0; i < in_a.count; ++i) {
            if (in_b.find(in_a.of[i]) >= 0 || !a.shape()[i].is_static()) continue;
            p.a.add(in_a.of[i]);
            p.y.add(in_a.of[i]);
            p.result.push_back(a.shape()[i]);
            rows = times(rows, a.shape()[i]);
        }
        for (int i = 0; i < in_a.count; ++i) {
            if (in_b.find(in_a.of[i]) < 0 || out.find(in_a.of[i]) >= 0) continue;
            p.a.add(in_a.of[i]);
            p.b.add(in_a.of[i]);
            inner = times(inner, a.shape()[i]);
        }
        for (int i = 0; i < in_b.count; ++i) {
            if (in_a.find(in_b.of[i]) >= 0 || !b.shape()[i].is_static()) continue;
            p.b.add(in_b.of[i]);
            p.y.add(in_b.of[i]);
            p.result.push_back(b.shape()[i]);
            columns = times(columns, b.shape()[i]);
        }
        for (extent e : {rows, inner}) p.left.push_back(e);
        for (extent e : {inner, columns}) p.right.push_back(e);
        auto y = ordered(a, in_a, p.a).reshape(p.left).matmul(ordered(b, in_b, p.b).reshape(p.right));
        return ordered(y.reshape(p.result), p.y, out);
    }
    static constexpr extent times(extent a, extent b) { return a.is_one() ? b : b.is_one() ? a : extent(a.code * b.code); }
};

}  // namespace gradus::inline GRADUS_ARCH::op
