// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/lower/control.hpp>
#include <gradus/lower/lower.hpp>

#pragma GCC diagnostic pop
