// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/transform/rule/algebra.hpp>

namespace gradus::inline GRADUS_ARCH::rule {

/// Does the permutation exchange the last two axes and nothing else?
constexpr bool is_matrix_transpose(node const& n) {
    int rank = n.shape.rank();
    if (!n.is<op::transpose>() || rank < 2) return false;
    for (int i = 0; i < rank - 2; ++i)
        if (n.attr.n[i] != i) return false;
    return n.attr.n[rank - 1] == rank - 2;
}

/// Transposes become access order of the product; a product over a single index is an elementwise one, which fuses.
constexpr int contractions(graph& g, node const& n) {
    if (!n.is<op::matmul>()) return -1;
    for (int k = 0; k < 2; ++k) {
        if (!is_matrix_transpose(g[n.in[k]])) continue;
        node folded = n;
        folded.in[k] = g[n.in[k]].in[0];
        folded.attr.n[k] = 1 - n.attr.n[k];
        return g.intern(folded);
    }
    shape a = g[n.in[0]].shape, b = g[n.in[1]].shape;
    if (op::matmul::inner(n.attr, a).code != 1) return -1;
    shape column = a, row = b;
    column[a.rank() - 2] = op::matmul::side(a, n.attr.n[0], 0);
    column[a.rank() - 1] = 1;
    row[b.rank() - 2] = 1;
    row[b.rank() - 1] = op::matmul::side(b, n.attr.n[1], 1);
    return (value{g, n.in[0]}.reshape(column) * value{g, n.in[1]}.reshape(row)).id();
}

}  // namespace gradus::inline GRADUS_ARCH::rule
