// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/dist/collectives.hpp>
#include <gradus/optim/optimizer.hpp>

#include <numeric>
#include <optional>

namespace gradus::inline GRADUS_ARCH::dist {

/// An optimiser whose state is parted among the ranks: PyTorch's ZeroRedundancyOptimizer (S. Rajbhandari et al., "ZeRO", 2020, stage 1).
/// Each rank remembers moments of a part of the parameters only, steps them, and sends them to the others. The numbers are those of
/// `Optimizer`.
///
///     gr::dist::zero_redundancy_optimizer<gr::optim::adam> step(net.parameters(), world, {.lr = 1e-3});
///
/// Gradients are the same on all ranks, as distributed_data_parallel makes them. One group of options.
template <class Optimizer>
class zero_redundancy_optimizer {
    using options_type = decltype(Optimizer::options);
    using given_options = decltype(Optimizer::group::options);

public:
    options_type options;

    zero_redundancy_optimizer(std::vector<any_tensor> parameters, communicator const& all, given_options const& o = {})
        : options(o), all_(all), parameters_(std::move(parameters)), owner_(parameters_.size()) {
        if (parameters_.empty()) throw error("gradus::optim: optimizer got an empty parameter list");
        optim::check_parameters(parameters_);
        assign_owners();
        std::vector<any_tensor> mine;
        for (std::size_t const i : mine_) mine.push_back(parameters_[i]);
        if (!mine.empty()) own_.emplace(std::move(mine), o);
    }

    std::vector<any_tensor> const& parameters() const { return parameters_; }
    /// Which rank steps parameter `i`.
    int owner(std::size_t i) const { return owner_[i]; }
    std::size_t groups() const { return 1; }
    options_type& options_of(std::size_t) { return options; }
    void zero_grad(bool set_to_none = true) const {
        for (any_tensor const& p : parameters_) p.zero_grad(set_to_none);
    }
    /// Collective.
    void step() {
        if (own_) {
            own_->options = options;
            own_->step();
        }
        std::vector<MPI_Request> sent(parameters_.size(), MPI_REQUEST_NULL);
        for (std::size_t i = 0; i < sent.size(); ++i) {
            any_tensor const& p = parameters_[i];
            core::check_mpi(
                MPI_Ibcast(p.data(), core::mpi_count(p.size(), call), core::mpi_type(p.dtype()), owner_[i], all_.mpi(), &sent[i]), call);
        }
        core::check_mpi(MPI_Waitall(static_cast<int>(sent.size()), sent.data(), MPI_STATUSES_IGNORE), call);
        for (any_tensor const& p : parameters_) increment_version(p);
    }

    /// All that a step depends on, as that of `Optimizer` over all parameters, which may load it; on all ranks. Collective.
    nn::tensor_dict state_dict() {
        if (own_) own_->options = options;
        nn::tensor_dict made;
        for (int r = 0; r < all_.size(); ++r)
            for (auto& entry : shared(r == all_.rank() && own_ ? renamed(own_->state_dict(), true) : nn::tensor_dict{}, r))
                if (entry.first.starts_with("state.") || !has(made, entry.first)) made.push_back(std::move(entry));
        return made;
    }
    /// Takes what this rank steps. Throws error for what does not fit, and has changed nothing on this rank then.
    void load_state_dict(nn::tensor_dict const& dict) {
        if (!own_) return;
        own_->load_state_dict(renamed(dict, false));
        options = own_->options;
    }

private:
    static constexpr std::string_view call = "zero_redundancy_optimizer";

    /// The largest parameter first, each to the rank that has the least so far.
    void assign_owners() {
        std::vector<std::size_t> order(parameters_.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [this](auto a, auto b) { return parameters_[a].size() > parameters_[b].size(); });
        std::vector<std::int64_t> load(static_cast<std::size_t>(all_.size()));
        for (std::size_t const i : order) {
            auto const least = std::min_element(load.begin(), load.end());
            *least += parameters_[i].size();
            owner_[i] = static_cast<int>(least - load.begin());
        }
        for (std::size_t i = 0; i < owner_.size(); ++i)
            if (owner_[i] == all_.rank()) mine_.push_back(i);
    }
    static bool has(nn::tensor_dict const& dict, std::string const& name) {
        return std::any_of(dict.begin(), dict.end(), [&](auto const& entry) { return entry.first == name; });
    }
    /// "state.0.exp_avg" of the own optimiser is "state.7.exp_avg" of all parameters, and back; what is of others' is left out.
    nn::tensor_dict renamed(nn::tensor_dict const& dict, bool outwards) const {
        nn::tensor_dict made;
        for (auto const& [name, t] : dict) {
            if (!name.starts_with("state.")) {
                made.emplace_back(name, t);
                continue;
            }
            std::size_t const dot = name.find('.', 6), number = std::stoul(name.substr(6));
            for (std::size_t k = 0; k < mine_.size(); ++k)
                if (number == (outwards ? k : mine_[k]))
                    made.emplace_back("state." + std::to_string(outwards ? mine_[k] : k) + name.substr(dot), t);
        }
        return made;
    }
    /// The dict of rank `root`, on all ranks.
    nn::tensor_dict shared(nn::tensor_dict dict, int root) const {
        std::int64_t count = static_cast<std::int64_t>(dict.size());
        broadcast_(all_, std::span(&count, 1), root);
        dict.resize(static_cast<std::size_t>(count));
        for (auto& [name, t] : dict) {
            std::int64_t head[3 + max_rank] = {static_cast<std::int64_t>(name.size())};
            if (all_.rank() == root) {
                head[1] = static_cast<std::int64_t>(t.dtype()), head[2] = t.rank();
                for (int axis = 0; axis < t.rank(); ++axis) head[3 + axis] = t.size(axis);
            }
            broadcast_(all_, head, root);
            shape s;
            for (int axis = 0; axis < head[2]; ++axis) s.push_back(head[3 + axis]);
            name.resize(static_cast<std::size_t>(head[0]));
            core::broadcast_bytes(all_, name.data(), head[0], root);
            if (all_.rank() != root) t = empty(s, static_cast<dtype>(head[1]));
            broadcast_(all_, t, root);
        }
        return dict;
    }

    communicator all_;
    std::vector<any_tensor> parameters_;
    std::vector<int> owner_;
    std::vector<std::size_t> mine_;
    std::optional<Optimizer> own_;
};

}  // namespace gradus::inline GRADUS_ARCH::dist
