// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/dist/gradient_buckets.hpp>
#include <gradus/tensor/tape/hooks.hpp>

#include <variant>

namespace gradus::inline GRADUS_ARCH {

namespace dist {

struct distributed_data_parallel_options {
    reduction op = reduction::mean;             ///< or the sum
    bool in_rank_order = false;                 ///< see reduce_options; twice the memory
    std::int64_t bucket_bytes = 25 << 20;       ///< gradients that are one message
    std::int64_t first_bucket_bytes = 1 << 20;  ///< of those that are found first
};

/// Training on parts of the data: PyTorch's DistributedDataParallel. After each backward pass the gradients are the means of those of all
/// ranks, so that optimisers that begin alike stay alike:
///
///     gr::dist::distributed_data_parallel const parallel(net, world);  // all ranks have rank 0's parameters and buffers now
///     gr::optim::adam step(net.parameters());
///     loss.backward();  // of this rank's samples; reduces meanwhile
///     step.step();
///
/// The module is used as ever. Gradients are collected in buckets, the last layers' first; a full one is reduced while the pass goes on.
/// What passes under no_sync() found is reduced with the next pass. A gradient that was there before is added to the mean. A parameter that
/// no rank has a gradient of keeps what it has. On every rank a pass reaches at least one of the parameters.
class distributed_data_parallel {
public:
    using options = distributed_data_parallel_options;

    /// A module, or a list of tensors. Collective. Throws error on all ranks if they have other parameters than rank 0.
    template <class Module>
    distributed_data_parallel(Module const& module, communicator const& all, options const& o = {}) : all_(all), options_(o) {
        begin(nn::parameters(module), nn::named_buffers(module));
    }
    distributed_data_parallel(distributed_data_parallel const&) = delete;
    distributed_data_parallel& operator=(distributed_data_parallel const&) = delete;
    ~distributed_data_parallel() {
        for (hook_handle& h : hooks_) h.remove();
        if (is_open_) static_cast<void>(buckets_.release());  // MPI may still write there
    }

    /// While one lives, backward passes leave gradients to be reduced by a later one: `auto quiet = parallel.no_sync();`, or, where
    /// passes alternate, `parallel.no_sync(!is_last)`.
    class [[nodiscard]] quiet {
    public:
        quiet(int& count, bool on) : count_(count), on_(on) { count_ += on_; }
        quiet(quiet const&) = delete;
        quiet& operator=(quiet const&) = delete;
        ~quiet() { count_ -= on_; }

    private:
        int& count_;
        bool on_;
    };
    quiet no_sync(bool on = true) { return quiet(quiet_, on); }
    /// How many messages a pass is.
    std::size_t buckets() const { return buckets_->size(); }
    /// How many of them a backward pass that is running has begun to reduce.
    std::size_t begun() const { return next_; }

private:
    using bucket = std::variant<core::gradient_bucket<float>, core::gradient_bucket<double>>;
    struct parameter {
        any_tensor tensor, before;
        std::size_t bucket = 0, member = 0;
        bool has_arrived = false, is_collected = false;  ///< in this pass; since the last reduction
    };

    void begin(std::vector<any_tensor> const& all, nn::tensor_dict const& buffers) {
        if (options_.op != reduction::mean && options_.op != reduction::sum)
            throw error("gradus::dist::distributed_data_parallel: gradients are added up: op is reduction::mean or reduction::sum");
        check_alike(all);
        broadcast_(all_, all);
        broadcast_(all_, buffers);
        for (std::size_t i = all.size(); i-- > 0;)
            if (all[i].requires_grad()) parameters_.push_back({all[i], {}});
        for (std::size_t i = 0; i < parameters_.size(); ++i) {
            core::with_floating_dtype(computed_in(parameters_[i].tensor.dtype()), [&]<class T>(T) { place<computed_t<dtype_of<T>>>(i); });
            auto& state = *parameters_[i].tensor.state();
            hooks_.push_back(core::add_arrival_hook(state, [this, i](auto gradient, auto) { arrive(parameters_[i], gradient[0]); }));
            hooks_.push_back(core::add_leaf_hook(state, [this](auto, auto) { end_pass(); }));
        }
    }
    /// Tells all ranks whether one has other parameters than the first.
    void check_alike(std::vector<any_tensor> const& all) const {
        std::uint64_t types = all.size();
        for (any_tensor const& p : all)
            types = core::mix(types, core::hash_of(core::concat(p.state()->described(), p.requires_grad() ? " trained" : "").view()));
        std::int64_t ends[2] = {static_cast<std::int64_t>(types >> 1), -static_cast<std::int64_t>(types >> 1)};
        all_reduce_(all_, ends, {.op = reduction::max});
        if (ends[0] != -ends[1])
            throw error(
                "gradus::dist::distributed_data_parallel: the ranks have different parameters: as many, in the same order, of the "
                "same types, and the same ones frozen");
    }
    /// Into the last bucket of its type, or a new one.
    template <class T>
    void place(std::size_t i) {
        auto& all = *buckets_;
        std::int64_t const most = all.size() < 2 ? options_.first_bucket_bytes : options_.bucket_bytes;
        std::size_t at = all.size();
        for (std::size_t b = all.size(); b-- > 0 && at == all.size();)
            if (std::holds_alternative<core::gradient_bucket<T>>(all[b])) at = b;
        parameter& p = parameters_[i];
        auto const has_room = [&](core::gradient_bucket<T> const& b) {
            return b.elements() == 0 || (b.elements() + p.tensor.size()) * static_cast<std::int64_t>(sizeof(T)) <= most;
        };
        if (at == all.size() || !has_room(std::get<core::gradient_bucket<T>>(all[at]))) {
            at = all.size();
            all.emplace_back(std::in_place_type<core::gradient_bucket<T>>, all_, reduce_options{options_.op, options_.in_rank_order});
        }
        auto& to = std::get<core::gradient_bucket<T>>(all[at]);
        p.bucket = at, p.member = to.members().size();
        to.add(i, p.tensor.size());
    }

