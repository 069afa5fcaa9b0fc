// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/lower/control.hpp>
#include <gradus/lower/lower.hpp>
