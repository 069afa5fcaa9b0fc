// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../tensor/messages.hpp"

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

/// What io_error says, or that there is none.
inline std::string refused(auto call) { return messages::of<gradus::io_error>(call); }

}  // namespace files
