// SPDX-License-Identifier: Apache-2.0
#pragma once
// Checkpoints: a State in a file that survives crashes and notices damage. docs/checkpoint_file.md has the
// bytes.
//
//   io::save("mnist.ckpt", {{"model", model.state()}, {"optimizer", adam.state()}});
//   State c = io::load("mnist.ckpt");   model.load(c["model"]);
//
// After a crash, a power cut or a full disk at any moment FILE is the complete old or the complete new
// checkpoint, and FILE.prev the generation before it. Every bit is checked when a file is read.

#include <cstdint>
#include <optional>
#include <string>

#include "linnet/core/state.h"

namespace linnet::io {

class Fs;

struct SaveOptions {
  bool keep_previous = true;  ///< the good checkpoint that was there becomes FILE.prev
  Fs* fs = nullptr;           ///< for tests; nullptr: the system's
};

/// Writes `state` and returns its generation: one more than that of the checkpoint it replaces (1 for the
/// first). Tensors are streamed; a damaged file never takes the place of FILE.prev. StateError for an
/// undefined tensor or states nested too deeply; IoError when it cannot be written: the old file is unchanged
/// then.
std::uint64_t save(const std::string& path, const State& state, SaveOptions options = {});

/// Reads exactly this file. IoError when it is missing or damaged; the text says where, and names FILE.prev
/// when that one is good. Needs the memory of the tensors and little more, whatever the file claims.
State load(const std::string& path, Fs* fs = nullptr);

struct Loaded {
  State state;
  std::uint64_t generation = 0;
  std::string path;  ///< the file that was read: FILE or FILE.prev
  std::string note;  ///< empty, or one sentence saying why it is FILE.prev
};

/// For resuming: FILE, or FILE.prev when FILE is missing or damaged. Nothing when neither is there; IoError
/// when there are files but none is good.
std::optional<Loaded> load_newest(const std::string& path, Fs* fs = nullptr);

}  // namespace linnet::io
