// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

#include <filesystem>

#if !defined(__cpp_lib_filesystem)
#error "gradus/io: this standard library has no std::filesystem (WASI's has none): gradus.hpp alone does without files"
#endif

#include <cerrno>
#include <cstddef>
#include <memory>
#include <new>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef _WIN32
#include <io.h>
#else
#include <sys/mman.h>
#endif

// Files as the operating system has them, POSIX or Windows; the one header of this layer that asks which it is.

namespace gradus::inline GRADUS_ARCH::core {

#ifdef _WIN32
using file_status = struct _stat64;
inline bool find_status(int number, file_status& status) { return ::_fstat64(number, &status) == 0; }
inline constexpr int file_flags = _O_BINARY | _O_NOINHERIT;
inline constexpr int file_permissions = _S_IREAD | _S_IWRITE;
#else
using file_status = struct stat;
inline bool find_status(int number, file_status& status) { return ::fstat(number, &status) == 0; }
inline constexpr int file_flags = O_CLOEXEC;
inline constexpr int file_permissions = 0666;
#endif

/// A file descriptor that closes.
class descriptor {
public:
    explicit descriptor(int number) : number_(number) {}
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor() { close(); }
    int number() const { return number_; }
    /// Opens a file that was not there.
    void create(std::string const& file) { number_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | file_flags, file_permissions); }
    bool close() {
        int const number = number_;
        number_ = -1;
        return number < 0 || ::close(number) == 0;
    }
    /// At most so many bytes; how many there were, negative where errno says why.
    std::ptrdiff_t read(void* to, std::size_t size) const { return ::read(number_, to, piece(size)); }
    std::ptrdiff_t write(void const* from, std::size_t size) const { return ::write(number_, from, piece(size)); }
    /// Waits until the disk has what was written.
    bool sync() const {
#ifdef _WIN32
        return ::_commit(number_) == 0;
#else
        return ::fsync(number_) == 0;
#endif
    }
    /// The bytes as memory of its own pages, read when they are touched; null where errno says why, or where it is not to be had.
    std::shared_ptr<std::byte> map([[maybe_unused]] std::size_t size) const {
#ifdef _WIN32
        return errno = ENOSYS, nullptr;
#else
        void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, number_, 0);
        if (at == MAP_FAILED) return nullptr;
        return {static_cast<std::byte*>(at), [size](std::byte* p) { ::munmap(p, size); }};
#endif
    }

private:
    /// What a call takes on every system.
    static unsigned piece(std::size_t size) { return static_cast<unsigned>(size < (1U << 30) ? size : 1U << 30); }
    int number_;
};

inline int open_to_read(std::string const& file) { return ::open(file.c_str(), O_RDONLY | file_flags); }

/// The disk has a directory's names too. Where a system has no such call, its files are there all the same.
inline void sync_directory([[maybe_unused]] std::filesystem::path const& directory) {
#ifndef _WIN32
    descriptor const d(::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | file_flags));
    if (d.number() >= 0) static_cast<void>(d.sync());
#endif
}

}  // namespace gradus::inline GRADUS_ARCH::core
