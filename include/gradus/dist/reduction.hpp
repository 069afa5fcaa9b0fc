// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/dist/communicator.hpp>
#include <gradus/tensor/state/factories.hpp>
#include <gradus/tensor/tape/accumulate.hpp>

#include <algorithm>
#include <vector>

// How elements of several ranks become one: by MPI's reductions, or in the order of the ranks.

namespace gradus::inline GRADUS_ARCH {

namespace dist {

enum class reduction { sum, mean, min, max };

/// How all_reduce_ reduces. MPI adds up in an order that depends on how many ranks there are and how large the array is. `in_rank_order`
/// is ((x0 + x1) + x2) + ...: each rank adds up a part of the array, and all get all parts, which moves as many bytes.
struct reduce_options {
    reduction op = reduction::sum;
    bool in_rank_order = false;
};

}  // namespace dist

namespace core {

inline MPI_Op mpi_operation(dist::reduction op) {
    return op == dist::reduction::min ? MPI_MIN : op == dist::reduction::max ? MPI_MAX : MPI_SUM;
}
inline void check_reduction(dtype type, dist::reduction op, std::string_view call) {
    if (type == dtype::boolean) throw error(concat("gradus::dist::", call, ": truth values cannot be added up: convert them").str());
    if (op == dist::reduction::mean && !is_floating(type))
        throw error(
            concat("gradus::dist::", call, ": the mean of integers of type ", name_of(type), " is none: take reduction::sum").str());
}
/// total = op(total, part)
template <class T>
void fold_elements(dist::reduction op, T* total, T const* part, std::int64_t n) {
    if (op == dist::reduction::min)
        for (std::int64_t i = 0; i < n; ++i) total[i] = part[i] < total[i] || part[i] != part[i] ? part[i] : total[i];  // NaN stays
    else if (op == dist::reduction::max)
        for (std::int64_t i = 0; i < n; ++i) total[i] = part[i] > total[i] || part[i] != part[i] ? part[i] : total[i];
    else if constexpr (std::is_floating_point_v<T>) add_elements(total, part, n);
    else
        for (std::int64_t i = 0; i < n; ++i) total[i] += part[i];
}

/// A reduction in the order of the ranks, and on each rank of its parts: every rank is sent its share of all parts, reduces it, and shows
/// the result to all. The same parts, in the same order, have the same bits on any number of ranks.
template <class T>
class ordered_reduction {
public:
    /// Begins; `parts` are as many as on the other ranks, of `n` elements each. They may be changed at once.
    ordered_reduction(dist::communicator const& all, std::vector<T const*> const& parts, std::int64_t n)
        : all_(all),
          n_(n),
          parts_(static_cast<std::int64_t>(parts.size())),
          share_((n + all.size() - 1) / all.size()),
          sent_(empty<T, dyn>(share_ * parts_ * all.size())),
          received_(empty<T, dyn>(sent_.size())) {
        for (std::int64_t to = 0; to < all.size(); ++to)
            for (std::int64_t p = 0; p < parts_; ++p) {
                std::int64_t const first = std::min(n, to * share_), last = std::min(n, first + share_);
                T const* const from = parts[static_cast<std::size_t>(p)];
                T* const end = std::copy(from + first, from + last, sent_.data() + (to * parts_ + p) * share_);
                std::fill_n(end, share_ - (last - first), T{});
            }
        int const each = mpi_count(share_ * parts_, call);
        check_mpi(
            MPI_Ialltoall(sent_.data(), each, mpi_type(dtype_of<T>), received_.data(), each, mpi_type(dtype_of<T>), all_.mpi(), &request_),
            call);
    }
    MPI_Request& request() { return request_; }
    /// Waits, and writes the result.
    void end(dist::reduction op, T* to) {
        check_mpi(MPI_Wait(&request_, MPI_STATUS_IGNORE), call);
        for (std::int64_t p = 1; p < parts_ * all_.size(); ++p) fold_elements(op, received_.data(), received_.data() + p * share_, share_);
        int const each = mpi_count(share_, call);
        check_mpi(MPI_Allgather(received_.data(), each, mpi_type(dtype_of<T>), sent_.data(), each, mpi_type(dtype_of<T>), all_.mpi()),
                  call);
        std::copy_n(sent_.data(), n_, to);
    }

private:
    static constexpr std::string_view call = "all_reduce_ in the order of ranks";
    dist::communicator all_;
    std::int64_t n_, parts_, share_;
    tensor<T, dyn> sent_, received_;  ///< their memory is there again for the next one
    MPI_Request request_ = MPI_REQUEST_NULL;
};

/// One array, in place; elements that registers hold.
template <class T>
void reduce_in_place(dist::communicator const& all, T* data, std::int64_t n, dist::reduce_options const& o) {
    std::string_view const call = "all_reduce_(communicator, x)";
    check_reduction(dtype_of<T>, o.op, call);
    if (o.in_rank_order) ordered_reduction<T>(all, {data}, n).end(o.op, data);
    constexpr std::int64_t most = std::int64_t{1} << 30;
    for (std::int64_t i = 0; i < n && !o.in_rank_order; i += most)
        check_mpi(MPI_Allreduce(MPI_IN_PLACE, data + i, static_cast<int>(std::min(most, n - i)), mpi_type(dtype_of<T>), mpi_operation(o.op),
                                all.mpi()),
                  call);
    if constexpr (std::is_floating_point_v<T>)
        if (o.op == dist::reduction::mean)
            for (std::int64_t i = 0; i < n; ++i) data[i] /= static_cast<T>(all.size());
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
