// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

// The one place that includes Boost.Hana, and only what is used: all of it costs 0.4 s. (define_struct is for users' structs.)
#include <boost/hana/accessors.hpp>
#include <boost/hana/bool.hpp>
#include <boost/hana/concept/struct.hpp>
#include <boost/hana/define_struct.hpp>
#include <boost/hana/integral_constant.hpp>
#include <boost/hana/tuple.hpp>

namespace gradus::inline GRADUS_ARCH {
namespace hana = boost::hana;
}
