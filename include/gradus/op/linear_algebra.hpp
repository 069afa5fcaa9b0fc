// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/op/determinant.hpp>

// Systems of equations, inverses and determinants: composites of the primitives of op/triangular.hpp, op/lu.hpp and op/determinant.hpp.
namespace gradus::inline GRADUS_ARCH::op {

/// Base of the composites of a square matrix.
template <class Op>
struct of_square : composite {
    static constexpr int arity = 1;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const& a = c.operand[0];
        lu_factor::infer(c, fail);
        return fail.failed ? tensor_type{} : tensor_type{a.type, Op::is_matrix ? a.shape : op::matmul::leading(a.shape)};
    }
};
/// a^-1.
struct inv : of_square<inv> {
    static constexpr auto name = "inv";
    static constexpr bool is_matrix = true;
    static constexpr auto expand(attributes const&, auto a) { return lu_solve::solved({}, a, lu_factor::of(a), identity_like(a)); }
};
/// The determinant.
struct det : of_square<det> {
    static constexpr auto name = "det";
    static constexpr bool is_matrix = false;
    static constexpr auto expand(attributes const&, auto a) { return lu_determinant::of(a, 0); }
};
/// log |det a|, or with n[0] the sign of det a: the parts of slogdet.
struct slogdet : of_square<slogdet> {
    static constexpr auto name = "slogdet";
    static constexpr bool is_matrix = false;
    static constexpr auto expand(attributes const& attr, auto a) { return lu_determinant::of(a, attr.n[0] ? 2 : 1); }
    static constexpr attributes sign() { return first_attribute(1); }
};
/// log det a, NaN for a negative determinant.
struct logdet : of_square<logdet> {
    static constexpr auto name = "logdet";
    static constexpr bool is_matrix = false;
    static constexpr auto expand(attributes const&, auto a) {
        return gradus::where(lu_determinant::of(a, 2) < 0, std::numeric_limits<double>::quiet_NaN(), lu_determinant::of(a, 1));
    }
};

/// Base of the solutions of a x = b: b is a vector or has matrices, whose leading axes broadcast with those of a.
template <class Op>
struct solution : composite {
    static constexpr int arity = 2;
    static constexpr op_kind kind = op_kind::movement;
    static constexpr tensor_type infer(call const& c, complaint& fail) {
        tensor_type const &a = c.operand[0], &b = c.operand[1];
        if (common_dtype(c, 0, accepts::floating, fail); fail.failed) return {};
        bool const vector = b.shape.rank() == 1;
        if (!is_square(a, c)) return fail("needs square matrices: a is ", a, ", b is ", b);
        if (b.shape.rank() == 0) return fail("needs a vector or matrices on the right: a is ", a, ", b is ", b);
        extent const columns = columns_of(a.shape), rows = vector ? b.shape[0] : rows_of(b.shape);
        if (!c.same(columns, rows))
            return fail("a has other columns than b has rows: a is ", a, ", b is ", b, " (", columns, " != ", rows, ")");
        if (Op::factors) lu_factor::infer(c, fail);
        if (fail.failed) return {};
        complaint unequal;
        shape lead = common_lead(a.shape, b.shape, c.unknowns, unequal);
        if (unequal.failed) return fail("leading axes do not broadcast: a is ", a, ", b is ", b);
        lead.push_back(columns_of(a.shape));
        if (!vector) lead.push_back(columns_of(b.shape));
        return {a.type, lead};
    }
    static constexpr shape common_lead(shape const& a, shape const& b, core::unifier* unknowns, complaint& fail) {
        call const lead{{}, {}, {{dtype::float64, op::matmul::leading(a)}, {dtype::float64, op::matmul::leading(b)}}, 2, unknowns};
        return broadcast(lead, fail);
    }
    static constexpr auto expand(attributes const& attr, auto a, auto b) {
        complaint known_to_fit;
        shape const columns = b.shape().rank() == 1 ? shape{b.shape()[0], 1} : b.shape();
        shape const lead = common_lead(a.shape(), columns, a.owner().unknowns, known_to_fit);
        auto x = Op::solved(attr, lead, a, batched(b.reshape(columns), lead));
        if (b.shape().rank() > 1) return x;
        shape vectors = lead;
        vectors.push_back(columns[0]);
        return x.reshape(vectors);
    }
};
/// x with a x = b.
struct solve : solution<solve> {
    static constexpr auto name = "solve";
    static constexpr bool factors = true;
    static constexpr auto solved(attributes const&, shape const& lead, auto a, auto b) {
        return lu_solve::solved({}, batched(a, lead), batched(lu_factor::of(a), lead), b);
    }
};
/// The same for a triangle of a, with the attributes of triangular_solve.
struct solve_triangular : solution<solve_triangular> {
    static constexpr auto name = "solve_triangular";
    static constexpr bool factors = false;
    static constexpr auto solved(attributes const& attr, shape const& lead, auto a, auto b) {
        return triangular_solve::solved(attr, batched(a, lead), b);
    }
};

}  // namespace gradus::inline GRADUS_ARCH::op
