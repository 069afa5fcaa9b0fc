// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/io/state_dict.hpp>

#include <nlohmann/json.hpp>

// The header of a safetensors file, JSON: tensors by name, each with dtype, shape and place, and "__metadata__", strings by name.
// Source: Hugging Face, safetensors, README, "Format". JSON is read by nlohmann::json (Debian: nlohmann-json3-dev), as it comes and
// without a tree: what the format has no place for ends the reading, however deep it would have gone on.

namespace gradus::inline GRADUS_ARCH {

namespace io {

/// What a file says about itself, strings by name, in order.
using metadata = std::vector<std::pair<std::string, std::string>>;

}  // namespace io

namespace core {

struct safetensors_type {
    std::string_view name;
    stored_type type;
};
inline constexpr safetensors_type safetensors_types[] = {
    {"BOOL", {'b', 1}}, {"U8", {'u', 1}},  {"I8", {'i', 1}},  {"U16", {'u', 2}}, {"I16", {'i', 2}}, {"F16", {'f', 2}}, {"BF16", {'B', 2}},
    {"U32", {'u', 4}},  {"I32", {'i', 4}}, {"F32", {'f', 4}}, {"U64", {'u', 8}}, {"I64", {'i', 8}}, {"F64", {'f', 8}},
};
inline constexpr std::string_view metadata_key = "__metadata__";
inline constexpr std::uint64_t longest_header = 100'000'000;  ///< as the format's own library has it

struct safetensors_entry {
    std::string name;
    stored_array array;
    std::uint64_t begin = 0, end = 0;  ///< in the bytes after the header
};

/// Takes the header's parts as the parser finds them; true asks for more.
class safetensors_header {
public:
    explicit safetensors_header(file_bytes const& from) : from_(from) {}
    std::vector<safetensors_entry> tensors;
    io::metadata metadata;

    bool null() { return misplaced("null"); }
    bool boolean(bool) { return misplaced("true or false"); }
    bool number_integer(std::int64_t) { return misplaced("a negative number"); }
    bool number_float(double, std::string const&) { return misplaced("a number with a fraction, or of more than 64 bits"); }
    bool binary(std::vector<std::uint8_t>&) { return misplaced("bytes"); }
    bool number_unsigned(std::uint64_t n) {
        if (place_ == place::shape) append_extent(from_, 8, tensors.back().array.shape, n);
        else if (place_ == place::offsets && offsets_ < 2) (offsets_++ ? tensors.back().end : tensors.back().begin) = n;
        else misplaced("a number");
        return true;
    }
    bool string(std::string& s) {
        if (place_ == place::metadata) return metadata.emplace_back(std::move(key_), std::move(s)), true;
        if (place_ != place::tensor || key_ != "dtype") return misplaced("a string");
        for (auto const& known : safetensors_types)
            if (known.name == s) return tensors.back().array.type = known.type, true;
        refuse("the tensor ", in_quotes(tensors.back().name), " has the dtype ", in_quotes(s), ", which no dtype here holds");
    }
    bool start_object(std::size_t) {
        if (place_ == place::outside) return place_ = place::root, true;
        if (place_ != place::root) return misplaced("an object");
        if (key_ == metadata_key) return place_ = place::metadata, true;
        tensors.push_back({key_, {}});
        seen_ = offsets_ = 0;
        return place_ = place::tensor, true;
    }
    bool key(std::string& s) {
        key_ = s;
        int const bit = s == "dtype" ? 1 : s == "shape" ? 2 : s == "data_offsets" ? 4 : 0;
        if (place_ == place::tensor && (bit == 0 || (seen_ & bit)))
            refuse("the tensor ", in_quotes(tensors.back().name), " has an entry that no tensor has, or a second one: ", in_quotes(s));
        seen_ |= bit;
        return true;
    }
    bool end_object() {
        if (place_ == place::tensor && seen_ != 7)
            refuse("the tensor ", in_quotes(tensors.back().name), " has no dtype, no shape or no data_offsets");
        place_ = place_ == place::root ? place::outside : place::root;
        return true;
    }
    bool start_array(std::size_t) {
        if (place_ != place::tensor || key_ == "dtype") return misplaced("a list");
        place_ = key_ == "shape" ? place::shape : place::offsets;
        return true;
    }
    bool end_array() {
        if (place_ == place::offsets && offsets_ != 2)
            refuse("data_offsets of the tensor ", in_quotes(tensors.back().name), " are not two numbers");
        place_ = place::tensor;
        return true;
    }
    bool parse_error(std::size_t position, std::string const&, nlohmann::json::exception const& fault) {
        from_.refuse(8 + position, "the header is no JSON: ", std::string_view(fault.what()).substr(0, 200));
    }

private:
    enum class place : std::uint8_t { outside, root, metadata, tensor, shape, offsets };
    template <class... Pieces>
    [[noreturn]] void refuse(Pieces const&... what) const {
        from_.refuse(8, "in the header: ", what...);
    }
    bool misplaced(std::string_view what) const { refuse(what, " where the format has none, after ", in_quotes(key_)); }

