// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/io/file_bytes.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Text of values between commas, taken apart. Source: RFC 4180.

namespace gradus::inline GRADUS_ARCH {

namespace data {

struct csv_options {
    char delimiter = ',';
    char quote = '"';
    bool header = true;                                                               ///< the first line names the columns
    std::vector<std::string> missing{"", "NA", "N/A", "NaN", "nan", "NULL", "null"};  ///< fields that say that there is no value
};

}  // namespace data

namespace core {

/// Where a field begins, both from 1; the column counts bytes.
struct csv_place {
    std::int64_t line = 1, column = 1;
};

/// Fields, row by row, their texts one after the other.
struct csv_fields {
    std::string file;
    std::int64_t columns = 0;
    std::vector<std::string> names, missing;
    std::string letters{};
    std::vector<std::size_t> ends{};
    std::vector<csv_place> places{};

    std::int64_t rows() const { return columns ? static_cast<std::int64_t>(ends.size()) / columns : 0; }
    std::size_t index(std::int64_t row, std::int64_t column) const { return static_cast<std::size_t>(row * columns + column); }
    std::string_view text(std::size_t i) const {
        std::size_t const begin = i ? ends[i - 1] : 0;
        return std::string_view(letters).substr(begin, ends[i] - begin);
    }
    std::string_view text(std::int64_t row, std::int64_t column) const { return text(index(row, column)); }
    csv_place place(std::int64_t row, std::int64_t column) const { return places[index(row, column)]; }
    template <class... Pieces>
    [[noreturn, gnu::cold]] void refuse(csv_place at, Pieces const&... what) const {
        throw io_error(concat("gradus::data::read_csv: ", file, ":", at.line, ":", at.column, ": ", what...).str());
    }
};

class csv_reader {
public:
    csv_reader(std::string_view text, std::string file, data::csv_options const& options) : text_(text), options_(options) {
        fields_.file = std::move(file);
        fields_.missing = options.missing;
        if (options.delimiter == options.quote || options.delimiter == '\n' || options.quote == '\n')
            throw error("gradus::data::read_csv: delimiter, quote and the end of a line are three characters");
        if (text_.starts_with("\xef\xbb\xbf")) line_begin_ = at_ = 3;  // the mark of UTF-8
    }
    csv_fields read() {
        while (at_ < text_.size())
            if (!skip_line_end()) read_row();
        if (options_.header) take_names();
        else
            for (std::int64_t c = 0; c < fields_.columns; ++c) fields_.names.push_back(std::to_string(c));
        return std::move(fields_);
    }

private:
    csv_place place() const { return {line_, static_cast<std::int64_t>(at_ - line_begin_) + 1}; }
    bool is_line_end() const {
        return at_ < text_.size() && (text_[at_] == '\n' || (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n'));
    }
    bool skip_line_end() {
        if (!is_line_end()) return false;
        at_ += text_[at_] == '\r' ? 2 : 1;
        new_line();
        return true;
    }
    void new_line() {
        ++line_;
        line_begin_ = at_;
    }
    void read_row() {
        std::int64_t count = 0;
        csv_place const first = place();
        for (bool more = true; more; ++count) {
            fields_.places.push_back(place());
            if (at_ < text_.size() && text_[at_] == options_.quote) read_quoted();
            else
                while (at_ < text_.size() && text_[at_] != options_.delimiter && !is_line_end()) fields_.letters += text_[at_++];
            fields_.ends.push_back(fields_.letters.size());
            more = at_ < text_.size() && text_[at_] == options_.delimiter;
            at_ += more;
        }
        if (fields_.columns == 0) fields_.columns = count;
        if (count != fields_.columns) fields_.refuse(first, "a line of ", count, " fields, the first has ", fields_.columns);
        skip_line_end();
    }
    void read_quoted() {
        csv_place const begin = place();
        for (++at_;; ++at_) {
            if (at_ == text_.size()) fields_.refuse(begin, "a quoted field without end");
            if (text_[at_] == options_.quote) {
                if (at_ + 1 == text_.size() || text_[at_ + 1] != options_.quote) break;
                ++at_;
            }
            fields_.letters += text_[at_];
            if (text_[at_] != '\n') continue;
            ++line_;
            line_begin_ = at_ + 1;
        }
        ++at_;
        if (at_ < text_.size() && text_[at_] != options_.delimiter && !is_line_end())
            fields_.refuse(place(), "something behind a quoted field");
    }
    /// The first row is the header.
    void take_names() {
        auto const count = static_cast<std::ptrdiff_t>(fields_.columns);
        for (std::int64_t c = 0; c < fields_.columns; ++c) {
            std::string name(fields_.text(0, c));
            if (std::find(fields_.names.begin(), fields_.names.end(), name) != fields_.names.end())
                fields_.refuse(fields_.place(0, c), "two columns are named ", in_quotes(name));
            fields_.names.push_back(std::move(name));
        }
        if (count == 0) return;
        std::size_t const letters = fields_.ends[static_cast<std::size_t>(count) - 1];
        fields_.letters.erase(0, letters);
        fields_.ends.erase(fields_.ends.begin(), fields_.ends.begin() + count);
        fields_.places.erase(fields_.places.begin(), fields_.places.begin() + count);
        for (std::size_t& end : fields_.ends) end -= letters;
    }
    std::string_view text_;
    data::csv_options const& options_;
    csv_fields fields_;
    std::size_t at_ = 0, line_begin_ = 0;
    std::int64_t line_ = 1;
};

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
