// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/io/npy.hpp>
#include <gradus/io/state_dict.hpp>
#include <gradus/io/zip.hpp>

namespace gradus::inline GRADUS_ARCH {

namespace core {

inline io::state_dict read_npz(file_bytes const& from) {
    io::state_dict found;
    for (zip_reader const archive(from); zip_member const& m : archive.members()) {
        if (!m.name.ends_with(".npy")) from.refuse(m.begin, "the member ", in_quotes(m.name), " is no .npy file");
        file_bytes const member = archive.contents(m);
        found.emplace_back(m.name.substr(0, m.name.size() - 4), read_npy(member, dtype::number));
    }
    return found;
}

}  // namespace core

namespace io {

/// Writes named tensors as `np.savez` does, in their order, not packed. The file appears whole or not at all. Throws io_error.
inline void save_npz(std::filesystem::path const& path, state_dict const& dict) {
    std::vector<core::written_tensor> const written = core::written_all("io::save_npz", path, dict, 65535 - 4);
    core::atomic_file file("io::save_npz", path);
    core::zip_writer archive(file);
    for (std::size_t i = 0; i < dict.size(); ++i) {
        any_tensor const& t = written[i].values;
        std::string const header = core::npy_header(t.dtype(), t.shape());
        archive.add(dict[i].first + ".npy",
                    {std::as_bytes(std::span(header)), {static_cast<std::byte const*>(t.data()), written[i].bytes}});
    }
    archive.finish();
    file.commit();
}

/// Reads what `np.savez` wrote: names and tensors in the order of the archive, dtypes as load_npy gives an any_tensor. What
/// `np.savez_compressed` wrote needs `#include <gradus/io/zlib.hpp>`. Throws io_error.
inline state_dict load_npz(std::filesystem::path const& path) { return core::read_npz(core::read_file("io::load_npz", path)); }
/// The same from memory, which is copied.
inline state_dict load_npz(std::span<std::byte const> bytes) { return core::read_npz({"io::load_npz", "memory", bytes}); }

}  // namespace io
}  // namespace gradus::inline GRADUS_ARCH
