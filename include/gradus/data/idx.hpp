// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gradus/data/dataset.hpp>
#include <gradus/io/stored_array.hpp>
#include <gradus/tensor/state/factories.hpp>

// IDX files, in which MNIST and its relatives are published. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten
// digits", "the IDX file format": two zero bytes, a type, the number of axes, extents of 32 bits, elements, all with the highest byte
// first.

namespace gradus::inline GRADUS_ARCH {

namespace core {

inline stored_array read_idx_header(file_bytes const& from) {
    auto const head = from.part(0, 4, "the beginning of an IDX file");
    auto const byte = [&head](std::size_t i) { return static_cast<int>(head[i]); };
    if (byte(0) == 0x1f && byte(1) == 0x8b) from.refuse(0, "a gzip file: run gunzip on it first");
    if (byte(0) != 0 || byte(1) != 0)
        from.refuse(0, "an IDX file begins with two zero bytes, this one with ", in_quotes(from.letters(0, 4, "a beginning")));
    stored_array found;
    switch (byte(2)) {
        case 0x08: found.type = {'u', 1}; break;
        case 0x09: found.type = {'i', 1}; break;
        case 0x0b: found.type = {'i', 2, true}; break;
        case 0x0c: found.type = {'i', 4, true}; break;
        case 0x0d: found.type = {'f', 4, true}; break;
        case 0x0e: found.type = {'f', 8, true}; break;
        default: from.refuse(2, "elements of the type ", byte(2), ", which IDX has not");
    }
    for (std::uint64_t axis = 0; axis < static_cast<std::uint64_t>(byte(3)); ++axis)
        append_extent(from, 4 + 4 * axis, found.shape, __builtin_bswap32(from.number<std::uint32_t>(4 + 4 * axis, "an extent")));
    found.offset = 4 + 4 * static_cast<std::uint64_t>(byte(3));
    if (found.bytes() != from.size() - found.offset)
        from.refuse(found.offset, from.text_of(found.bytes()), " bytes of elements for ", found.shape, ", where the file has ",
                    from.text_of(from.size() - found.offset));
    return found;
}
inline any_tensor read_idx(file_bytes const& from, dtype wanted) {
    stored_array const found = read_idx_header(from);
    return tensor_of(from, found, dtype_read(from, found, 2, wanted));
}
/// A file of a published data set: `train-images-idx3-ubyte`, or `train-images.idx3-ubyte`, as some mirrors spell it.
inline std::filesystem::path find_published(std::filesystem::path const& directory, std::string const& stem, std::string const& kind) {
    std::error_code ignored;  // what cannot be looked at is as good as missing
    for (char const* between : {"-", "."})
        if (auto const path = directory / (stem + between + kind); std::filesystem::exists(path, ignored)) return path;
    bool const is_packed = std::filesystem::exists(directory / (stem + "-" + kind + ".gz"), ignored);
    refuse_file("data::mnist", directory.string(), "there is no file ", stem, "-", kind,
                is_packed ? ", but its .gz: run gunzip on it first" : "");
}

}  // namespace core

namespace data {

/// Reads an IDX file: `load_idx<gr::tensor<float, gr::dyn, 28, 28>>("train-images-idx3-ubyte")`, or without a type an any_tensor; dtypes as
/// gr::io::load_npy has them. Throws io_error for files that are not right, with the byte, and shape_error for another shape.
template <core::loadable X = any_tensor>
X load_idx(std::filesystem::path const& path) {
    core::file_bytes const from = core::read_file("data::load_idx", path);
    return core::loaded<X>::from(from.call, from.file, core::read_idx(from, core::loaded<X>::wanted));
}

/// The digits of MNIST, or what is published in files of the same names, from a directory: pictures with values in [0, 1], and labels. The
/// shape of a picture is asked for: `mnist<784>(directory)`, `mnist<1, 28, 28>(directory)`. Throws io_error, and shape_error for pictures
/// of another size.
template <extent... Picture>
    requires(sizeof...(Picture) > 0 && (Picture.is_static() && ...))
auto mnist(std::filesystem::path const& directory, bool train = true) {
    no_grad guard;
    std::string const stem = train ? "train" : "t10k";
    auto const file = core::find_published(directory, stem + "-images", "idx3-ubyte");
    core::file_bytes const from = core::read_file("data::mnist", file);
    core::stored_array const found = core::read_idx_header(from);
    constexpr std::int64_t size = shape{Picture...}.static_size();
    if (found.shape.rank() == 0 || found.type != core::stored_type{'u', 1}) from.refuse(2, "no bytes of pictures");
    if (found.count() != found.shape[0].code * size)
        throw shape_error(core::concat("gradus::data::mnist: ", from.file, ": the file has ", found.shape, ", asked for is a picture of ",
                                       shape{Picture...})
                              .str());
    tensor<float, dyn, Picture...> const pictures = gradus::empty<float, dyn, Picture...>(found.shape[0].code);
    auto const bytes = from.part(found.offset, found.bytes(), "pictures");
    for (std::size_t i = 0; i < bytes.size(); ++i) pictures.data()[i] = static_cast<float>(bytes[i]) / 255;
    auto const labels = load_idx<tensor<std::int64_t, dyn>>(core::find_published(directory, stem + "-labels", "idx1-ubyte"));
    return tensor_dataset(pictures, labels);
}

}  // namespace data
}  // namespace gradus::inline GRADUS_ARCH
