// SPDX-License-Identifier: BSL-1.0
// glibc's allocator, counted. These definitions take the place of its own in the program and in the libraries that it loads.
#include "memory.hpp"

#include <malloc.h>
#include <cerrno>
#include <cstdlib>

extern "C" {
void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;
void __libc_free(void*) noexcept;

static void* came(void* p) {
    if (allocated::counting && p) {
        allocated::bytes += static_cast<long>(malloc_usable_size(p));
        ++allocated::calls;
    }
    return p;
}
static void goes(void* p) {
    if (allocated::counting && p) allocated::bytes -= static_cast<long>(malloc_usable_size(p));
}
void* malloc(std::size_t n) noexcept { return came(__libc_malloc(n)); }
void* calloc(std::size_t n, std::size_t size) noexcept { return came(__libc_calloc(n, size)); }
void* realloc(void* p, std::size_t n) noexcept { return goes(p), came(__libc_realloc(p, n)); }
void* memalign(std::size_t to, std::size_t n) noexcept { return came(__libc_memalign(to, n)); }
void* aligned_alloc(std::size_t to, std::size_t n) noexcept { return came(__libc_memalign(to, n)); }
int posix_memalign(void** p, std::size_t to, std::size_t n) noexcept { return (*p = came(__libc_memalign(to, n))) ? 0 : ENOMEM; }
void free(void* p) noexcept { goes(p), __libc_free(p); }
}
