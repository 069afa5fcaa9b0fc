// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/io/npy.hpp>
#include <gradus/io/npz.hpp>
