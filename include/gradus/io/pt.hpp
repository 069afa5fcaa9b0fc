// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/io/pickle.hpp>
#include <gradus/io/state_dict.hpp>
#include <gradus/io/zip.hpp>
#include <gradus/tensor/state/factories.hpp>

#include <map>

// What torch.save writes of state dicts: an archive with a pickle, and the memory of each tensor as a member.

namespace gradus::inline GRADUS_ARCH {

namespace core {

class pt_reader {
public:
    explicit pt_reader(file_bytes const& from) : from_(checked(from)), archive_(from), pickle_(pickle_of(archive_)), machine_(pickle_) {
        for (zip_member const& m : archive_.members()) members_.emplace(m.name, &m);
        if (auto const order = members_.find(prefix_ + "byteorder"); order != members_.end()) {
            file_bytes const told = archive_.contents(*order->second);
            is_big_endian_ = told.letters(0, told.size(), "a byte order") != "little";
        }
    }
    io::state_dict read() {
        collect("", machine_.run(), 0);
        std::vector<std::string_view> names;
        for (auto const& one : found_) names.push_back(one.first);
        std::sort(names.begin(), names.end());
        if (auto const twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
            from_.refuse(0, "two tensors are named ", in_quotes(*twice));
        return std::move(found_);
    }

private:
    using kind = pickled::kind;

    static file_bytes const& checked(file_bytes const& from) {
        if (from.size() > 2 && from.number<std::uint8_t>(0, "a file") == 0x80)
            from.refuse(0, "a pickle without an archive, as torch.save wrote before PyTorch 1.6: load it there and save it again");
        return from;
    }
    file_bytes pickle_of(zip_reader const& archive) {
        for (zip_member const& m : archive.members())
            if (m.name == "data.pkl" || m.name.ends_with("/data.pkl")) {
                prefix_ = m.name.substr(0, m.name.size() - 8);
                return archive.contents(m);
            }
        from_.refuse(0, "an archive without data.pkl: torch.save did not write it");
    }
    /// Appends the tensors and numbers of a value; names of nested ones are joined by dots.
    void collect(std::string const& name, int value, int depth) {
        pickled const& v = machine_[value];
        if (depth > 32 || ++visited_ > pickle_.size()) pickle_.refuse(v.at, "a dict that contains itself, or others too deep or too often");
        auto const below = [&](std::string const& key) { return name.empty() ? key : name + '.' + key; };
        switch (v.is) {
            case kind::none:
            case kind::text: return;
            case kind::boolean: return add(name, full<bool>(v.number != 0));
            case kind::integer: return add(name, full<std::int64_t>(v.number));
            case kind::real: return add(name, full<double>(v.real));
            case kind::tensor: return add(name, tensor_of_value(v));
            case kind::tuple:
            case kind::list:
                for (std::size_t i = 0; i < v.parts.size(); ++i) collect(below(std::to_string(i)), v.parts[i], depth + 1);
                return;
            case kind::dict:
                for (std::size_t i = 0; i + 1 < v.parts.size(); i += 2) collect(below(key_of(v.parts[i])), v.parts[i + 1], depth + 1);
                return;
            case kind::global:
            case kind::storage: break;
        }
        pickle_.refuse(v.at, "the value of ", in_quotes(name), " is neither a tensor nor a number, a text, a dict or a list");
    }
    void add(std::string const& name, any_tensor t) { found_.emplace_back(name, std::move(t)); }
    std::string key_of(int key) const {
        pickled const& k = machine_[key];
        if (k.is == kind::text) return std::string(k.text);
        if (k.is == kind::integer) return std::to_string(k.number);
        pickle_.refuse(k.at, "a key that is neither a text nor an integer");
    }

    any_tensor tensor_of_value(pickled const& t) {
        pickled const &storage = machine_[t.parts[0]], &sizes = machine_[t.parts[2]], &steps = machine_[t.parts[3]];
        file_bytes const& memory = memory_of(storage);
        stored_array a{storage.type, {}};
        a.type.is_big_endian = is_big_endian_ && a.type.size > 1;
        std::int64_t strides[max_rank]{}, last = machine_[t.parts[1]].number, dense = 1;
        bool good = sizes.parts.size() == steps.parts.size() && last >= 0, is_dense = true;
        for (std::size_t i = 0; good && i < sizes.parts.size(); ++i) {
            pickled const &n = machine_[sizes.parts[i]], &step = machine_[steps.parts[i]];
            good = n.is == kind::integer && step.is == kind::integer && n.number >= 0 && step.number >= 0;
            if (!good) break;
            append_extent(pickle_, t.at, a.shape, static_cast<std::uint64_t>(n.number));
            strides[i] = step.number;
            std::int64_t along = 0;
            good = !__builtin_mul_overflow(n.number > 0 ? n.number - 1 : 0, step.number, &along) &&
                   !__builtin_add_overflow(last, along, &last);
        }
        if (!good || (a.count() > 0 && last >= storage.number))
            pickle_.refuse(t.at, "a tensor whose elements are not in its memory of ",
                           pickle_.text_of(static_cast<std::uint64_t>(storage.number)));
        dtype const type = dtype_read(pickle_, a, t.at, dtype::number);
        read_ += static_cast<std::uint64_t>(a.count()) * static_cast<std::uint64_t>(size_of(type));
        if (read_ > 8 * from_.size())
            pickle_.refuse(t.at, "tensors that repeat elements: they have over ", from_.text_of(8 * from_.size()), " bytes together");
        for (int i = a.shape.rank() - 1; i >= 0; dense *= a.shape[i--].code)
            is_dense = is_dense && (strides[i] == dense || a.shape[i].code == 1);
        auto const first = static_cast<std::uint64_t>(machine_[t.parts[1]].number) * static_cast<std::uint64_t>(a.type.size);
        if (a.count() == 0) return empty(a.shape, type);
        if (!is_dense) return gathered(memory.bytes.subspan(static_cast<std::size_t>(first)), a, strides, type);
        a.offset = first;
        return tensor_of(memory, a, type);
    }
    /// The elements at these steps, in order.
    any_tensor gathered(std::span<std::byte const> from, stored_array a, std::int64_t const* strides, dtype type) const {
        auto const size = static_cast<std::size_t>(a.type.size);
        std::vector<std::byte> in_order(static_cast<std::size_t>(a.bytes()));
        std::int64_t index[max_rank]{}, place = 0;
        for (std::size_t to = 0; to < in_order.size(); to += size) {
            std::memcpy(in_order.data() + to, from.data() + static_cast<std::size_t>(place) * size, size);
            for (int axis = a.shape.rank() - 1; axis >= 0; --axis) {
                place += strides[axis];
                if (++index[axis] < a.shape[axis].code) break;
                place -= strides[axis] * std::exchange(index[axis], 0);
            }
        }
        return tensor_of({from_.call, from_.file, in_order}, a, type);
    }
    /// The member that a storage is; there are as many elements as the pickle tells.
    file_bytes const& memory_of(pickled const& storage) {
        std::string const name = prefix_ + "data/" + std::string(storage.text);
        auto const at = members_.find(name);
        if (at == members_.end()) pickle_.refuse(storage.at, "the archive has no member ", in_quotes(name));
        auto const [entry, is_new] = memories_.try_emplace(name);
        if (is_new) entry->second = archive_.contents(*at->second);
        auto const size = static_cast<std::uint64_t>(storage.type.size), elements = static_cast<std::uint64_t>(storage.number);
        if (elements > entry->second.size() / size)
            pickle_.refuse(storage.at, "memory of ", from_.text_of(elements), " elements, where the member ", in_quotes(name), " has ",
                           from_.text_of(entry->second.size()), " bytes");
        return entry->second;
    }

    file_bytes const& from_;
    zip_reader archive_;
    std::string prefix_{};
    file_bytes pickle_;
    unpickler machine_;
    std::map<std::string, zip_member const*> members_{};
    std::map<std::string, file_bytes> memories_{};
    bool is_big_endian_ = false;
    std::uint64_t visited_ = 0, read_ = 0;
    io::state_dict found_{};
};

inline io::state_dict read_pt(file_bytes const& from) { return pt_reader(from).read(); }

}  // namespace core

namespace io {

/// Reads what PyTorch's `torch.save(model.state_dict(), path)` wrote since 1.6: a dict of tensors and numbers, or dicts and lists of
/// such, whose names are joined by dots ("model.layer.weight"); texts and None are left out. Tensors are copies, dtypes as load_npy gives
/// an any_tensor. Nothing of the file is executed: functions and classes of Python other than those of tensors are refused by name. Throws
/// io_error.
inline state_dict load_pt(std::filesystem::path const& path) { return core::read_pt(core::map_file("io::load_pt", path)); }
/// The same from memory, which is copied.
inline state_dict load_pt(std::span<std::byte const> bytes) { return core::read_pt({"io::load_pt", "memory", bytes}); }

}  // namespace io
}  // namespace gradus::inline GRADUS_ARCH
