// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/data/csv.hpp>
#include <gradus/data/idx.hpp>
#include <gradus/io/npz.hpp>
#include <gradus/io/pt.hpp>
#include <gradus/io/safetensors.hpp>
#include <gradus/nn/linear.hpp>
#include <gradus/nn/state_dict.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

// What each reader promises for any bytes at all: it reads them, or refuses them by io_error. Here are the checks that libFuzzer's programs
// (in this folder) and the tests with mutated files (io/fuzz.cpp) have in common. A reader below returns what it read, checked; what it
// throws, other than io_error, is a fault.

namespace fuzz {

using bytes = std::span<std::byte const>;

inline void check(bool holds, char const* what) {
    if (!holds) throw std::logic_error(what);
}
/// The input in memory of its own, no longer than it is, so that a sanitizer sees what reads beyond it.
inline gradus::core::file_bytes file_of(bytes input) {
    auto memory = gradus::core::new_memory(input.size());
    if (!input.empty()) std::memcpy(memory.get(), input.data(), input.size());
    return {"fuzz", "input", {memory.get(), input.size()}, 0, memory};
}
/// Tensors have no more memory than the input (eight times: bytes become 32 bits, and axes have an order), and all of it can be read.
inline void check_tensors(gradus::io::state_dict const& found, bytes input) {
    std::size_t all = 0;
    unsigned sum = 0;
    for (auto const& [name, t] : found) {
        auto const size = static_cast<std::size_t>(t.size() * gradus::size_of(t.dtype()));
        all += size;
        for (std::size_t b = 0; b < size; ++b) sum += static_cast<unsigned char*>(t.data())[b];
    }
    check(all <= 8 * input.size() && sum <= 255 * all, "more elements than the file has");
}

inline void npy(bytes input) { check_tensors({{"", gradus::core::read_npy(file_of(input), gradus::dtype::number)}}, input); }
inline void npz(bytes input) { check_tensors(gradus::core::read_npz(file_of(input)), input); }
inline void safetensors(bytes input) { check_tensors(gradus::core::read_safetensors(file_of(input)), input); }
inline void pt(bytes input) { check_tensors(gradus::core::read_pt(file_of(input)), input); }
inline void idx(bytes input) { check_tensors({{"", gradus::core::read_idx(file_of(input), gradus::dtype::number)}}, input); }

/// Members have the sizes that their entries tell, no more than deflated data can say.
inline void zip(bytes input) {
    auto const from = file_of(input);
    gradus::core::zip_reader const archive(from);
    std::uint64_t all = 0;
    for (auto const& member : archive.members()) {
        auto const contents = archive.contents(member);
        check(contents.size() == member.size, "a member of another size than its entry tells");
        all += contents.size();
    }
    check(all <= 1032 * input.size(), "members of more bytes than their archive can hold");
}

/// Fields have no more letters than the text; each column is numbers, or refused, and categories.
inline void csv(bytes input) {
    std::string_view const text{reinterpret_cast<char const*>(input.data()), input.size()};
    auto const table = gradus::data::parse_csv(text);
    std::size_t letters = 0;
    for (std::int64_t row = 0; row < table.rows(); ++row)
        for (std::int64_t column = 0; column < table.columns(); ++column) letters += table.field(row, column).size();
    check(letters <= text.size(), "more letters than the text has");
    for (auto const& name : table.names()) {
        try {
            check(table.column<double>(name).size() == table.rows(), "a column that is no column");
            table.column<std::int32_t>(name, 0);
        } catch (gradus::io_error const&) {}
        try {
            check(table.as_categories(name).codes.size() == table.rows(), "categories of no column");
        } catch (gradus::io_error const&) {}
    }
}

/// A model takes all of what a file has, or keeps what it had.
inline void state_dict(bytes input) {
    gradus::random random(1);
    gradus::nn::linear<float, 2, 3> const layer(random);
    auto const weight = layer.weight.values();
    std::vector<float> const before(weight.begin(), weight.end());
    auto const saved = gradus::core::read_npz(file_of(input));
    try {
        gradus::nn::load_state_dict(layer, saved);
    } catch (gradus::io_error const&) { throw std::logic_error("load_state_dict reads no file"); } catch (gradus::error const&) {
        check(std::equal(before.begin(), before.end(), weight.begin()), "a dict that was refused has changed the model");
    }
}

/// Whether a reader takes the input; throws if what it promises does not hold.
template <class Reader>
bool accepts(Reader reader, bytes input) {
    try {
        reader(input);
        return true;
    } catch (gradus::io_error const&) { return false; }
}
/// An entry of libFuzzer. What is thrown ends its program with the input.
template <class Reader>
int entry(Reader reader, std::uint8_t const* data, std::size_t size) {
    accepts(reader, std::as_bytes(std::span(data, size)));
    return 0;
}

}  // namespace fuzz
