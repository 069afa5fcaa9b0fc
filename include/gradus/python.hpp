// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/python/call.hpp>
#include <gradus/python/def.hpp>
#include <gradus/python/numpy.hpp>
#include <gradus/python/objective.hpp>
#include <gradus/python/parameter_vector.hpp>
