// SPDX-License-Identifier: BSL-1.0
#pragma once

// The library's only macro, for what an attribute alone cannot say.

/// Inlines every call into a kernel; not where a sanitizer instruments each load, which takes g++ minutes per kernel.
#if defined(__SANITIZE_ADDRESS__)
#define GRADUS_FLATTEN [[gnu::noinline]]
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define GRADUS_FLATTEN [[gnu::noinline]]
#endif
#endif
#ifndef GRADUS_FLATTEN
#define GRADUS_FLATTEN [[gnu::noinline, gnu::flatten]]
#endif
