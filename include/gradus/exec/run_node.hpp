// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/target.hpp>
#include <gradus/exec/addresses.hpp>
#include <gradus/kernel/contract.hpp>
#include <gradus/kernel/move.hpp>

#include <cstring>

// Kernels of one node: products, arg max, movements.

namespace gradus::inline GRADUS_ARCH::core {

/// How a node reads operand k: memory and strides for the node's axes.
template <class Source, int Node, int K>
struct operand_access {
    using S = stages<Source>;
    static constexpr int id = S::optimized[Node].in[K];
    static constexpr shape extents = shape_of<Source, id>;
    static constexpr access value = [] {
        dimension_table dimensions = S::plan.dimensions;
        return resolve(S::optimized, id, dimensions);
    }();
    using element = element_t<node_of<Source, id>.type>;
    static element* data(run_context const& c) { return elements<Source, value.base, element, value.offset>(c); }
};

/// Numbers at run time: extents of a shape, strides of an access.
struct numbers {
    std::int64_t n[max_rank]{};
};
struct monomials {
    monomial of[max_rank]{};
    constexpr numbers at(std::int64_t const* dimensions) const {
        numbers result;
        for (int i = 0; i < max_rank; ++i) result.n[i] = of[i].at(dimensions);
        return result;
    }
    constexpr bool is_static() const {
        for (monomial const& m : of)
            if (!m.is_static()) return false;
        return true;
    }
};
/// `Of` for these dimensions: a constant where it has none.
template <monomials const& Of>
[[gnu::always_inline]] inline numbers numbers_at(std::int64_t const* dimensions) {
    if constexpr (Of.is_static()) {
        constexpr numbers known = Of.at(nullptr);
        return known;
    } else {
        numbers found;
        find_values(found.n, Of.of, max_rank, dimensions);
        return found;
    }
}
/// The extents of a node in terms of the program's dimensions, looked up in the compiler.
template <class Source, int Node>
inline constexpr monomials extents_of = [] {
    dimension_table dimensions = stages<Source>::plan.dimensions;
    monomials result;
    for (int i = 0; i < shape_of<Source, Node>.rank(); ++i) result.of[i] = dimensions.of(shape_of<Source, Node>[i]);
    return result;
}();
/// Where the operand of a pad begins.
template <class Source, int Node>
inline constexpr monomials starts_of = [] {
    dimension_table dimensions = stages<Source>::plan.dimensions;
    monomials result;
    for (int i = 0; i < shape_of<Source, Node>.rank(); ++i) result.of[i] = dimensions.of(op::first_of(attributes_of<Source, Node>, i));
    return result;
}();
template <class Operand>
inline constexpr monomials strides_of = [] {
    monomials result;
    for (int i = 0; i < max_rank; ++i) result.of[i] = Operand::value.stride[i];
    return result;
}();
inline numbers row_major(numbers const& extents, int rank) {
    numbers result;
    std::int64_t step = 1;
    for (int i = rank - 1; i >= 0; --i) {
        result.n[i] = step;
        step *= extents.n[i];
    }
    return result;
}

/// What the product that packs most wants of scratch memory.
template <class Source>
[[gnu::noinline]] std::int64_t product_bytes(std::int64_t const* dimensions) {
    return stages<Source>::plan.product_bytes(dimensions);
}

/// Matrices of a product: where they are, extents and strides. Leading axes make several of them, which begin at the first ones.
struct product_binding {
    operand_place places[3];  ///< a, b, a b
    planned_product of;
    int leading = 0;
    monomials batches, stride_a, stride_b;  ///< per leading axis of the result: how many, and from one to the next; 0 where it is repeated
};
/// A product and what it gets at run time.
template <class T>
struct product_arguments {
    kernel::matrix_layout layout_a{}, layout_b{};
    T const *a = nullptr, *b = nullptr;
    T* to = nullptr;
    kernel::contract_extents size{};
    kernel::contract_work<T> work{};

