// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/config.hpp>

// The one place that includes Boost.Hana, and only what is used: all of it costs 0.4 s. Users who describe a struct by
// BOOST_HANA_DEFINE_STRUCT include that header themselves: it would be a twentieth of what gradus costs.
#include <boost/hana/accessors.hpp>
#include <boost/hana/bool.hpp>
#include <boost/hana/concept/struct.hpp>
#include <boost/hana/integral_constant.hpp>
#include <boost/hana/tuple.hpp>

namespace gradus::inline GRADUS_ARCH {
namespace hana = boost::hana;
}
