// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/tensor/any/operations.hpp>

#include <vector>

// Operations with several results on tensors whose types only run time knows.

namespace gradus::inline GRADUS_ARCH {

/// What is picked along an axis, and where it was: `auto [values, indices] = a.topk(3);`.
template <class T>
struct values_and_indices {
    T values, indices;
};

namespace core {

template <class Self, class Asked = when<Self, void>>
struct operations_of_several_results : run_time_operations<Self, Asked> {
    using location = std::source_location;
    using picked = values_and_indices<Self>;

    // ---- order along an axis: NaN counts as largest; derivatives go to the elements that were picked

    /// The k largest elements (the smallest, where `largest` is false) in their order.
    picked topk(std::int64_t k, int axis = -1, bool largest = true, location where = location::current()) const {
        return at(axis, this->template along_with<op::topk_index>("topk(k, axis)", axis, where, largest, k), where);
    }
    /// Equal elements keep their order.
    picked sort(int axis = -1, bool descending = false, location where = location::current()) const {
        return at(axis, argsort(axis, descending, where), where);
    }
    Self argsort(int axis = -1, bool descending = false, location where = location::current()) const {
        return this->template along_with<op::argsort>("argsort(axis)", axis, where, descending, 0);
    }
    /// The largest and the smallest of all elements.
    Self max(location where = location::current()) const { return this->amax(where); }
    Self min(location where = location::current()) const { return this->amin(where); }
    /// The largest element and its index, the first of equal ones: the derivative goes there, while amax shares it among equal ones.
    picked max(int axis, bool keepdim = false, location where = location::current()) const {
        return without(axis, keepdim, at(axis, this->argmax(axis, true, where), where), where);
    }
    picked min(int axis, bool keepdim = false, location where = location::current()) const {
        return without(axis, keepdim, at(axis, this->argmin(axis, true, where), where), where);
    }
    /// The element in the middle, the smaller of two; NaN if there is one.
    picked median(int axis, bool keepdim = false, location where = location::current()) const {
        Self const order = argsort(axis, false, where);
        std::int64_t const n = order.size(axis);
        if (n == 0) throw shape_error(concat("gradus::any_tensor::median(axis): of no elements: ", this->need().described()).str());
        picked const last = at(axis, order.slice(axis, n - 1, n, 1, where), where),
                     middle = at(axis, order.slice(axis, (n - 1) / 2, (n + 1) / 2, 1, where), where);
        Self const no_number = apply<op::not_equal>(last.values, last.values);
        return without(axis, keepdim, at(axis, apply<op::where>(no_number, last.indices, middle.indices), where), where);
    }
    /// The largest element so far, the last of equal ones.
    picked cummax(int axis, location where = location::current()) const {
        return at(axis, this->template reduced<op::cummax_index>("cummax(axis)", axis, false, where), where);
    }
    picked cummin(int axis, location where = location::current()) const {
        return at(axis, this->template reduced<op::cummin_index>("cummin(axis)", axis, false, where), where);
    }

    // ---- parts, views of the same memory

    /// The tensors beside each other along an axis, without it.
    std::vector<Self> unbind(int axis = 0, location where = location::current()) const {
        std::vector<Self> parts;
        int const along = any_axis("unbind(axis)", this->need(), axis);
        for (std::int64_t i = 0; i < this->need().extents[along]; ++i) parts.push_back(this->select(along, i, where));
        return parts;
    }
    /// Of that extent each, the last one of what is left.
    std::vector<Self> split(std::int64_t size, int axis = 0, location where = location::current()) const {
        std::int64_t const n = this->need().extents[any_axis("split(size, axis)", this->need(), axis)];
        if (size < 0 || (size == 0 && n > 0))
            throw shape_error(
                concat("gradus::any_tensor::split(size, axis): parts of ", size, " elements of ", this->need().described()).str());
        std::vector<std::int64_t> sizes;
        for (std::int64_t left = n; left > 0 || sizes.empty(); left -= size) sizes.push_back(left < size ? left : size);
        return split(sizes, axis, where);
    }
    /// Of these extents, which add up to the tensor's.
    std::vector<Self> split(std::vector<std::int64_t> const& sizes, int axis = 0, location where = location::current()) const {
        int const along = any_axis("split(sizes, axis)", this->need(), axis);
        std::int64_t left = this->need().extents[along];
        bool fits = true;
        for (std::int64_t size : sizes) fits = fits && size >= 0 && size <= left, left -= fits ? size : 0;
        if (!fits || left != 0)
            throw shape_error(
                concat("gradus::any_tensor::split(sizes, axis): the parts do not add up to axis ", axis, " of ", this->need().described())
                    .str());
        std::vector<Self> parts;
        std::int64_t begin = 0;
        for (std::int64_t size : sizes) parts.push_back(this->slice(along, begin, begin + size, 1, where)), begin += size;
        return parts;
    }
    /// At most so many parts, equal but for the last.
    std::vector<Self> chunk(std::int64_t count, int axis = 0, location where = location::current()) const {
        if (count < 1) throw shape_error(concat("gradus::any_tensor::chunk(count, axis): into ", count, " parts").str());
        std::int64_t const n = this->need().extents[any_axis("chunk(count, axis)", this->need(), axis)];
        return split((n + count - 1) / count, axis, where);
    }

private:
    picked at(int axis, Self const& indices, location where) const { return {this->gather(axis, indices, where), indices}; }
    static picked without(int axis, bool keepdim, picked const& all, location where) {
        return keepdim ? all : picked{all.values.squeeze(axis, where), all.indices.squeeze(axis, where)};
    }
};

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
