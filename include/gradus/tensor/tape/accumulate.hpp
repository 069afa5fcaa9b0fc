// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/kernel/simd.hpp>
#include <gradus/tensor/view/view.hpp>

// Sums of gradients: on their way through the tape, and into the gradients that tensors have.

namespace gradus::inline GRADUS_ARCH::core {

/// to += from, elementwise, both contiguous.
template <class T>
void add_elements(T* to, T const* from, std::int64_t n) {
    constexpr int W = simd::native_width<computed_t<dtype_of<T>>>;
    std::int64_t i = 0;
    for (; i + W <= n; i += W) simd::store<T, W>(to + i, simd::load<T, W>(to + i) + simd::load<T, W>(from + i));
    for (; i < n; ++i) to[i] += from[i];
}
inline void add_in_place(tensor_state& to, tensor_state const& from) {
    with_floating_dtype(to.type,
                        [&]<class T>(T) { add_elements(reinterpret_cast<T*>(to.data), reinterpret_cast<T const*>(from.data), to.size()); });
    to.memory->written();
    if (from.may_be_unselected) to.may_be_unselected = true;
}
/// Nobody else sees the elements of this gradient.
inline bool is_unshared(tensor_ref const& t) { return t->owned.is_one() && t->memory->owned.is_one() && t->is_contiguous(); }

/// a + b for gradients that are themselves differentiable: hands its derivative to both.
inline node_kind const add_kind{"AddBackward0",
                                [](tape_node&, backward_call& call) {
                                    for (std::size_t i = 0; i < 2; ++i)
                                        if (call.wants(i)) call.gradients[i] = call.cotangents[0];
                                },
                                &node_block<>::destroy};

/// total += part, where total may be shared and both may be recorded.
inline void accumulate(tensor_ref& total, tensor_ref part, bool recording) {
    if (!total) {
        total = std::move(part);
        return;
    }
    bool const recorded = recording && (total->is_recorded() || part->is_recorded());
    if (!recorded && is_unshared(total) && !total->node) return add_in_place(*total, *part);
    tensor_ref sum = contiguous_copy(*total);
    sum->may_be_unselected = total->may_be_unselected;
    add_in_place(*sum, *part);
    if (recorded) {
        tape_node* n = node_block<>::make(add_kind, 2, 0, 0);
        n->connect(0, edge_of(total));
        n->connect(1, edge_of(part));
        sum->node = node_ref(n);
    }
    total = std::move(sum);
}

/// Gradients that a backward pass has found, one sum per tensor, until it has found them all.
class pending_gradients {
public:
    /// The tensor has to live until `commit`.
    void add(tensor_state* to, tensor_ref&& gradient, bool recording) {
        int place = 0;
        if (more_) {
            place = more_->place_of(to, *this);
        } else {
            while (place < count_ && first_[place].to != to) ++place;
        }
        if (place < count_) return accumulate(at(place).gradient, std::move(gradient), recording);
        entry& e = count_ < few ? first_[count_] : more_.make().append(count_, to, *this);
        ++count_;
        e.to = to;
        e.gradient = std::move(gradient);
    }
    /// Finds memory for all that is left to do.
    void prepare(bool recording) {
        for (int i = 0; i < count_; ++i) {
            entry& e = at(i);
            locked held(e.to->lock);
            tensor_ref const& now = e.to->grad;
            if (now && (recording || !can_be_added_to(*now))) replace(i, recording);
            else if (!is_unshared(e.gradient)) make_unshared(e.gradient, recording);  // it may be the gradient of another tensor
        }
    }
    /// Adds to the gradients. Throws only if other threads record passes into the same gradients meanwhile.
    void commit(bool recording) {
        for (int i = 0; i < count_; ++i) {
            entry& e = at(i);
            tensor_ref replaced;  // ends after the lock: what goes with it may be long, and may have locks of its own
            locked held(e.to->lock);
            if (tensor_ref& now = e.to->grad; !now) now = std::move(e.gradient);
            else if (e.sum >= 0 && sums_->all[e.sum].is_for(now)) exchange(now, sums_->all[e.sum].total);
            else if (!recording && can_be_added_to(*now)) add_in_place(*now, *e.gradient);
            else replaced = now, accumulate(now, e.gradient, recording);
        }
    }

private:
    struct entry {
        tensor_state* to = nullptr;
        tensor_ref gradient;
        int sum = -1;  ///< number of what replaces the tensor's gradient, where that cannot be added to in place
    };
    struct sum {
        tensor_ref before;
        std::uint32_t version = 0;  ///< another pass may have added to `before` in place since
        tensor_ref total;

        bool is_for(tensor_ref const& now) const { return now.get() == before.get() && now->memory->written_times() == version; }
    };
    struct sums {
        list<sum> all;
    };
    static constexpr int few = 4;

    /// The entries after the first few, and a table of all their numbers, by address, at most half full.
    struct rest {
        list<entry> entries;
        list<int> table;

        entry& append(int number, tensor_state const* to, pending_gradients& all) {
            entries.push_back({});
            if (2 * number >= table.size()) {
                table = list<int>(table.empty() ? 16 * few : 2 * table.size(), -1);
                for (int i = 0; i < number; ++i) put(i, all.at(i).to);
            }
            put(number, to);
            return entries.back();
        }
        int place_of(tensor_state const* t, pending_gradients& all) const {
            for (unsigned slot = first_slot(t); !table.empty() && table[index_of(slot)] >= 0; ++slot)
                if (all.at(table[index_of(slot)]).to == t) return table[index_of(slot)];
            return all.count_;
        }

    private:
        static unsigned first_slot(tensor_state const* t) {
            return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(t) >> 5) * 0x9E3779B1U >> 4;
        }
        int index_of(unsigned slot) const { return static_cast<int>(slot & static_cast<unsigned>(table.size() - 1)); }
        void put(int number, tensor_state const* t) {
            unsigned slot = first_slot(t);
            while (table[index_of(slot)] >= 0) ++slot;
            table[index_of(slot)] = number;
        }
    };

    entry& at(int i) { return i < few ? first_[i] : more_->entries[i - few]; }
    static bool can_be_added_to(tensor_state const& gradient) { return gradient.is_contiguous() && !gradient.node; }
    [[gnu::noinline]] void replace(int number, bool recording) {
        entry& e = at(number);
        list<sum>& all = sums_.make().all;
        all.push_back({e.to->grad, e.to->grad->memory->written_times(), e.to->grad});
        accumulate(all.back().total, e.gradient, recording);
        e.sum = all.size() - 1;
    }
    [[gnu::noinline]] static void make_unshared(tensor_ref& gradient, bool recording) {
        tensor_ref const copied = std::exchange(gradient, contiguous_copy(*gradient));
        if (!recording || !copied->is_recorded()) return;
        tape_node* n = node_block<>::make(clone_kind, 1, 0, 0);
        gradient->node = node_ref(n);
        n->connect(0, edge_of(copied));
    }

    entry first_[few];
    int count_ = 0;
    own<rest> more_;
    own<sums> sums_;
};

}  // namespace gradus::inline GRADUS_ARCH::core
