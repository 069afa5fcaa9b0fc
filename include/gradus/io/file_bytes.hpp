// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/error.hpp>
#include <gradus/io/system_file.hpp>

#include <cstring>
#include <new>
#include <span>

// The bytes of a file, read or mapped, and the sentences about what is wrong with them.

namespace gradus::inline GRADUS_ARCH::core {

/// What a file says, in quotes, so that it can be printed: at most 40 characters, strange ones as '?'.
inline text in_quotes(std::string_view s) {
    text out("\"");
    for (char c : s.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
    return out += s.size() > 40 ? "...\"" : "\"";
}
template <class... Pieces>
[[noreturn, gnu::cold, gnu::noinline]] void refuse_file(std::string_view call, std::string_view file, Pieces const&... what) {
    throw io_error(concat("gradus::", call, ": ", file, ": ", what...).str());
}
[[noreturn, gnu::cold]] inline void refuse_system(std::string_view call, std::string_view file, std::string_view what, int number) {
    refuse_file(call, file, what, ": ", std::string_view(std::strerror(number)));
}

/// Bytes, the file that they are from, and who reads them.
struct file_bytes {
    std::string_view call;
    std::string file;
    std::span<std::byte const> bytes;
    std::uint64_t base = 0;               ///< where they begin in the file
    std::shared_ptr<std::byte> memory{};  ///< owns them; null if the caller does

    std::uint64_t size() const { return bytes.size(); }
    template <class... Pieces>
    [[noreturn, gnu::cold, gnu::noinline]] void refuse(std::uint64_t offset, Pieces const&... what) const {
        refuse_file(call, file, "byte ", static_cast<std::int64_t>(base + offset), ": ", what...);
    }
    /// `length` bytes from `offset` on, if there are as many.
    std::span<std::byte const> part(std::uint64_t offset, std::uint64_t length, std::string_view what) const {
        if (offset > size() || length > size() - offset)
            refuse(offset, what, " of ", text_of(length), " bytes, where the file has ", text_of(offset > size() ? 0 : size() - offset));
        return bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
    }
    std::string_view letters(std::uint64_t offset, std::uint64_t length, std::string_view what) const {
        auto const found = part(offset, length, what);
        return {reinterpret_cast<char const*>(found.data()), found.size()};
    }
    /// An unsigned number, its lowest byte first.
    template <class U>
    U number(std::uint64_t offset, std::string_view what) const {
        U value;
        std::memcpy(&value, part(offset, sizeof(U), what).data(), sizeof(U));
        return value;
    }
    static std::string text_of(std::uint64_t n) { return std::to_string(n); }
};

inline std::size_t size_of_file(std::string_view call, std::string const& file, descriptor const& d) {
    file_status status{};
    if (d.number() < 0) refuse_system(call, file, "cannot be opened", errno);
    if (!find_status(d.number(), status)) refuse_system(call, file, "cannot be read", errno);
    auto const kind = status.st_mode & S_IFMT;
    if (kind != S_IFREG) refuse_file(call, file, kind == S_IFDIR ? "is a directory" : "is no regular file");
    return static_cast<std::size_t>(status.st_size);
}
inline constexpr std::align_val_t file_alignment{64};

inline std::shared_ptr<std::byte> new_memory(std::size_t size) {
    return {static_cast<std::byte*>(::operator new(size, file_alignment)), [](std::byte* p) { ::operator delete(p, file_alignment); }};
}
inline file_bytes read_all(std::string_view call, std::string const& file, descriptor const& d, std::size_t size) {
    std::shared_ptr<std::byte> memory = new_memory(size);
    for (std::size_t done = 0; done < size;) {
        auto const more = d.read(memory.get() + done, size - done);
        if (more < 0 && errno == EINTR) continue;
        if (more < 0) refuse_system(call, file, "cannot be read", errno);
        if (more == 0)
            refuse_file(call, file, "byte ", static_cast<std::int64_t>(done), ": the file ends, which had more bytes when it was opened");
        done += static_cast<std::size_t>(more);
    }
    return {call, file, {memory.get(), size}, 0, memory};
}
/// A whole file in memory.
inline file_bytes read_file(std::string_view call, std::filesystem::path const& path) {
    std::string const file = path.string();
    descriptor const d(open_to_read(file));
    return read_all(call, file, d, size_of_file(call, file, d));
}
/// A whole file as memory of its own pages, read when they are touched. Writing there changes the memory, not the file. The file
/// must keep its length as long as that is in use: a write by rename leaves it alone, one in place may not. A file of
/// which the system makes no such memory is read.
inline file_bytes map_file(std::string_view call, std::filesystem::path const& path) {
    std::string const file = path.string();
    descriptor const d(open_to_read(file));
    std::size_t const size = size_of_file(call, file, d);
    if (size == 0) return {call, file, {}};
    std::shared_ptr<std::byte> memory = d.map(size);
    if (!memory) return read_all(call, file, d, size);
    return {call, file, {memory.get(), size}, 0, memory};
}

}  // namespace gradus::inline GRADUS_ARCH::core
