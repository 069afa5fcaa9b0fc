// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/io/atomic_file.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

// Archives of .npz: the parts of ZIP that they need. Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3.10.

namespace gradus::inline GRADUS_ARCH::core {

/// CRC-32 with the polynomial of ISO 3309, bits reversed, eight bytes at a time by eight tables (M. Kounavis, F. Berry, "A systematic
/// approach to building high performance, software-based, CRC generators", 2005).
inline std::uint32_t crc32(std::span<std::byte const> bytes, std::uint32_t before = 0) {
    static constexpr auto tables = [] {
        std::array<std::array<std::uint32_t, 256>, 8> t{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            t[0][i] = i;
            for (int bit = 0; bit < 8; ++bit) t[0][i] = (t[0][i] >> 1) ^ (t[0][i] & 1 ? 0xedb88320U : 0);
        }
        for (std::size_t behind = 1; behind < 8; ++behind)
            for (std::size_t i = 0; i < 256; ++i) t[behind][i] = (t[behind - 1][i] >> 8) ^ t[0][t[behind - 1][i] & 255];
        return t;
    }();
    std::uint32_t sum = ~before;
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, bytes.data(), 8);
        eight ^= sum;
        sum = 0;
        for (std::size_t i = 0; i < 8; ++i) sum ^= tables[7 - i][eight >> (8 * i) & 255];
    }
    for (std::byte const b : bytes) sum = tables[0][(sum ^ static_cast<std::uint32_t>(b)) & 255] ^ (sum >> 8);
    return ~sum;
}

/// Unpacks deflated bytes into exactly `to`; false if they are not right. zlib.hpp sets it.
using inflate_function = bool (*)(std::span<std::byte const> from, std::span<std::byte> to);
[[gnu::visibility("default")]] inline constinit inflate_function inflate = nullptr;

/// A member of an archive: where its bytes are.
struct zip_member {
    std::string name;
    std::uint64_t begin = 0, stored = 0, size = 0;
    std::uint32_t crc = 0;
    std::uint16_t method = 0;
};

/// The list of members at the end of the archive, each checked against its place.
class zip_reader {
public:
    explicit zip_reader(file_bytes const& from) : from_(from) {
        find_directory();
        for (std::uint64_t n = 0; n < count_; ++n) read_entry();
        if (at_ != begin_ + length_) from_.refuse(at_, "the list of members has another length than the archive tells");
        check_places();
    }
    std::vector<zip_member> const& members() const { return members_; }