    [[gnu::noinline]] void bind(product_binding const& p, memory_map const& memory, run_context const& c) {
        void* at[3];
        memory.addresses(p.places, 3, c, at);
        a = static_cast<T const*>(at[0]);
        b = static_cast<T const*>(at[1]);
        to = static_cast<T*>(at[2]);
        auto const number = [&](monomial const& m) { return number_at(m, c.dimensions); };
        layout_a = {number(p.of.a_row), number(p.of.a_column)};
        layout_b = {number(p.of.b_row), number(p.of.b_column)};
        size = {number(p.of.m), number(p.of.n), number(p.of.k)};
    }
    /// multiply(a, b, to) for the matrices of all leading axes; threads share these, or the rows of the only one.
    void each_matrix(product_binding const& p, std::int64_t const* dimensions, auto const& multiply) {
        std::int64_t batches = 1, step = 1;
        numbers const extents = p.batches.at(dimensions), step_a = p.stride_a.at(dimensions), step_b = p.stride_b.at(dimensions);
        for (int i = 0; i < p.leading; ++i) batches *= extents.n[i];
        if (batches > 1) step = std::exchange(work.threads, 1);
        for (std::int64_t batch = step > 1 ? std::exchange(work.thread, 0) : 0; batch < batches; batch += step) {
            T const *from_a = a, *from_b = b;
            std::int64_t rest = batch;
            for (int i = p.leading - 1; i >= 0; --i) {
                std::int64_t const at = rest % extents.n[i];
                rest /= extents.n[i];
                from_a += at * step_a.n[i];
                from_b += at * step_b.n[i];
            }
            multiply(from_a, from_b, to + batch * size.m * size.n);
        }
    }
};
/// Products whose extents run time tells, or that are large: one function for all of them.
template <class T>
[[gnu::noinline]] void contract_all(product_arguments<T> p, product_binding const& bound, std::int64_t const* dimensions) {
    p.each_matrix(bound, dimensions, [&](T const* a, T const* b, T* to) {
        kernel::contract<T, false>(a, p.layout_a, b, p.layout_b, to, p.size.n, p.size, p.work);
    });
}

template <class Source, int Node>
inline constexpr product_binding product_binding_of = [] {
    using A = operand_access<Source, Node, 0>;
    using B = operand_access<Source, Node, 1>;
    constexpr auto const& g = stages<Source>::optimized;
    dtype const type = g[Node].type;
    dimension_table dimensions = stages<Source>::plan.dimensions;
    int const lead = g[Node].shape.rank() - 2, more_a = lead + 2 - A::extents.rank(), more_b = lead + 2 - B::extents.rank();
    product_binding p{{{A::value.base, type, A::value.offset}, {B::value.base, type, B::value.offset}, {Node, type, {}}},
                      plan_product(g, Node, dimensions),
                      lead,
                      {},
                      {},
                      {}};
    for (int i = 0; i < lead; ++i) {
        p.batches.of[i] = dimensions.of(g[Node].shape[i]);
        if (i >= more_a) p.stride_a.of[i] = A::value.stride[i - more_a];
        if (i >= more_b) p.stride_b.of[i] = B::value.stride[i - more_b];
    }
    return p;
}();
/// Memory for a product of this program, for the thread that runs it.
template <class Source>
[[gnu::always_inline]] inline std::byte* product_scratch(run_context const& c) {
    if constexpr (stages<Source>::plan.product_count == 0) return nullptr;
    else return c.arena + offset_of<Source, product_number<Source>>(c) + (c.thread ? c.thread * product_bytes<Source>(c.dimensions) : 0);
}

/// A product of a program, with what the compiler knows of it.
template <class Source, int Node>
struct bound_product : product_arguments<element_t<node_of<Source, Node>.type>> {
    using A = operand_access<Source, Node, 0>;
    using B = operand_access<Source, Node, 1>;
    using T = element_t<node_of<Source, Node>.type>;
    using product_arguments<T>::layout_a, product_arguments<T>::layout_b, product_arguments<T>::a, product_arguments<T>::b,
        product_arguments<T>::to, product_arguments<T>::size, product_arguments<T>::work;
    static constexpr shape const& to_shape = shape_of<Source, Node>;
    static constexpr int lead = to_shape.rank() - 2;
    static constexpr extent m = to_shape[lead], k = to_shape[lead + 1], inner = op::matmul::inner(attributes_of<Source, Node>, A::extents);
    static constexpr planned_product const& planned = product_binding_of<Source, Node>.of;
    static constexpr bool has_static_layouts =
        planned.a_row.is_static() && planned.a_column.is_static() && planned.b_row.is_static() && planned.b_column.is_static();
    static constexpr kernel::contiguous are{planned.a_row == monomial{1, 0}, planned.b_column == monomial{1, 0}};
    static constexpr kernel::matrix_layout static_a{planned.a_row.c, planned.a_column.c}, static_b{planned.b_row.c, planned.b_column.c};