    void arrive(parameter& p, core::tensor_ref const& gradient) {
        if (gradient->is_recorded())
            throw autograd_error(
                "gradus::dist::distributed_data_parallel: a gradient is recorded (create_graph), and its mean over ranks "
                "would not be: use gradus::dist::all_reduce, which has derivatives");
        if (p.has_arrived)
            throw autograd_error(
                "gradus::dist::distributed_data_parallel: a gradient comes a second time: the backward pass before did not end");
        if (!p.is_collected) p.before = p.tensor.grad().defined() ? p.tensor.grad().detach().clone() : any_tensor();
        p.has_arrived = p.is_collected = is_open_ = true;
        std::visit([&](auto& b) { b.arrive(p.member, gradient); }, (*buckets_)[p.bucket]);
        if (quiet_) return;
        for (bool full = true; next_ < buckets_->size() && full;) {  // in the same order on all ranks
            std::visit(
                [&](auto& b) {
                    full = b.is_full();
                    if (full) b.begin();
                },
                (*buckets_)[next_]);
            next_ += full;
        }
        for (std::size_t b = 0; b < next_; ++b) std::visit([](auto& each) { each.progress(); }, (*buckets_)[b]);
    }
    /// All gradients of the pass are in their places; of its hooks the first is called.
    void end_pass() {
        if (!is_open_) return;
        for (parameter& p : parameters_) p.has_arrived = false;
        if (quiet_) {
            for (bucket& b : *buckets_) std::visit([](auto& each) { each.end_pass(); }, b);
        } else {
            for (; next_ < buckets_->size(); ++next_) std::visit([](auto& b) { b.begin(); }, (*buckets_)[next_]);
            for (bucket& b : *buckets_) std::visit([this](auto& each) { take(each); }, b);
            for (parameter& p : parameters_) p.is_collected = false;
            next_ = 0;
        }
        is_open_ = false;
    }
    template <class T>
    void take(core::gradient_bucket<T>& from) {
        from.end([this](std::size_t i, T const* reduced, std::int64_t n) {
            parameter& p = parameters_[i];
            any_tensor before = p.is_collected ? std::exchange(p.before, {}) : p.tensor.grad(), to = p.tensor.grad();
            bool const fresh = !core::is_overwritten(to.state());
            if (fresh) to = any_tensor(core::zeros_like(p.tensor.dtype(), p.tensor.rank(), p.tensor.state()->extents));
            if (before.defined() && !before.is_contiguous()) before = before.clone();
            core::with_floating_dtype(to.dtype(), [&]<class E>(E) {
                E const* const old = before.defined() ? before.values<E>().data() : nullptr;
                E* const now = to.values<E>().data();
                for (std::int64_t k = 0; k < n; ++k) now[k] = static_cast<E>(old ? static_cast<T>(old[k]) + reduced[k] : reduced[k]);
            });
            if (fresh) core::replace_gradient(*p.tensor.state(), to.state());
            else increment_version(to);
        });
    }

    communicator all_;
    options options_;
    std::vector<parameter> parameters_;  ///< the last first
    std::unique_ptr<std::vector<bucket>> buckets_ = std::make_unique<std::vector<bucket>>();
    std::vector<hook_handle> hooks_;
    std::size_t next_ = 0;  ///< the bucket that is reduced next
    int quiet_ = 0;
    bool is_open_ = false;  ///< a pass has found gradients and has not ended
};

/// An optimiser that reduces the gradients of all ranks before it steps, in one message per dtype: for compiled steps, whose gradients are
/// there all at once.
///
///     auto step = gr::compile(nn::train_step(net, loss, gr::dist::reduced(adam, world)));
template <class Optimizer>
class reduced {
public:
    reduced(Optimizer& of, communicator const& all, reduce_options const& o = {.op = reduction::mean}) : of_(&of), all_(all), options_(o) {}
    /// Throws as all_reduce_ does, and has not stepped then. All ranks have gradients of the same parameters.
    void step() {
        std::vector<any_tensor> gradients;
        for (any_tensor const& p : of_->parameters()) gradients.push_back(p.grad());
        all_reduce_(all_, gradients, options_);
        of_->step();
    }

private:
    Optimizer* of_;
    communicator all_;
    reduce_options options_;
};

}  // namespace dist
}  // namespace gradus::inline GRADUS_ARCH
