// SPDX-License-Identifier: BSL-1.0
// What the interpreted programs have in common.
#include <gradus/src.hpp>
