// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/core/aligned.hpp>
#include <gradus/core/allocator.hpp>
#include <gradus/core/array_view.hpp>
#include <gradus/core/config.hpp>
#include <gradus/core/decimal.hpp>
#include <gradus/core/dtype.hpp>
#include <gradus/core/error.hpp>
#include <gradus/core/exchange.hpp>
#include <gradus/core/fixed_string.hpp>
#include <gradus/core/form.hpp>
#include <gradus/core/half.hpp>
#include <gradus/core/hash.hpp>
#include <gradus/core/heap.hpp>
#include <gradus/core/list.hpp>
#include <gradus/core/meta.hpp>
#include <gradus/core/shape.hpp>
#include <gradus/core/short_list.hpp>
#include <gradus/core/target.hpp>
#include <gradus/core/text.hpp>
#include <gradus/core/unifier.hpp>

#pragma GCC diagnostic pop
