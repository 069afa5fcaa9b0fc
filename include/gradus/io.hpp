// SPDX-License-Identifier: BSL-1.0
#pragma once

// g++ takes names here for shadows of the user's globals.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

#include <gradus/io/atomic_file.hpp>
#include <gradus/io/file_bytes.hpp>
#include <gradus/io/npy.hpp>
#include <gradus/io/npy_header.hpp>
#include <gradus/io/npz.hpp>
#include <gradus/io/pickle.hpp>
#include <gradus/io/pt.hpp>
#include <gradus/io/state_dict.hpp>
#include <gradus/io/stored_array.hpp>
#include <gradus/io/stored_type.hpp>
#include <gradus/io/system_file.hpp>
#include <gradus/io/zip.hpp>

#pragma GCC diagnostic pop
