// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/io/file_bytes.hpp>

#include <cstdio>

namespace gradus::inline GRADUS_ARCH::core {

/// A file that appears whole or not at all: written beside its place under another name, given to the disk (fsync), renamed. A
/// program or a machine that stops on the way leaves what was there before.
class atomic_file {
public:
    atomic_file(std::string_view call, std::filesystem::path const& path) : call_(call), file_(place_of(path)) {
        std::error_code ignored;
        auto const status = std::filesystem::status(file_, ignored);
        bool const exists = std::filesystem::exists(status);
        if (exists && !std::filesystem::is_regular_file(status))
            refuse_file(call_, file_, std::filesystem::is_directory(status) ? "is a directory" : "is no regular file");
        for (int attempt = 0; to_.number() < 0; ++attempt) {
            written_ = file_ + ".part" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
            to_.create(written_);
            if (to_.number() < 0 && (errno != EEXIST || attempt == 1000)) refuse_system(call_, written_, "cannot be created", errno);
        }
        if (exists) std::filesystem::permissions(written_, status.permissions(), ignored);  // who may read it still may, and nobody else
    }
    atomic_file(atomic_file const&) = delete;
    atomic_file& operator=(atomic_file const&) = delete;
    ~atomic_file() {
        to_.close();
        std::error_code ignored;
        if (!written_.empty()) std::filesystem::remove(written_, ignored);
    }

    void write(void const* bytes, std::size_t size) {
        auto const* from = static_cast<char const*>(bytes);
        while (size > 0) {
            auto const done = to_.write(from, size);
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) refuse_system(call_, written_, "cannot be written", errno);
            from += done;
            size -= static_cast<std::size_t>(done);
        }
    }
    void write(std::string_view letters) { write(letters.data(), letters.size()); }
    /// The file is complete: now it takes its place.
    void commit() {
        if (!to_.sync()) refuse_system(call_, written_, "cannot be given to the disk", errno);
        if (!to_.close()) refuse_system(call_, written_, "cannot be written", errno);
        std::error_code refused;
        std::filesystem::rename(written_, file_, refused);
        if (refused) refuse_file(call_, file_, "cannot be replaced: ", refused.message());
        written_.clear();
        sync_directory(std::filesystem::path(file_).parent_path());
    }

private:
    /// A link stays one: what it points to is replaced.
    static std::string place_of(std::filesystem::path const& path) {
        std::error_code ignored;
        if (!std::filesystem::is_symlink(path, ignored)) return path.string();
        auto const target = std::filesystem::weakly_canonical(path, ignored);
        return ignored ? path.string() : target.string();
    }
    std::string_view call_;
    std::string file_, written_;
    descriptor to_{-1};
};

}  // namespace gradus::inline GRADUS_ARCH::core
