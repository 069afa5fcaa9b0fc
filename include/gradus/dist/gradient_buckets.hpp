// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/dist/collectives.hpp>
#include <gradus/nn/train_step.hpp>

#include <memory>

// Gradients of all ranks, reduced in few large messages while the backward pass goes on.

namespace gradus::inline GRADUS_ARCH::core {

/// Gradients of one type in one piece of memory, and after them one number per tensor: on how many ranks it has a gradient.
template <class T>
class gradient_bucket {
public:
    gradient_bucket(dist::communicator const& all, dist::reduce_options const& o) : all_(all), options_(o) {}

    void add(std::size_t tensor, std::int64_t size) {
        members_.push_back({tensor, elements_, size});
        elements_ += size;
    }
    std::int64_t elements() const { return elements_; }
    bool is_full() const { return arrived_ == members_.size(); }
    auto const& members() const { return members_; }

    /// Adds what a pass has found to what earlier ones have, or in the order of the ranks keeps it apart.
    void arrive(std::size_t member, tensor_ref const& gradient) {
        std::size_t const part = options_.in_rank_order ? passes_ : 0;
        while (parts_.size() <= part) parts_.emplace_back(static_cast<std::size_t>(elements_) + members_.size());
        T* const to = parts_[part].data() + members_[member].first;
        tensor_ref const from = gradient->is_contiguous() ? gradient : contiguous_copy(*gradient);
        with_floating_dtype(from->type, [&]<class E>(E) {
            auto const* g = reinterpret_cast<E const*>(from->data);
            if constexpr (std::is_same_v<E, T>) add_elements(to, g, members_[member].size);
            else
                for (std::int64_t i = 0; i < members_[member].size; ++i) to[i] += static_cast<T>(g[i]);
        });
        parts_[part][static_cast<std::size_t>(elements_) + member] = 1;
        ++arrived_;
    }
    /// A pass has ended that is not to be reduced yet.
    void end_pass() { arrived_ = 0, ++passes_; }

    void begin() {
        std::size_t const all_parts = options_.in_rank_order ? passes_ + 1 : 1;
        while (parts_.size() < all_parts) parts_.emplace_back(static_cast<std::size_t>(elements_) + members_.size());
        auto const n = static_cast<std::int64_t>(parts_[0].size());
        if (options_.in_rank_order) {
            std::vector<T const*> parts;
            for (auto const& p : parts_) parts.push_back(p.data());
            ordered_ = std::make_unique<ordered_reduction<T>>(all_, parts, n);
        } else {
            int const count = mpi_count(n, call);
            check_mpi(MPI_Iallreduce(MPI_IN_PLACE, parts_[0].data(), count, mpi_type(dtype_of<T>), MPI_SUM, all_.mpi(), &request_), call);
        }
    }
    /// MPI moves what is under way only while it is called.
    void progress() {
        int done = 0;
        MPI_Request& r = ordered_ ? ordered_->request() : request_;
        if (r != MPI_REQUEST_NULL) check_mpi(MPI_Test(&r, &done, MPI_STATUS_IGNORE), call);
    }
    /// Waits; calls f(tensor, gradient, number of elements) for each that any rank has a gradient of.
    void end(auto const& f) {
        if (ordered_) ordered_->end(dist::reduction::sum, parts_[0].data());
        else check_mpi(MPI_Wait(&request_, MPI_STATUS_IGNORE), call);
        if (options_.op == dist::reduction::mean)
            for (std::int64_t i = 0; i < elements_; ++i) parts_[0][static_cast<std::size_t>(i)] /= static_cast<T>(all_.size());
        for (std::size_t m = 0; m < members_.size(); ++m)
            if (parts_[0][static_cast<std::size_t>(elements_) + m] > 0)
                f(members_[m].tensor, parts_[0].data() + members_[m].first, members_[m].size);
        ordered_.reset();
        arrived_ = 0, passes_ = 0;
        for (auto& p : parts_) std::fill(p.begin(), p.end(), T{});
    }

private:
    static constexpr std::string_view call = "distributed_data_parallel";
    struct place {
        std::size_t tensor;
        std::int64_t first, size;
    };
    dist::communicator all_;
    dist::reduce_options options_;
    std::vector<place> members_;
    std::int64_t elements_ = 0;
    std::size_t arrived_ = 0, passes_ = 0;
    std::vector<std::vector<T>> parts_;
    MPI_Request request_ = MPI_REQUEST_NULL;
    std::unique_ptr<ordered_reduction<T>> ordered_;
};

}  // namespace gradus::inline GRADUS_ARCH::core
