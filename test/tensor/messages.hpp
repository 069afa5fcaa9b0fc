// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

// What the library says: exceptions and warnings as text.
namespace messages {

template <class Error>
std::string of(auto call) {
    try {
        call();
    } catch (Error const& e) { return e.what(); }
    return "nothing is thrown";
}
inline bool contains(std::string_view text, std::string_view fragment) { return text.find(fragment) != std::string_view::npos; }

/// The warnings of a scope.
class warnings {
public:
    warnings() : guard_(&warnings::keep) { all().clear(); }
    static std::vector<std::string>& all() {
        static std::vector<std::string> texts;
        return texts;
    }

private:
    static void keep(std::string_view text) { all().emplace_back(text); }
    gradus::warning_sink guard_;
};

/// The elements of a tensor or of an expression on tensors.
template <class X>
auto elements(X const& x) {
    gradus::tensor t = x;
    auto c = t.contiguous();
    return std::vector(c.begin(), c.end());
}

}  // namespace messages
