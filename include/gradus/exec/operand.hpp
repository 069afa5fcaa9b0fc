// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/exec/run_whole.hpp>
#include <gradus/kernel/contract.hpp>
#include <gradus/kernel/move.hpp>
#include <gradus/op/gather.hpp>
#include <gradus/op/shape.hpp>

// Kernels of one node on operands whose types, extents and strides are known at run time. Only programs that run time makes need them:
// they are templates so that nobody else compiles them (`Asked`, see core/config.hpp).

namespace gradus::inline GRADUS_ARCH::core {

/// Elements in memory with a stride per axis.
struct strided_operand {
    std::byte* data = nullptr;
    dtype type = dtype::number;
    int rank = 0;
    numbers extents, strides;

    std::int64_t count() const {
        std::int64_t all = 1;
        for (int i = 0; i < rank; ++i) all *= extents.n[i];
        return all;
    }
    template <class T>
    T* as() const {
        return reinterpret_cast<T*>(data);
    }
};

/// A product of matrices, or of many: to = a b, each transposed where the attributes say so.
template <class Asked>
void contract_operands(attributes const& attr, strided_operand const* in, strided_operand const& to, std::byte* scratch) {
    strided_operand const &a = in[0], &b = in[1];
    int const lead = to.rank - 2;
    auto layout = [](strided_operand const& o, bool transposed) {
        return kernel::matrix_layout{o.strides.n[row_axis(o.rank, transposed)], o.strides.n[row_axis(o.rank, !transposed)]};
    };
    kernel::matrix_layout const layout_a = layout(a, op::matmul::transposes(attr, 0)),
                                layout_b = layout(b, op::matmul::transposes(attr, 1));
    kernel::contract_extents const size{to.extents.n[lead], to.extents.n[lead + 1],
                                        a.extents.n[row_axis(a.rank, !op::matmul::transposes(attr, 0))]};
    std::int64_t batches = 1;
    for (int i = 0; i < lead; ++i) batches *= to.extents.n[i];
    auto multiply = [&]<class T>(T) {
        for (std::int64_t batch = 0; batch < batches; ++batch) {
            T const *from_a = a.as<T>(), *from_b = b.as<T>();
            std::int64_t rest = batch;
            for (int i = lead - 1; i >= 0; --i) {
                std::int64_t const at = rest % to.extents.n[i];
                rest /= to.extents.n[i];
                if (int const axis = i - (to.rank - a.rank); axis >= 0) from_a += at * a.strides.n[axis];
                if (int const axis = i - (to.rank - b.rank); axis >= 0) from_b += at * b.strides.n[axis];
            }
            [[maybe_unused]] kernel::contract_work<T> const work{reinterpret_cast<T*>(scratch), {}, 0, 1};
            T* const product = to.as<T>() + batch * size.m * size.n;
            if constexpr (optimizes) kernel::contract<T, false>(from_a, layout_a, from_b, layout_b, product, size.n, size, work);
            else kernel::contract_by_panels<T, false>(from_a, layout_a, from_b, layout_b, product, size.n, size);
        }
    };
    if (to.type == dtype::float32) multiply(float{});
    else if (to.type == dtype::float64) multiply(double{});
    else throw error("gradus: a product of matrices needs floating-point elements");
}

template <class T>
void copy_operand(strided_operand const& from, T* to, numbers const& strides) {
    kernel::copy_strided<T>(from.as<T>(), from.strides.n, to, strides.n, from.extents.n, from.rank);
}
/// Rows by indices, taken or added to zeros (op/gather.hpp). Indices out of range are passed over.
template <class T, class I>
void move_rows(bool adds, strided_operand const& x, strided_operand const& index, strided_operand const& to) {
    int const inner = x.rank - (adds ? index.rank : 1);
    std::memset(static_cast<void*>(to.data), 0, static_cast<std::size_t>(to.count()) * sizeof(T));
    std::int64_t const rows = adds ? to.extents.n[0] : x.extents.n[0];
    kernel::each_row(index.as<I>(), index.strides.n, 0, adds ? x.strides.n : to.strides.n, index.extents.n, index.rank,
                     [&](std::int64_t row, std::int64_t element) {
                         if (row < 0 || row >= rows) return;
                         if (adds)
                             kernel::add_strided<T>(x.as<T>() + element, x.strides.n + index.rank, to.as<T>() + row * to.strides.n[0],
                                                    to.strides.n + 1, to.extents.n + 1, inner);
                         else
                             kernel::copy_strided<T>(x.as<T>() + row * x.strides.n[0], x.strides.n + 1, to.as<T>() + element,
                                                     to.strides.n + index.rank, to.extents.n + index.rank, inner);
                     });
}
/// Movements and arg max, into contiguous elements; `first` is where the operand of a pad begins.
template <class Asked>
void move_operands(node const& n, strided_operand const* in, strided_operand const& to, numbers const& first) {
    with_dtype(in[0].type, [&]<class T>(T) {
        T* const y = to.as<T>();
        switch (n.op->runs_by) {
            case own_kernel::argmax:
                return kernel::argmax_over(in[0].as<T const>(), in[0].strides.n, in[0].extents.n, in[0].rank, op::folded_axes(n.attr),
                                           to.as<std::int64_t>());
            case own_kernel::pad: {
                std::int64_t offset = 0;
                numbers steps = to.strides;
                for (int i = 0; i < to.rank; ++i) {
                    offset += first.n[i] * to.strides.n[i];
                    steps.n[i] = to.strides.n[i] * op::step_of(n.attr, i);
                }
                std::memset(static_cast<void*>(y), 0, static_cast<std::size_t>(to.count()) * sizeof(T));
                return copy_operand(in[0], y + offset, steps);
            }
            case own_kernel::concatenate: {
                int const axis = op::concatenate::axis(n.attr);
                copy_operand(in[0], y, to.strides);
                return copy_operand(in[1], y + in[0].extents.n[axis] * to.strides.n[axis], to.strides);
            }
            case own_kernel::take_rows:
            case own_kernel::add_rows: {
                bool const adds = n.op->runs_by == own_kernel::add_rows;
                if (in[1].type == dtype::int32) return move_rows<T, std::int32_t>(adds, in[0], in[1], to);
                return move_rows<T, std::int64_t>(adds, in[0], in[1], to);
            }
            default: throw error("gradus: a movement without a kernel");
        }
    });
}
/// What an operation on whole tensors is told.
inline call call_of(node const& n, strided_operand const* in, strided_operand const& result) {
    call c{n.attr, {}, {}, n.op->arity};
    for (int k = 0; k < c.count; ++k) c.operand[k] = {in[k].type, shape_at(in[k].extents, in[k].rank)};
    if (n.op->results > 1) c.attr = of_result(c.attr, 0);
    else c.target = shape_at(result.extents, result.rank);
    return c;
}
/// An operation's own kernel on elements of one type; it may copy operands to `memory`.
template <class Asked>
void compute_own(node const& n, strided_operand const* in, strided_operand const* results, double* memory, std::byte* scratch) {
    call const c = call_of(n, in, results[0]);
    void const* from[3]{};
    void* to[max_results]{};
    for (int k = 0; k < c.count; ++k)
        with_dtype(in[k].type,
                   [&]<class T>(T) { from[k] = in_order<T>(in[k].as<T const>(), in[k].strides, in[k].extents, in[k].rank, memory); });
    for (int k = 0; k < n.op->results; ++k) {
        to[k] = results[k].data ? static_cast<void*>(results[k].data) : memory;
        if (!results[k].data) memory += results[k].count();
    }
    n.op->kernel(n.type, c, from, to, {scratch, 0, 1});
}
/// The text `whole` of an operation, on doubles.
template <class Asked>
void compute_whole(node const& n, strided_operand const* in, strided_operand const* results, double* memory) {
    call const c = call_of(n, in, results[0]);
    double const* from[3]{};
    double* to[max_results]{};
    for (int k = 0; k < c.count; ++k) {
        from[k] = memory;
        with_dtype(in[k].type,
                   [&]<class T>(T) { memory = write_doubles<T>(memory, in[k].as<T const>(), in[k].strides, c.operand[k].shape); });
    }
    for (int k = 0; k < n.op->results; ++k) to[k] = std::exchange(memory, memory + results[k].count());
    n.op->whole(c, from, to);
    for (int k = 0; k < n.op->results; ++k)
        with_dtype(results[k].type, [&]<class T>(T) {
            for (std::int64_t i = 0, count = results[k].data ? results[k].count() : 0; i < count; ++i)
                results[k].as<T>()[i] = static_cast<T>(to[k][i]);
        });
}

}  // namespace gradus::inline GRADUS_ARCH::core
