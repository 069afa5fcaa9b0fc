// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/io/file_bytes.hpp>
#include <gradus/io/stored_type.hpp>

#include <bit>
#include <vector>

// Pickles of tensors: what torch.save writes. A pickle is a program for a stack machine that can call any function of Python; here none
// is called, and what is not a dict, a list, a number, a text or a tensor is refused by its name.
// Source: Python's pickletools.py, protocol 2.

namespace gradus::inline GRADUS_ARCH::core {

/// A value of a pickle.
struct pickled {
    enum class kind : std::uint8_t { none, boolean, integer, real, text, global, tuple, list, dict, storage, tensor };
    kind is = kind::none;
    std::uint64_t at = 0;     ///< the instruction that made it
    std::int64_t number = 0;  ///< a truth value, an integer, the elements of a storage
    double real = 0;
    std::string_view text{};  ///< a text, the name of a global, the key of a storage
    stored_type type{};       ///< of a storage
    std::vector<int>
        parts{};  ///< by their numbers: elements; of a dict keys and values in turn; of a tensor storage, offset, sizes, strides
};

class unpickler {
public:
    using kind = pickled::kind;

    explicit unpickler(file_bytes const& from) : from_(from) {}
    pickled const& operator[](int i) const { return values_[static_cast<std::size_t>(i)]; }

    /// The number of the value that the pickle is. Each instruction makes at most one value, so that there are fewer than bytes.
    int run() {
        for (;;) {
            begin_ = at_;
            auto const code = take<std::uint8_t>();
            if (code == '.') break;
            if (!(makes_atom(code) || makes_tuple(code) || fills(code) || remembers(code) || calls(code)))
                from_.refuse(begin_, "instruction ", int{code}, " of a pickle, which torch.save does not write of state dicts");
        }
        int const result = pop();
        if (!stack_.empty() || at_ != from_.size()) from_.refuse(begin_, "a pickle that ends with more than one value, or too early");
        return result;
    }

private:
    template <class U>
    U take() {
        U const value = from_.number<U>(at_, "an operand");
        at_ += sizeof(U);
        return value;
    }
    std::string_view letters(std::uint64_t size) {
        std::string_view const found = from_.letters(at_, size, "a text");
        at_ += size;
        return found;
    }
    std::string_view line() {
        std::uint64_t end = at_;
        while (from_.number<char>(end, "a name") != '\n') ++end;
        std::string_view const found = letters(end - at_);
        ++at_;
        return found;
    }

    int push(pickled value) {
        value.at = begin_;
        values_.push_back(std::move(value));
        stack_.push_back(static_cast<int>(values_.size()) - 1);
        return stack_.back();
    }
    bool push_number(kind is, std::int64_t number) { return push({.is = is, .number = number}), true; }
    bool push_parts(kind is, std::vector<int> parts) { return push({.is = is, .parts = std::move(parts)}), true; }
    int pop() {
        if (stack_.empty() || stack_.back() == mark) from_.refuse(begin_, "an instruction of a pickle without its operands");
        int const top = stack_.back();
        stack_.pop_back();
        return top;
    }
    std::vector<int> pop_count(std::size_t count) {
        std::vector<int> items(count);
        while (count-- > 0) items[count] = pop();
        return items;
    }
    std::vector<int> pop_to_mark() {
        std::size_t count = 0;
        while (count < stack_.size() && stack_[stack_.size() - 1 - count] != mark) ++count;
        if (count == stack_.size()) from_.refuse(begin_, "a pickle without the mark that an instruction needs");
        std::vector<int> const items = pop_count(count);
        stack_.pop_back();
        return items;
    }
    /// The value at the top, of that kind.
    pickled& top(kind wanted) {
        int const at = pop();
        stack_.push_back(at);
        pickled& found = values_[static_cast<std::size_t>(at)];
        if (found.is != wanted) from_.refuse(begin_, "an instruction of a pickle for another kind of value");
        return found;
    }