    /// The bytes of a member, unpacked, their checksum right.
    file_bytes contents(zip_member const& m) const {
        auto const stored = from_.part(m.begin, m.stored, "a member");
        file_bytes found{from_.call, from_.file + "(" + m.name + ")", stored, 0, nullptr};
        if (m.method == 8) {
            if (!inflate)
                from_.refuse(m.begin, "the member ", in_quotes(m.name),
                             " is deflated: #include <gradus/io/zlib.hpp> and link with -lz, or write it with np.savez");
            // One byte of deflated data says at most 1032.
            if (m.size / 1032 > m.stored)
                from_.refuse(m.begin, from_.text_of(m.stored), " bytes cannot be ", from_.text_of(m.size), " deflated ones");
            found.memory = new_memory(m.size);
            if (!inflate(stored, {found.memory.get(), m.size}))
                from_.refuse(m.begin, "the member ", in_quotes(m.name), " is damaged, or has another size than its entry tells");
            found.bytes = {found.memory.get(), m.size};
        }
        if (crc32(found.bytes) != m.crc) from_.refuse(m.begin, "the member ", in_quotes(m.name), " is damaged: its checksum is another");
        return found;
    }

private:
    template <class U>
    U number(std::uint64_t at) const {
        return from_.number<U>(at, "an entry");
    }
    /// The record at the end of the archive; a comment may follow it. Where 16 or 32 bits do not do, another one stands before.
    void find_directory() {
        std::uint64_t const size = from_.size();
        if (size < 22) from_.refuse(0, "an archive has at least 22 bytes, this file ", from_.text_of(size));
        std::uint64_t end = size - 22;
        auto const is_end = [&] { return number<std::uint32_t>(end) == 0x06054b50 && end + 22 + number<std::uint16_t>(end + 20) == size; };
        while (!is_end())
            if (end == 0 || size - end > 22 + 65535) from_.refuse(size - 22, "no archive: it does not end as one does");
            else --end;
        count_ = number<std::uint16_t>(end + 10);
        length_ = number<std::uint32_t>(end + 12);
        begin_ = number<std::uint32_t>(end + 16);
        bool const is_long = count_ == 0xffff || length_ == 0xffffffff || begin_ == 0xffffffff;
        if (is_long && end >= 20 && number<std::uint32_t>(end - 20) == 0x07064b50) {
            end = number<std::uint64_t>(end - 12);
            if (from_.part(end, 56, "the end of an archive"); number<std::uint32_t>(end) != 0x06064b50)
                from_.refuse(end, "the end of the archive is not where it tells");
            count_ = number<std::uint64_t>(end + 32);
            length_ = number<std::uint64_t>(end + 40);
            begin_ = number<std::uint64_t>(end + 48);
        }
        from_.part(begin_, length_, "a list of members");
        if (begin_ + length_ > end || count_ > length_ / 46)
            from_.refuse(end, "a list of ", from_.text_of(count_), " members in ", from_.text_of(length_), " bytes from ",
                         from_.text_of(begin_), " on");
        at_ = begin_;
    }
    void read_entry() {
        if (number<std::uint32_t>(at_) != 0x02014b50) from_.refuse(at_, "an entry of the list of members is missing");
        std::uint64_t const name = number<std::uint16_t>(at_ + 28), extra = number<std::uint16_t>(at_ + 30),
                            comment = number<std::uint16_t>(at_ + 32);
        zip_member m;
        m.name = std::string(from_.letters(at_ + 46, name, "a name"));
        m.method = number<std::uint16_t>(at_ + 10);
        m.crc = number<std::uint32_t>(at_ + 16);
        m.stored = number<std::uint32_t>(at_ + 20);
        m.size = number<std::uint32_t>(at_ + 24);
        std::uint64_t local = number<std::uint32_t>(at_ + 42);
        from_.part(at_ + 46 + name, extra + comment, "an entry");
        read_extra(at_ + 46 + name, extra, {&m.size, &m.stored, &local});
        if (number<std::uint16_t>(at_ + 8) & 1) from_.refuse(at_, "the member ", in_quotes(m.name), " is encrypted");
        if (m.method != 0 && m.method != 8)
            from_.refuse(at_, "the member ", in_quotes(m.name), " is packed by method ", int{m.method}, ", neither stored nor deflated");
        if (m.method == 0 && m.size != m.stored) from_.refuse(at_, "the member ", in_quotes(m.name), " has two sizes");
        at_ += 46 + name + extra + comment;
        read_local(local, m);
        members_.push_back(std::move(m));
    }
    /// Numbers of 64 bits, of those that did not fit.
    void read_extra(std::uint64_t at, std::uint64_t length, std::array<std::uint64_t*, 3> numbers) {
        for (std::uint64_t const end = at + length; at + 4 <= end;) {
            std::uint64_t const size = number<std::uint16_t>(at + 2);
            if (size > end - at - 4) from_.refuse(at, "an entry whose parts are longer than it is");
            if (number<std::uint16_t>(at) == 1) {
                std::uint64_t next = at + 4;
                for (std::uint64_t* n : numbers) {
                    if (*n != 0xffffffff) continue;
                    if (next + 8 > at + 4 + size) from_.refuse(at, "an entry without a number of 64 bits that it tells of");
                    *n = number<std::uint64_t>(next);
                    next += 8;
                }
            }
            at += 4 + size;
        }
    }
    /// What stands before the member's bytes.
    void read_local(std::uint64_t at, zip_member& m) {
        from_.part(at, 30, "a member");
        if (number<std::uint32_t>(at) != 0x04034b50) from_.refuse(at, "the member ", in_quotes(m.name), " is not where the list tells");
        std::uint64_t const name = number<std::uint16_t>(at + 26), extra = number<std::uint16_t>(at + 28);
        if (from_.letters(at + 30, name, "a name") != m.name)
            from_.refuse(at, "the member ", in_quotes(m.name), " has another name where it is");
        m.begin = at + 30 + name + extra;
        from_.part(m.begin, m.stored, "a member");
        places_.push_back({at, m.begin + m.stored});
    }
    /// No member is in another one or in the list: an archive of a few bytes would grow to gigabytes.
    void check_places() {
        places_.push_back({begin_, begin_ + length_});
        std::sort(places_.begin(), places_.end());
        for (std::size_t i = 1; i < places_.size(); ++i)
            if (places_[i].first < places_[i - 1].second) from_.refuse(places_[i].first, "two members, or a member and the list, overlap");
        std::vector<std::string_view> names;
        for (zip_member const& m : members_) names.push_back(m.name);
        std::sort(names.begin(), names.end());
        if (auto const twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
            from_.refuse(begin_, "two members are named ", in_quotes(*twice));
    }
    file_bytes const& from_;
    std::uint64_t begin_ = 0, length_ = 0, count_ = 0, at_ = 0;
    std::vector<zip_member> members_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> places_;
};

/// Writes members as they are, without packing. Times are 1980-01-01: equal contents are equal archives.
class zip_writer {
public:
    explicit zip_writer(atomic_file& to) : to_(to) {}

