// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/io/stored_array.hpp>

// The header of a .npy file: "\x93NUMPY", a version, a length, and a Python dictionary of three entries. Source: NumPy's
// documentation, numpy.lib.format ("Format Version 1.0" to "3.0").

namespace gradus::inline GRADUS_ARCH::core {

inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// The dictionary: strings, True, False and a tuple of numbers; spaces anywhere.
class npy_dictionary {
public:
    npy_dictionary(file_bytes const& from, std::uint64_t begin, std::uint64_t length)
        : from_(from), begin_(begin), text_(from.letters(begin, length, "a header")) {}

    stored_array read() {
        stored_array found;
        bool has_type = false, has_order = false, has_shape = false;
        need('{');
        while (!taken('}')) {
            auto const key = string();
            need(':');
            bool& seen = key == "descr" ? has_type : key == "fortran_order" ? has_order : has_shape;
            if (std::exchange(seen, true) || (&seen == &has_shape && key != "shape"))
                refuse("an entry that no header has, or a second one: ", in_quotes(key));
            if (key == "descr") found.type = type();
            else if (key == "shape") found.shape = shape();
            else found.is_fortran = truth();
            if (!taken(',') && !next_is('}')) refuse("',' or '}' is missing");
        }
        if (!has_type || !has_order || !has_shape) refuse("one of 'descr', 'fortran_order', 'shape' is missing");
        skip();
        if (at_ != text_.size()) refuse("something after the dictionary");
        return found;
    }

private:
    template <class... Pieces>
    [[noreturn]] void refuse(Pieces const&... what) const {
        from_.refuse(begin_ + at_, "in the header: ", what...);
    }
    void skip() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
    }
    bool next_is(char c) { return skip(), at_ < text_.size() && text_[at_] == c; }
    bool taken(char c) { return next_is(c) && ++at_; }
    void need(char c) {
        if (!taken(c)) refuse("'", c, "' is missing");
    }
    std::string_view string() {
        if (!next_is('\'') && !next_is('"')) refuse("a string is missing");
        auto const end = text_.find(text_[at_], at_ + 1);
        if (end == text_.npos) refuse("a string without end");
        auto const found = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        return found;
    }
    stored_type type() {
        if (next_is('[')) refuse("the elements are records, which are no tensor");
        auto const name = string();
        stored_type t;
        if (name.size() == 3 && name[2] >= '1' && name[2] <= '8') t = {name[1], name[2] - '0', name[0] == '>'};
        bool const has_order = name[0] == '<' || name[0] == '>' || name[0] == '=' || (name[0] == '|' && (t.size == 1 || t.kind == 'V'));
        if (t.kind == 'V' && t.size == 2) t.kind = 'B';
        bool const is_number =
            with_stored(t, []<class T>(T) { return !std::is_same_v<T, std::nullptr_t>; }) || t == stored_type{'u', 8, t.is_big_endian};
        if (!is_number || !has_order) refuse("elements of the type ", in_quotes(name), ", which no dtype holds");
        return t;
    }
    bool truth() {
        skip();
        for (bool const value : {false, true}) {
            std::string_view const word = value ? "True" : "False";
            if (!text_.substr(at_).starts_with(word)) continue;
            at_ += word.size();
            return value;
        }
        refuse("True or False is missing");
    }
    gradus::shape shape() {
        gradus::shape s;
        need('(');
        while (!taken(')')) {
            skip();
            auto const at = begin_ + at_;
            append_extent(from_, at, s, number());
            if (!taken(',') && !next_is(')')) refuse("',' or ')' is missing");
        }
        return s;
    }
    std::uint64_t number() {
        skip();
        std::uint64_t n = 0;
        auto const first = at_;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_)
            if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, text_[at_] - '0', &n))
                refuse("a number of more than 64 bits");
        if (at_ == first) refuse("a number is missing");
        if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // as Python 2 wrote them
        return n;
    }
    file_bytes const& from_;
    std::uint64_t begin_;
    std::string_view text_;
    std::size_t at_ = 0;
};

/// The whole header; the elements are known to fill the rest of the file.
inline stored_array read_npy_header(file_bytes const& from) {
    if (from.letters(0, npy_magic.size() + 2, "the beginning of a .npy file").substr(0, npy_magic.size()) != npy_magic)
        from.refuse(0, "a .npy file begins with \\x93NUMPY, this one with ", in_quotes(from.letters(0, npy_magic.size(), "a beginning")));
    auto const version = from.number<std::uint8_t>(6, "a version");
    if (version < 1 || version > 3) from.refuse(6, "version ", int{version}, " of the format, which has 1 to 3");
    std::uint64_t const begin = version == 1 ? 10 : 12;
    std::uint64_t const length = version == 1 ? from.number<std::uint16_t>(8, "a length") : from.number<std::uint32_t>(8, "a length");
    stored_array found = npy_dictionary(from, begin, length).read();
    found.offset = begin + length;
    if (found.bytes() != from.size() - found.offset)
        from.refuse(found.offset, from.text_of(found.bytes()), " bytes of elements for ", found.shape, ", where the file has ",
                    from.text_of(from.size() - found.offset));
    return found;
}

/// The header that NumPy writes, to the byte: its end is a multiple of 64, and the first extent has room to grow to 21 digits.
inline std::string npy_header(dtype type, gradus::shape const& s) {
    auto const stored = stored_as(type);
    std::string dictionary = "{'descr': '";
    if (type == dtype::bfloat16) dictionary += "<V2";
    else dictionary.append(1, stored.size == 1 ? '|' : '<').append(1, stored.kind) += std::to_string(stored.size);
    dictionary += "', 'fortran_order': False, 'shape': (";
    for (int i = 0; i < s.rank(); ++i) dictionary += (i ? ", " : "") + std::to_string(s[i].code);
    dictionary += s.rank() == 1 ? ",), }" : "), }";
    if (s.rank()) dictionary.append(21 - std::to_string(s[0].code).size(), ' ');
    dictionary.append(64 - (10 + dictionary.size() + 1) % 64, ' ') += '\n';
    std::string header(npy_magic);
    header += {'\1', '\0', static_cast<char>(dictionary.size() & 255), static_cast<char>(dictionary.size() >> 8)};
    return header + dictionary;
}

}  // namespace gradus::inline GRADUS_ARCH::core
