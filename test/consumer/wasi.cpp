// SPDX-License-Identifier: BSL-1.0
// What Debian's C++ library for WASI lacks, as it is built without exceptions and threads: what is thrown ends the program.
#include <cstddef>
#include <cstdlib>

extern "C" {
int __cxa_atexit(void (*)(void*), void*, void*);
int __cxa_thread_atexit(void (*f)(void*), void* p, void* library) { return __cxa_atexit(f, p, library); }
void* __cxa_allocate_exception(std::size_t) { std::abort(); }
void __cxa_throw(void*, void*, void (*)(void*)) { std::abort(); }
}
