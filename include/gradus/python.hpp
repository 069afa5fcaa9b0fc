// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/python/call.hpp>
#include <gradus/python/def.hpp>
#include <gradus/python/numpy.hpp>
#include <gradus/python/objective.hpp>
#include <gradus/python/parameter_vector.hpp>

#pragma GCC diagnostic pop
