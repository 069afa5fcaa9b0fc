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
        struct stat status{};
        bool const exists = !::stat(file_.c_str(), &status);
        if (exists && !S_ISREG(status.st_mode))
            refuse_file(call_, file_, S_ISDIR(status.st_mode) ? "is a directory" : "is no regular file");
        for (int attempt = 0; number_ < 0; ++attempt) {
            written_ = file_ + ".part" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
            number_ = ::open(written_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (number_ < 0 && (errno != EEXIST || attempt == 1000)) refuse_system(call_, written_, "cannot be created", errno);
        }
        if (exists) static_cast<void>(::fchmod(number_, status.st_mode & 07777));  // who may read it still may, and nobody else
    }
    atomic_file(atomic_file const&) = delete;
    atomic_file& operator=(atomic_file const&) = delete;
    ~atomic_file() {
        if (number_ >= 0) ::close(number_);
        if (!written_.empty()) ::unlink(written_.c_str());
    }

    void write(void const* bytes, std::size_t size) {
        auto const* from = static_cast<char const*>(bytes);
        while (size > 0) {
            auto const done = ::write(number_, from, size);
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) refuse_system(call_, written_, "cannot be written", errno);
            from += done;
            size -= static_cast<std::size_t>(done);
        }
    }
    void write(std::string_view letters) { write(letters.data(), letters.size()); }
    /// The file is complete: now it takes its place.
    void commit() {
        if (::fsync(number_)) refuse_system(call_, written_, "cannot be given to the disk", errno);
        int const closed = ::close(number_);
        number_ = -1;
        if (closed) refuse_system(call_, written_, "cannot be written", errno);
        if (::rename(written_.c_str(), file_.c_str())) refuse_system(call_, file_, "cannot be replaced", errno);
        written_.clear();
        // The name is in the directory: that goes to the disk too. Where a file system has no such call the file is there all the same.
        auto const directory = std::filesystem::path(file_).parent_path();
        descriptor const d(::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (d.number() >= 0) ::fsync(d.number());
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
    int number_ = -1;
};

}  // namespace gradus::inline GRADUS_ARCH::core
