// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/io/atomic_file.hpp>
#include <gradus/io/npy_header.hpp>

namespace gradus::inline GRADUS_ARCH {

namespace core {

inline any_tensor read_npy(file_bytes const& from, dtype wanted) {
    stored_array const found = read_npy_header(from);
    return tensor_of(from, found, dtype_read(from, found, 0, wanted));
}
inline void save_npy(std::filesystem::path const& path, any_tensor const& t) {
    written_tensor const written(t);
    atomic_file file("io::save_npy", path);
    file.write(npy_header(written.values.dtype(), written.values.shape()));
    file.write(written.values.data(), written.bytes);
    file.commit();
}

}  // namespace core

namespace io {

/// Writes a tensor or an array as NumPy's `np.save` does, to the byte, in C order; bfloat16 as ml_dtypes does, `<V2`. The file
/// appears whole or not at all. Throws io_error.
inline void save_npy(std::filesystem::path const& path, any_tensor const& t) { core::save_npy(path, t); }
template <element T, extent... E>
void save_npy(std::filesystem::path const& path, array<T, E...> const& a) {
    core::save_npy(path, core::shown(a));
}

/// Reads what `np.save` wrote, in C or Fortran order and either byte order: `load_npy<gr::tensor<float, gr::dyn, 4>>("x.npy")`, or
/// without a type an any_tensor.
///
/// Elements become the dtype asked for if it holds all values of the file's type (uint8 as float; not double as float), an
/// any_tensor's the file's own or the next larger one (uint8 as int32). Throws io_error for files that are not right, with the
/// byte, and shape_error for another shape than the one asked for.
template <core::loadable X = any_tensor>
X load_npy(std::filesystem::path const& path) {
    core::file_bytes const from = core::read_file("io::load_npy", path);
    return core::loaded<X>::from(from.call, from.file, core::read_npy(from, core::loaded<X>::wanted));
}
/// The same from memory, which is copied.
template <core::loadable X = any_tensor>
X load_npy(std::span<std::byte const> bytes) {
    core::file_bytes const from{"io::load_npy", "memory", bytes};
    return core::loaded<X>::from(from.call, from.file, core::read_npy(from, core::loaded<X>::wanted));
}

}  // namespace io
}  // namespace gradus::inline GRADUS_ARCH
