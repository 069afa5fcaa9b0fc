// SPDX-License-Identifier: BSL-1.0
#pragma once

// The version, for `#if`. This is the source of the number: test/version.py compares the others with it, docs/packages.md says what it
// promises.

#define GRADUS_VERSION_MAJOR 0
#define GRADUS_VERSION_MINOR 1
#define GRADUS_VERSION_PATCH 0

/// Grows with the version: 10000 * major + 100 * minor + patch, so that `#if GRADUS_VERSION >= 200` asks for 0.2.0 or later.
#define GRADUS_VERSION (GRADUS_VERSION_MAJOR * 10000 + GRADUS_VERSION_MINOR * 100 + GRADUS_VERSION_PATCH)