    file_bytes const& from_;
    place place_ = place::outside;
    std::string key_;
    int seen_ = 0, offsets_ = 0;
};

/// The names are all different.
template <class Named>
void refuse_twice(file_bytes const& from, std::vector<Named> const& all, auto name) {
    std::vector<std::string_view> names;
    for (Named const& one : all) names.push_back(one.*name);
    std::sort(names.begin(), names.end());
    if (auto const twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
        from.refuse(8, "in the header: two entries are named ", in_quotes(*twice));
}
/// Tensors lie one behind the other, from the first byte to the last.
inline void check_places(file_bytes const& from, std::vector<safetensors_entry> const& tensors, std::uint64_t bytes) {
    std::vector<safetensors_entry const*> order;
    for (auto const& t : tensors) {
        if (t.end < t.begin || t.end - t.begin != t.array.bytes())
            from.refuse(8, "in the header: the tensor ", in_quotes(t.name), " of ", from.text_of(t.array.bytes()), " bytes, ",
                        t.array.shape, ", is told to be at ", from.text_of(t.begin), " to ", from.text_of(t.end));
        order.push_back(&t);
    }
    std::sort(order.begin(), order.end(),
              [](auto const* a, auto const* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
    std::uint64_t at = 0;
    for (auto const* t : order) {
        if (t->begin != at)
            from.refuse(8, "in the header: the tensor ", in_quotes(t->name), " begins at ", from.text_of(t->begin),
                        ", where the one before it ends at ", from.text_of(at), t->begin < at ? ": they overlap" : ": there is a hole");
        at = t->end;
    }
    if (at != bytes) from.refuse(8, "in the header: the tensors have ", from.text_of(at), " bytes, the file ", from.text_of(bytes));
}
/// The header of a file, all of its places checked against the file.
inline safetensors_header read_safetensors_header(file_bytes const& from) {
    std::uint64_t const length = from.number<std::uint64_t>(0, "the length of a header");
    if (length > longest_header)
        from.refuse(0, "a header of ", from.text_of(length), " bytes, where the format has at most ", from.text_of(longest_header));
    auto const json = from.letters(8, length, "a header");
    if (!json.starts_with('{')) from.refuse(8, "the header does not begin with '{'");
    safetensors_header header(from);
    nlohmann::json::sax_parse(json.begin(), json.end(), &header);
    refuse_twice(from, header.tensors, &safetensors_entry::name);
    refuse_twice(from, header.metadata, &std::pair<std::string, std::string>::first);
    check_places(from, header.tensors, from.size() - 8 - length);
    for (auto& t : header.tensors) t.array.offset = 8 + length + t.begin;
    return header;
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH

#pragma GCC diagnostic pop
