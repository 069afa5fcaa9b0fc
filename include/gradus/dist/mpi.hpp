// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/core/dtype.hpp>
#include <gradus/core/error.hpp>

// MPI's C functions; the C++ ones of old are another library to link.
#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#endif
#ifndef MPICH_SKIP_MPICXX
#define MPICH_SKIP_MPICXX 1
#endif
#include <mpi.h>

#include <limits>
#include <string>

namespace gradus::inline GRADUS_ARCH {

/// What several processes do with one another: communicators, collective operations, training on parts of the data. On MPI.
namespace dist {}

namespace core {

/// Throws error with MPI's own words where a function of MPI's has failed.
inline void check_mpi(int code, std::string_view call) {
    if (code == MPI_SUCCESS) return;
    char words[MPI_MAX_ERROR_STRING]{};
    int length = 0;
    if (MPI_Error_string(code, words, &length) != MPI_SUCCESS) length = 0;
    throw error(concat("gradus::dist::", call, ": MPI says: ", std::string_view(words, static_cast<std::size_t>(length))).str());
}
/// Elements as MPI knows them; of 16 bits it knows no floating point, but carries them.
inline MPI_Datatype mpi_type(dtype type) {
    switch (type) {
        case dtype::boolean: return MPI_CXX_BOOL;
        case dtype::int32: return MPI_INT32_T;
        case dtype::int64: return MPI_INT64_T;
        case dtype::float32: return MPI_FLOAT;
        case dtype::bfloat16:
        case dtype::float16: return MPI_UINT16_T;
        case dtype::float64:
        case dtype::number: break;
    }
    return MPI_DOUBLE;
}
/// MPI counts with int.
inline int mpi_count(std::int64_t n, std::string_view call) {
    if (n > std::numeric_limits<int>::max()) throw error(concat("gradus::dist::", call, ": over 2^31 elements in one call: ", n).str());
    return static_cast<int>(n);
}

}  // namespace core
}  // namespace gradus::inline GRADUS_ARCH
