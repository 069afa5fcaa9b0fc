// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../tensor/messages.hpp"

#include <gradus/io/zip.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

namespace files {

/// A file that others wrote: test/golden/io/recipe.py.
inline std::string golden(std::string const& name) {
    char const* const directory = std::getenv("GRADUS_GOLDEN");
    REQUIRE(directory != nullptr);
    return std::string(directory) + "/io/" + name;
}
inline std::string bytes_of(std::filesystem::path const& path) {
    std::ifstream in(path, std::ios::binary);
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>(in), {}};
}
inline void write(std::filesystem::path const& path, std::string const& bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}
inline std::span<std::byte const> as_bytes(std::string const& s) { return std::as_bytes(std::span(s)); }

/// A directory that is gone at the end of the scope.
class temporary {
public:
    temporary() : path_(std::filesystem::temp_directory_path() / ("gradus_files_" + std::to_string(::getpid()))) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directory(path_);
    }
    temporary(temporary const&) = delete;
    temporary& operator=(temporary const&) = delete;
    ~temporary() { std::filesystem::remove_all(path_); }
    std::filesystem::path operator/(std::string const& name) const { return path_ / name; }
    std::size_t count() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()));
    }

private:
    std::filesystem::path path_;
};

/// An archive of members that are not packed, right but for what they hold.
inline std::string archive_of(std::vector<std::pair<std::string, std::string>> const& members) {
    std::string file, list;
    auto const append = [](std::string& to, auto... numbers) { (to.append(reinterpret_cast<char const*>(&numbers), sizeof numbers), ...); };
    for (auto const& [name, contents] : members) {
        auto const size = static_cast<std::uint32_t>(contents.size()), at = static_cast<std::uint32_t>(file.size());
        std::string common;  // version, flags, method, time, date, checksum, sizes, lengths
        append(common, std::uint16_t{20}, std::uint16_t{0}, std::uint16_t{0}, std::uint32_t{0}, gradus::core::crc32(as_bytes(contents)),
               size, size, static_cast<std::uint16_t>(name.size()), std::uint16_t{0});
        append(file, std::uint32_t{0x04034b50}), append(list, std::uint32_t{0x02014b50}, std::uint16_t{20});
        file += common + name + contents;
        list += common;
        append(list, std::uint16_t{0}, std::uint16_t{0}, std::uint16_t{0}, std::uint32_t{0}, at);
        list += name;
    }
    std::string end;
    auto const count = static_cast<std::uint16_t>(members.size());
    append(end, std::uint32_t{0x06054b50}, std::uint32_t{0}, count, count, static_cast<std::uint32_t>(list.size()),
           static_cast<std::uint32_t>(file.size()), std::uint16_t{0});
    return file + list + end;
}

/// What io_error says, or that there is none.
inline std::string refused(auto call) { return messages::of<gradus::io_error>(call); }

}  // namespace files