    bool makes_atom(std::uint8_t code) {
        switch (code) {
            case 0x80: return static_cast<void>(take<std::uint8_t>()), true;  // the protocol
            case '(': return stack_.push_back(mark), true;
            case 'N': return push({}), true;
            case 0x88: return push_number(kind::boolean, 1);
            case 0x89: return push_number(kind::boolean, 0);
            case 'K': return push_number(kind::integer, take<std::uint8_t>());
            case 'M': return push_number(kind::integer, take<std::uint16_t>());
            case 'J': return push_number(kind::integer, static_cast<std::int32_t>(take<std::uint32_t>()));
            case 0x8a: return push_number(kind::integer, long_integer());
            case 'G': return push({.is = kind::real, .real = std::bit_cast<double>(__builtin_bswap64(take<std::uint64_t>()))}), true;
            case 'X': return push({.is = kind::text, .text = letters(take<std::uint32_t>())}), true;
            case 'c': return push_global(), true;
            default: return false;
        }
    }
    /// Two's complement, the lowest byte first.
    std::int64_t long_integer() {
        auto const size = take<std::uint8_t>();
        if (size > 8) from_.refuse(begin_, "an integer of ", int{size}, " bytes");
        std::uint64_t bits = 0;
        for (std::uint64_t i = 0; i < size; ++i) bits |= std::uint64_t{take<std::uint8_t>()} << (8 * i);
        int const unused = 64 - 8 * size;
        return size == 0 ? 0 : static_cast<std::int64_t>(bits << unused) >> unused;
    }
    void push_global() {
        std::uint64_t const begin = at_;
        line(), line();
        std::string_view const name = from_.letters(begin, at_ - begin - 1, "a name");
        bool const known = name == ordered_dict || name == rebuild_tensor || name == rebuild_parameter || storage_type(name).size > 0;
        if (!known)
            from_.refuse(
                begin_, dotted(name),
                ": a function or class of Python that is not read; state dicts are of tensors, numbers and texts in dicts and lists");
        push({.is = kind::global, .text = name});
    }
    bool makes_tuple(std::uint8_t code) {
        switch (code) {
            case ')': return push_parts(kind::tuple, {});
            case ']': return push_parts(kind::list, {});
            case '}': return push_parts(kind::dict, {});
            case 't': return push_parts(kind::tuple, pop_to_mark());
            case 0x85:
            case 0x86:
            case 0x87: return push_parts(kind::tuple, pop_count(code - 0x84U));
            default: return false;
        }
    }
    bool fills(std::uint8_t code) {
        bool const is_dict = code == 's' || code == 'u', is_list = code == 'a' || code == 'e';
        if (!is_dict && !is_list) return false;
        std::vector<int> const items = code == 's' ? pop_count(2) : code == 'a' ? pop_count(1) : pop_to_mark();
        pickled& to = top(is_dict ? kind::dict : kind::list);
        if (is_dict && items.size() % 2) from_.refuse(begin_, "a key without a value");
        to.parts.insert(to.parts.end(), items.begin(), items.end());
        return true;
    }
    bool remembers(std::uint8_t code) {
        bool const puts = code == 'q' || code == 'r', gets = code == 'h' || code == 'j';
        if (!puts && !gets) return false;
        std::size_t const place = code == 'q' || code == 'h' ? take<std::uint8_t>() : take<std::uint32_t>();
        if (place >= from_.size() || (gets && (place >= memo_.size() || memo_[place] < 0)))
            from_.refuse(begin_, "a pickle that asks for what it has not put away");
        if (gets) return stack_.push_back(memo_[place]), true;
        if (place >= memo_.size()) memo_.resize(place + 1, -1);
        memo_[place] = pop();
        stack_.push_back(memo_[place]);
        return true;
    }
    bool calls(std::uint8_t code) {
        if (code == 'R') return reduce(), true;
        if (code == 'Q') return persistent(), true;
        if (code != 'b') return false;
        pop();  // attributes of an OrderedDict: versions of modules
        static_cast<void>(top(kind::dict));
        return true;
    }
    /// What the functions that are known would make of their arguments.
    void reduce() {
        pickled const arguments = (*this)[pop()], function = (*this)[pop()];
        if (function.is != kind::global || arguments.is != kind::tuple) from_.refuse(begin_, "a call of what is no function");
        auto const is = [&](std::size_t i, kind wanted) { return (*this)[arguments.parts[i]].is == wanted; };
        std::size_t const count = arguments.parts.size();
        if (function.text == ordered_dict && count == 0) push({.is = kind::dict});
        else if (function.text == rebuild_tensor && count >= 6 && is(0, kind::storage) && is(1, kind::integer) && is(2, kind::tuple) &&
                 is(3, kind::tuple))
            push({.is = kind::tensor, .parts = {arguments.parts.begin(), arguments.parts.begin() + 4}});
        else if (function.text == rebuild_parameter && count >= 1 && is(0, kind::tensor)) stack_.push_back(arguments.parts[0]);
        else from_.refuse(begin_, dotted(function.text), " with other arguments than torch.save writes");
    }
    /// ("storage", its type, its key, the device, the number of elements).
    void persistent() {
        pickled const id = (*this)[pop()];
        auto const part = [&](std::size_t i) -> pickled const& { return (*this)[id.parts[i]]; };
        bool good = id.is == kind::tuple && id.parts.size() == 5 && part(0).text == "storage" && part(1).is == kind::global;
        good = good && part(2).is == kind::text && part(4).is == kind::integer && part(4).number >= 0;
        stored_type const type = good ? storage_type(part(1).text) : stored_type{};
        if (type.size == 0) from_.refuse(begin_, "memory of tensors that is told otherwise than torch.save does");
        push({.is = kind::storage, .number = part(4).number, .text = part(2).text, .type = type});
    }
    static text dotted(std::string_view global) {
        std::string name(global);
        for (char& c : name) c = c == '\n' ? '.' : c;
        return in_quotes(name);
    }
    /// The type of a class such as torch.FloatStorage; of size 0 if there is none.
    static stored_type storage_type(std::string_view name) {
        struct known {
            std::string_view name;
            stored_type type;
        };
        static constexpr known all[] = {{"Float", {'f', 4}}, {"Double", {'f', 8}}, {"Half", {'f', 2}},  {"BFloat16", {'B', 2}},
                                        {"Long", {'i', 8}},  {"Int", {'i', 4}},    {"Short", {'i', 2}}, {"Char", {'i', 1}},
                                        {"Byte", {'u', 1}},  {"Bool", {'b', 1}}};
        for (known const& k : all)
            if (name.starts_with("torch\n") && name.ends_with("Storage") && name.substr(6, name.size() - 13) == k.name) return k.type;
        return {};
    }

    static constexpr int mark = -1;
    static constexpr std::string_view ordered_dict = "collections\nOrderedDict", rebuild_tensor = "torch._utils\n_rebuild_tensor_v2",
                                      rebuild_parameter = "torch._utils\n_rebuild_parameter";
    file_bytes const& from_;
    std::uint64_t at_ = 0, begin_ = 0;
    std::vector<pickled> values_;
    std::vector<int> stack_, memo_;
};

}  // namespace gradus::inline GRADUS_ARCH::core
