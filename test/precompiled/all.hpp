// SPDX-License-Identifier: BSL-1.0
// What nearly every test includes, compiled once for each program.
#include <gradus.hpp>

#include <doctest/doctest.h>