    /// A member of several parts.
    void add(std::string const& name, std::initializer_list<std::span<std::byte const>> parts) {
        std::uint64_t size = 0;
        std::uint32_t crc = 0;
        for (auto const part : parts) {
            size += part.size();
            crc = crc32(part, crc);
        }
        std::string common;  // of both headers: version 4.5, a name of UTF-8, stored, time, date
        append(common, std::uint16_t{45}, std::uint16_t{0x800}, std::uint16_t{0}, std::uint16_t{0}, std::uint16_t{33}, crc, 0xffffffffU,
               0xffffffffU, static_cast<std::uint16_t>(name.size()));
        std::string local;
        append(local, 0x04034b50U);
        local += common;
        append(local, std::uint16_t{20});
        local += name;
        append(local, std::uint16_t{1}, std::uint16_t{16}, size, size);
        append(directory_, 0x02014b50U, std::uint16_t{45});
        directory_ += common;
        append(directory_, std::uint16_t{28}, std::uint16_t{0}, std::uint16_t{0}, std::uint16_t{0}, 0U, 0xffffffffU);
        directory_ += name;
        append(directory_, std::uint16_t{1}, std::uint16_t{24}, size, size, at_);
        to_.write(local);
        for (auto const part : parts) to_.write(part.data(), part.size());
        at_ += local.size() + size;
        ++count_;
    }
    void finish() {
        std::string end;
        std::uint64_t const length = directory_.size();
        append(end, 0x06064b50U, std::uint64_t{44}, std::uint16_t{45}, std::uint16_t{45}, 0U, 0U, count_, count_, length, at_);
        append(end, 0x07064b50U, 0U, at_ + length, 1U);
        append(end, 0x06054b50U, std::uint16_t{0}, std::uint16_t{0}, std::uint16_t{0xffff}, std::uint16_t{0xffff}, 0xffffffffU, 0xffffffffU,
               std::uint16_t{0});
        to_.write(directory_);
        to_.write(end);
    }

private:
    template <class... U>
    static void append(std::string& to, U... numbers) {
        (to.append(reinterpret_cast<char const*>(&numbers), sizeof(numbers)), ...);
    }
    atomic_file& to_;
    std::string directory_;
    std::uint64_t at_ = 0, count_ = 0;
};

}  // namespace gradus::inline GRADUS_ARCH::core
