// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/data/csv_reader.hpp>
#include <gradus/io/stored_array.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <unordered_map>

namespace gradus::inline GRADUS_ARCH {

namespace core {

/// The number that a field is, without spaces around it; none if it is none, or does not fit.
template <element T>
std::optional<T> number_of(std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
    if constexpr (std::is_same_v<T, bool>) {
        for (std::string_view const yes : {"1", "true", "True", "TRUE"})
            if (s == yes) return true;
        for (std::string_view const no : {"0", "false", "False", "FALSE"})
            if (s == no) return false;
        return {};
    } else {
        if (s.size() > 1 && s[0] == '+' && s[1] != '-') s.remove_prefix(1);
        std::conditional_t<std::is_integral_v<T>, T, double> value{};
        auto const [end, fault] = std::from_chars(s.data(), s.data() + s.size(), value);
        if (fault != std::errc() || end != s.data() + s.size()) return {};
        if constexpr (std::is_same_v<T, double> || std::is_integral_v<T>) return value;
        else {
            T const rounded = static_cast<T>(static_cast<float>(value));
            bool const fits = value - value != 0 || static_cast<float>(rounded) - static_cast<float>(rounded) == 0;  // finite as before
            return fits ? std::optional(rounded) : std::nullopt;
        }
    }
}

}  // namespace core

namespace data {

/// Words as numbers: `codes` say which of `names` each is.
struct categories {
    tensor<std::int64_t, dyn> codes;
    std::vector<std::string> names;
};

/// A table of text, whose columns become tensors.
class csv_table {
public:
    explicit csv_table(core::csv_fields fields) : fields_(std::move(fields)) {}

    std::int64_t rows() const { return fields_.rows(); }
    std::int64_t columns() const { return fields_.columns; }
    /// The words of the header, or "0", "1", ... where there is none.
    std::vector<std::string> const& names() const { return fields_.names; }
    /// The number of a column by its name. Throws error if there is none.
    std::int64_t column_of(std::string_view name) const {
        auto const found = std::find(names().begin(), names().end(), name);
        if (found == names().end())
            throw error(core::concat("gradus::data::csv_table: ", fields_.file, ": there is no column ", core::in_quotes(name)).str());
        return found - names().begin();
    }
    /// A field as it is, without the quotes around it.
    std::string_view field(std::int64_t row, std::int64_t column) const {
        if (row < 0 || row >= rows() || column < 0 || column >= columns())
            throw error(core::concat("gradus::data::csv_table: ", fields_.file, ": no field ", row, ", ", column, " in ", rows(),
                                     " rows of ", columns())
                            .str());
        return fields_.text(row, column);
    }
    bool is_missing(std::int64_t row, std::int64_t column) const {
        auto const& words = fields_.missing;
        return std::find(words.begin(), words.end(), field(row, column)) != words.end();
    }

    /// A column as numbers. A missing value is `fill`, or NaN; where there is neither it is refused. Throws io_error with line and column.
    template <element T>
    tensor<T, dyn> column(std::string_view name, std::optional<T> fill = {}) const {
        tensor<T, dyn> made(shape{rows()}, nullptr);
        std::int64_t const c = column_of(name);
        for (std::int64_t r = 0; r < rows(); ++r) made.data()[r] = number<T>(r, c, fill);
        return made;
    }
    /// Columns side by side, in the order of their names, or all of them: `table.to<gr::tensor<float, gr::dyn, 4>>()`. Missing values as
    /// above. Throws shape_error if a static extent is another.
    template <class X>
        requires(X::rank() == 2)
    X to(std::vector<std::string> const& wanted, std::optional<typename X::value_type> fill = {}) const {
        using T = typename X::value_type;
        std::vector<std::int64_t> which;
        for (auto const& name : wanted) which.push_back(column_of(name));
        tensor<T, dyn, dyn> made(shape{rows(), which.size()}, nullptr);
        T* at = made.data();
        for (std::int64_t r = 0; r < rows(); ++r)
            for (std::int64_t const c : which) *at++ = number<T>(r, c, fill);
        return core::loaded<X>::from("data::csv_table::to", fields_.file, made);
    }
    template <class X>
        requires(X::rank() == 2)
    X to() const {
        return to<X>(names());
    }
    /// A column of words as numbers, names in alphabetical order. Missing values are refused.
    categories as_categories(std::string_view name) const {
        std::vector<std::string> known;
        std::int64_t const c = column_of(name);
        for (std::int64_t r = 0; r < rows(); ++r) known.emplace_back(field(r, c));
        std::sort(known.begin(), known.end());
        known.erase(std::unique(known.begin(), known.end()), known.end());
        return as_categories(name, std::move(known));
    }
    /// The same with names that are known, those of a training set. Throws io_error for another one.
    categories as_categories(std::string_view name, std::vector<std::string> known) const {
        categories made{tensor<std::int64_t, dyn>(shape{rows()}, nullptr), std::move(known)};
        std::unordered_map<std::string_view, std::int64_t> code;
        for (std::string const& word : made.names) code.emplace(word, static_cast<std::int64_t>(code.size()));
        if (code.size() != made.names.size()) throw error("gradus::data::csv_table::as_categories: two categories have one name");
        std::int64_t const c = column_of(name);
        for (std::int64_t r = 0; r < rows(); ++r) {
            auto const found = code.find(field(r, c));
            if (is_missing(r, c) || found == code.end()) refuse(r, c, is_missing(r, c) ? "is missing" : "is no known category");
            made.codes.data()[r] = found->second;
        }
        return made;
    }

private:
    [[noreturn]] void refuse(std::int64_t row, std::int64_t column, std::string_view what) const {
        fields_.refuse(fields_.place(row, column), core::in_quotes(field(row, column)), " in column ",
                       core::in_quotes(names()[static_cast<std::size_t>(column)]), " ", what);
    }
    template <element T>
    T number(std::int64_t row, std::int64_t column, std::optional<T> const& fill) const {
        if (is_missing(row, column)) {
            if (fill) return *fill;
            if constexpr (floating_element<T>) return std::numeric_limits<T>::quiet_NaN();
            else refuse(row, column, "is missing");
        }
        auto const value = core::number_of<T>(field(row, column));
        if (!value) refuse(row, column, core::concat("is no ", name_of(dtype_of<T>)));
        return *value;
    }
    core::csv_fields fields_;
};

/// Reads a file of values between commas (RFC 4180): quoted fields may hold commas, doubled quotes and line ends; lines end with LF or CR
/// LF; empty lines are passed over. Throws io_error with line and column, for rows of different lengths too.
inline csv_table read_csv(std::filesystem::path const& path, csv_options const& options = {}) {
    core::file_bytes const from = core::read_file("data::read_csv", path);
    return csv_table(core::csv_reader(from.letters(0, from.size(), "a text"), from.file, options).read());
}
/// The same from a text in memory.
inline csv_table parse_csv(std::string_view text, csv_options const& options = {}) {
    return csv_table(core::csv_reader(text, "text", options).read());
}

}  // namespace data
}  // namespace gradus::inline GRADUS_ARCH
