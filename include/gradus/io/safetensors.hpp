// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/io/atomic_file.hpp>
#include <gradus/io/safetensors_header.hpp>

#include <numeric>

// Included on its own: it needs nlohmann::json.

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// A string of JSON. Names are UTF-8.
inline std::string json_string(std::filesystem::path const& path, std::string const& s) {
    try {
        return nlohmann::json(s).dump();
    } catch (nlohmann::json::exception const&) {
        refuse_file("io::save_safetensors", path.string(), "the name or text ", in_quotes(s), " is no UTF-8");
    }
}
/// The header, its end a multiple of 8. Tensors lie in the given order, their entries stand in the dictionary's.
inline std::string safetensors_json(std::filesystem::path const& path, io::state_dict const& dict, io::metadata const& texts,
                                    std::vector<written_tensor> const& written, std::vector<std::size_t> const& order) {
    std::vector<std::uint64_t> begin(dict.size());
    std::uint64_t at = 0;
    for (std::size_t const i : order) begin[i] = std::exchange(at, at + written[i].bytes);
    std::string json = "{";
    auto const comma = [&json] { json += json.back() == '{' ? "" : ","; };
    if (!texts.empty()) json += '"' + std::string(metadata_key) + "\":{";
    for (auto const& [name, value] : texts) comma(), json += json_string(path, name) + ':' + json_string(path, value);
    if (!texts.empty()) json += '}';
    for (std::size_t i = 0; i < dict.size(); ++i) {
        auto const stored = stored_as(written[i].values.dtype());
        auto const s = written[i].values.shape();
        comma();
        json += json_string(path, dict[i].first) + ":{\"dtype\":\"";
        for (auto const& known : safetensors_types)
            if (known.type == stored) json += known.name;
        json += "\",\"shape\":[";
        for (int axis = 0; axis < s.rank(); ++axis) json += (axis ? "," : "") + std::to_string(s[axis].code);
        json += "],\"data_offsets\":[" + std::to_string(begin[i]) + ',' + std::to_string(begin[i] + written[i].bytes) + "]}";
    }
    json += '}';
    return json.append((8 - json.size() % 8) % 8, ' ');
}
inline io::state_dict read_safetensors(file_bytes const& from) {
    io::state_dict found;
    for (auto& t : read_safetensors_header(from).tensors) {
        dtype const type = dtype_read(from, t.array, 8, dtype::number);
        found.emplace_back(std::move(t.name), tensor_of(from, t.array, type));
    }
    return found;
}

}  // namespace core

namespace io {

/// Writes named tensors, and strings about them, as safetensors: what PyTorch, JAX and others load. Larger elements lie before
/// smaller ones, so that all are aligned. The file appears whole or not at all. Throws io_error.
inline void save_safetensors(std::filesystem::path const& path, state_dict const& dict, metadata const& texts = {}) {
    std::string_view const call = "io::save_safetensors";
    auto const written = core::written_all(call, path, dict, core::longest_header);
    for (auto const& [name, t] : dict)
        if (name == core::metadata_key) core::refuse_file(call, path.string(), "a tensor cannot be named \"__metadata__\"");
    for (std::size_t i = 0; i < texts.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (texts[i].first == texts[j].first)
                core::refuse_file(call, path.string(), "two texts are named ", core::in_quotes(texts[i].first));
    std::vector<std::size_t> order(dict.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    auto const size = [&written](std::size_t i) { return size_of(written[i].values.dtype()); };
    std::sort(order.begin(), order.end(), [size](auto a, auto b) { return size(a) != size(b) ? size(a) > size(b) : a < b; });
    std::string const json = core::safetensors_json(path, dict, texts, written, order);
    std::uint64_t const length = json.size();
    if (length > core::longest_header)
        core::refuse_file(call, path.string(), "the header would have ", std::to_string(length),
                          " bytes, the format has at most 100000000");

    core::atomic_file file(call, path);
    file.write(&length, sizeof length);
    file.write(json);
    for (std::size_t const i : order) file.write(written[i].values.data(), written[i].bytes);
    file.commit();
}

/// How a file is opened: mapped, so that tensors show its pages, read when they are touched (writing to them changes no file); or read
/// whole, for files that may be written to in place while the tensors live.
struct safetensors_options {
    bool mmap = true;
};
/// The tensors of a safetensors file in the order of its header. Elements that are aligned for their type are not copied; uint8 and
/// other types that tensors have not become the next larger one. Throws io_error for files that are not right.
inline state_dict load_safetensors(std::filesystem::path const& path, safetensors_options const& options = {}) {
    std::string_view const call = "io::load_safetensors";
    return core::read_safetensors(options.mmap ? core::map_file(call, path) : core::read_file(call, path));
}
/// The same from memory, which is copied.
inline state_dict load_safetensors(std::span<std::byte const> bytes) {
    return core::read_safetensors({"io::load_safetensors", "memory", bytes});
}
/// The strings that a safetensors file has beside its tensors.
inline metadata load_safetensors_metadata(std::filesystem::path const& path) {
    core::file_bytes const from = core::map_file("io::load_safetensors_metadata", path);
    return core::read_safetensors_header(from).metadata;
}

}  // namespace io
}  // namespace gradus::inline GRADUS_ARCH

#pragma GCC diagnostic pop