    [[gnu::always_inline]] explicit bound_product(run_context const& c) {
        if constexpr (binds_by_code<Source>) {
            layout_a = {number_at<planned.a_row>(c.dimensions), number_at<planned.a_column>(c.dimensions)};
            layout_b = {number_at<planned.b_row>(c.dimensions), number_at<planned.b_column>(c.dimensions)};
            a = A::data(c);
            b = B::data(c);
            to = elements<Source, Node, T>(c);
            size = {number_at<planned.m>(c.dimensions), number_at<planned.n>(c.dimensions), number_at<planned.k>(c.dimensions)};
        } else this->bind(product_binding_of<Source, Node>, memory_map_of<Source>, c);
        work = {reinterpret_cast<T*>(product_scratch<Source>(c)), {}, c.thread, c.threads};
    }
};

template <class Source, int Node>
[[gnu::always_inline]] inline void multiply_small(bound_product<Source, Node> const& p, auto const* a, auto const* b, auto* to) {
    using product = bound_product<Source, Node>;
    using T = typename product::T;
    constexpr int rows = static_cast<int>(product::m.code), columns = static_cast<int>(product::k.code),
                  depth = static_cast<int>(product::inner.code);
    if (p.work.thread > 0) return;
    if constexpr (product::has_static_layouts && rows * columns * depth >= target::shared_product)
        kernel::contract_shared<T, rows, columns, depth, product::are, product::static_a, product::static_b>(a, b, to);
    else kernel::contract_static<T, false, rows, columns, depth, product::are>(a, p.layout_a, b, p.layout_b, to, p.size.n);
}

/// Part of the caller, which is to be flattened, as a kernel's small loop is.
template <class Source, int Node>
inline void run_contraction_here(run_context const& c) {
    using product = bound_product<Source, Node>;
    using T = typename product::T;
    product p(c);
    if constexpr (!is_small(product::m, product::k, product::inner) || interprets)
        contract_all<T>(p, product_binding_of<Source, Node>, c.dimensions);
    else if constexpr (product::lead == 0) multiply_small(p, p.a, p.b, p.to);
    else p.each_matrix(product_binding_of<Source, Node>, c.dimensions, [&](T const* a, T const* b, T* to) { multiply_small(p, a, b, to); });
}
template <class Source, int Node>
GRADUS_FLATTEN void run_contraction(run_context const& c) {
    run_contraction_here<Source, Node>(c);
}

/// A product of a matrix and a vector that runs a block of rows at a time: those of the result, or those that it adds up.
template <class Source, int Node, row_part Part>
class product_in_pieces {
    using T = typename bound_product<Source, Node>::T;
    bound_product<Source, Node> p_;
    partial_sum<Source, Node, Part == row_part::adds> sums_;
    T *to_, *lost_ = nullptr;  ///< where products are added up, and what rounding takes from the result
    std::int64_t size_, rows_ = 0;

public:
    product_in_pieces(product_in_pieces const&) = delete;
    explicit product_in_pieces(run_context const& c) : p_(c), to_(p_.to), size_(p_.size.m * p_.size.n) {
        if (Part != row_part::adds || p_.size.k <= 2 * target::plain_terms) return;
        to_ = static_cast<T*>(sums_.memory(c));
        lost_ = to_ + size_;
    }
    void begin() {
        for (std::int64_t i = 0; lost_ && i < size_; ++i) p_.to[i] = lost_[i] = T(0);
    }
    void rows(std::int64_t first, std::int64_t count) {
        auto const [m, n, k] = p_.size;
        if constexpr (Part == row_part::adds) {
            T const *a = p_.a + first * p_.layout_a.column_stride, *b = p_.b + first * p_.layout_b.row_stride;
            if (first && (!lost_ || rows_)) kernel::contract<T, true>(a, p_.layout_a, b, p_.layout_b, to_, n, {m, n, count});
            else kernel::contract<T>(a, p_.layout_a, b, p_.layout_b, to_, n, {m, n, count});
            if (lost_ && (rows_ += count) >= target::plain_terms) compensate();
        } else
            kernel::contract<T>(p_.a + first * p_.layout_a.row_stride, p_.layout_a, p_.b, p_.layout_b, p_.to + first * n, n, {count, n, k});
    }
    void end() {
        if (!lost_) return;
        if (rows_) compensate();
        for (std::int64_t i = 0; i < size_; ++i) p_.to[i] = simd::with_lost<T, 1>(p_.to[i], lost_[i]);
    }

private:
    void compensate() {
        kernel::compensate_in_memory<T, simd::native_width<T>>(p_.to, lost_, to_, size_);
        rows_ = 0;
    }
};

template <class Source, int Node>
void run_argmax(run_context const& c) {
    using A = operand_access<Source, Node, 0>;
    numbers const extents = numbers_at<extents_of<Source, A::id>>(c.dimensions), strides = numbers_at<strides_of<A>>(c.dimensions);
    kernel::argmax_over(static_cast<typename A::element const*>(A::data(c)), strides.n, extents.n, A::extents.rank(),
                        attributes_of<Source, Node>.n[0], elements<Source, Node, std::int64_t>(c));
}

template <class Source, int Node, int K>
void move_operand(run_context const& c, numbers const& to_stride, std::int64_t offset) {
    using A = operand_access<Source, Node, K>;
    using T = typename A::element;
    numbers const extents = numbers_at<extents_of<Source, A::id>>(c.dimensions), from = numbers_at<strides_of<A>>(c.dimensions);
    kernel::copy_strided<T>(A::data(c), from.n, elements<Source, Node, T>(c) + offset, to_stride.n, extents.n, A::extents.rank());
}

/// Rows by indices: taken, or added to zeros (op/gather.hpp). Indices out of range are passed over.
template <class Source, int Node>
void run_rows(run_context const& c) {
    using A = operand_access<Source, Node, 0>;
    using I = operand_access<Source, Node, 1>;
    using T = typename A::element;
    constexpr bool adds = node_of<Source, Node>.op->runs_by == own_kernel::add_rows;
    constexpr int indices = I::extents.rank(), inner = A::extents.rank() - (adds ? indices : 1);
    numbers const own = numbers_at<extents_of<Source, Node>>(c.dimensions), stride = row_major(own, shape_of<Source, Node>.rank());
    numbers const from = numbers_at<strides_of<A>>(c.dimensions), at = numbers_at<strides_of<I>>(c.dimensions);
    numbers const extents = numbers_at<extents_of<Source, I::id>>(c.dimensions),
                  from_extents = numbers_at<extents_of<Source, A::id>>(c.dimensions);
    T const* const x = A::data(c);
    T* const y = elements<Source, Node, T>(c);
    std::int64_t size = 1;
    for (int i = 0; i < shape_of<Source, Node>.rank(); ++i) size *= own.n[i];
    std::memset(static_cast<void*>(y), 0, static_cast<std::size_t>(size) * sizeof(T));
    std::int64_t const rows = adds ? own.n[0] : from_extents.n[0];
    kernel::each_row(static_cast<typename I::element const*>(I::data(c)), at.n, 0, adds ? from.n : stride.n, extents.n, indices,
                     [&](std::int64_t row, std::int64_t element) {
                         if (row < 0 || row >= rows) return;
                         if constexpr (adds)
                             kernel::add_strided<T>(x + element, from.n + indices, y + row * stride.n[0], stride.n + 1, own.n + 1, inner);
                         else
                             kernel::copy_strided<T>(x + row * from.n[0], from.n + 1, y + element, stride.n + indices, own.n + indices,
                                                     inner);
                     });
}

template <class Source, int Node>
void run_movement(run_context const& c) {
    constexpr shape const& to_shape = shape_of<Source, Node>;
    constexpr attributes const& attr = attributes_of<Source, Node>;
    constexpr int rank = to_shape.rank();
    numbers const extents = numbers_at<extents_of<Source, Node>>(c.dimensions), stride = row_major(extents, rank);
    constexpr own_kernel runs_by = node_of<Source, Node>.op->runs_by;
    if constexpr (runs_by == own_kernel::pad) {
        std::int64_t size = 1, offset = 0;
        numbers to = stride;
        numbers const first = numbers_at<starts_of<Source, Node>>(c.dimensions);
        for (int i = 0; i < rank; ++i) {
            size *= extents.n[i];
            offset += first.n[i] * stride.n[i];
            to.n[i] = stride.n[i] * op::step_of(attr, i);
        }
        if (size > 0) std::memset(address<Source, Node>(c), 0, static_cast<std::size_t>(size * size_of(node_of<Source, Node>.type)));
        move_operand<Source, Node, 0>(c, to, offset);
    } else if constexpr (runs_by == own_kernel::take_rows || runs_by == own_kernel::add_rows) {
        run_rows<Source, Node>(c);
    } else {
        static_assert(runs_by == own_kernel::concatenate, "gradus: a movement without a kernel");
        constexpr int axis = op::concatenate::axis(attr);
        move_operand<Source, Node, 0>(c, stride, 0);
        constexpr monomial first = extents_of<Source, node_of<Source, Node>.in[0]>.of[axis];
        move_operand<Source, Node, 1>(c, stride, number_at<first>(c.dimensions) * stride.n[axis]);
    }
}

}  // namespace gradus::inline GRADUS_ARCH::core
