// SPDX-License-Identifier: BSL-1.0
// What programs that must not compile include, compiled once for all of them (fail/run.py).
#include <gradus.hpp>
