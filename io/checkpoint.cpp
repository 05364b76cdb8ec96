// SPDX-License-Identifier: Apache-2.0
#include "linnet/io/checkpoint.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "linnet/core/error.h"
#include "linnet/core/tensor_impl.h"
#include "linnet/io/atomic_file.h"
#include "linnet/io/checkpoint_records.h"
#include "linnet/io/envelope.h"
#include "linnet/io/fs.h"
#include "linnet/io/input_file.h"
#include "linnet/io/sha256.h"

namespace linnet::io {
namespace {

using GraphHash = std::array<std::byte, 16>;

Fs& or_system(Fs* fs) { return fs ? *fs : Fs::system(); }

std::string previous_of(const std::string& path) { return path + ".prev"; }

/// Identifies the network: the first half of the SHA-256 of the entry "graph", its constants included; zeros
/// when there is none.
GraphHash graph_hash(const State& state) {
  GraphHash half{};
  const StateValue* graph = state.find("graph");
  if (!graph) return half;
  NamedTensors tensors;
  Sha256 hash;
  hash.add(encode_records({{"graph", *graph}}, tensors));
  for (const auto& [name, tensor] : tensors) hash.add(writable_bytes(tensor));
  const Sha256::Digest digest = hash.finish();
  std::copy_n(digest.begin(), half.size(), half.begin());
  return half;
}

/// The generation of a checkpoint that is there and undamaged, as far as its checksums tell.
std::optional<std::uint64_t> good_generation(const std::string& path, Fs& fs) {
  try {
    InputFile file("io::save", path, fs);
    EnvelopeReader reader(file, EnvelopeReader::Check::checksums);
    for (std::size_t i = 0; i < reader.sections().size(); ++i) reader.skip(std::to_string(i));
    reader.finish();
    return reader.header().generation;
  } catch (const IoError&) {
    return std::nullopt;
  }
}

/// The generation in a header, whatever the state of the rest; 0 without one.
std::uint64_t claimed_generation(const std::string& path, Fs& fs) {
  try {
    InputFile file("io::save", path, fs);
    return read_header(file).generation;
  } catch (const IoError&) {
    return 0;
  }
}

/// Hands out a fresh tensor for each tensor section, when type and shape fit the size of that section.
class TensorMaker {
 public:
  TensorMaker(const EnvelopeReader& reader, const std::string& where) : reader_(reader), where_(where) {}

  Tensor make(const std::string& name, const Shape& shape, DType dtype) {
    const std::size_t section = tensors_.size() + 1;
    check<IoError>(section < reader_.sections().size(), where_, "'", name, "' has no section.");
    const std::uint64_t bytes = static_cast<std::uint64_t>(shape.size()) * size_of(dtype);
    check<IoError>(bytes == reader_.sections()[section].bytes, where_, "section ", section, " ('", name,
                   "') has ", reader_.sections()[section].bytes, " bytes, ", shape, " ", dtype, " needs ",
                   bytes, ".");
    tensors_.emplace_back(name, Tensor::empty(shape, dtype));
    return tensors_.back().second;
  }
  const NamedTensors& tensors() const { return tensors_; }

 private:
  const EnvelopeReader& reader_;
  const std::string& where_;
  NamedTensors tensors_;
};

Loaded read_checkpoint(const std::string& path, Fs& fs) {
  InputFile file("io::load", path, fs);
  EnvelopeReader reader(file, EnvelopeReader::Check::everything);
  const std::string where = "io::load: " + path + ": ";

  std::vector<std::byte> records(reader.sections().front().bytes);
  reader.read(records, "records");
  TensorMaker maker(reader, where);
  State state =
      decode_records(records, where, [&maker](const std::string& name, const Shape& shape, DType dtype) {
        return maker.make(name, shape, dtype);
      });
  check<IoError>(maker.tensors().size() + 1 == reader.sections().size(), where, "the records name ",
                 maker.tensors().size(), " tensors, the file has ", reader.sections().size() - 1, ".");
  for (const auto& [name, tensor] : maker.tensors())
    reader.read(writable_bytes(tensor), "tensor '" + name + "'");
  reader.finish();
  check<IoError>(graph_hash(state) == reader.header().graph_hash, where,
                 "the graph is not the one that the header names.");
  return {std::move(state), reader.header().generation, path, {}};
}

/// Not there, as opposed to there and out of reach.
bool is_missing(const std::string& path, Fs& fs) {
  FileStatus status;
  const int result = retry([&] { return fs.status_of(path, status); });
  return result == -ENOENT || result == -ENOTDIR;
}

}  // namespace

std::uint64_t save(const std::string& path, const State& state, SaveOptions options) {
  NamedTensors tensors;
  const std::vector<std::byte> records = encode_records(state, tensors);
  std::vector<SectionSource> sections{{SectionType::records, records}};
  for (const auto& [name, tensor] : tensors)
    sections.push_back({SectionType::tensor, writable_bytes(tensor)});

  Fs& fs = or_system(options.fs);
  AtomicFile file("io::save", path, fs);
  EnvelopeHeader header;
  header.generation = std::max(claimed_generation(path, fs), claimed_generation(previous_of(path), fs)) + 1;
  header.graph_hash = graph_hash(state);
  write_envelope(file, header, sections);
  // Only a good file may take the place of the previous generation.
  const bool keep = options.keep_previous && good_generation(path, fs);
  file.commit(keep ? AtomicFile::Previous::keep : AtomicFile::Previous::replace);
  return header.generation;
}

State load(const std::string& path, Fs* fs) {
  try {
    return read_checkpoint(path, or_system(fs)).state;
  } catch (const IoError& error) {
    const std::optional<std::uint64_t> other = good_generation(previous_of(path), or_system(fs));
    if (!other) throw;
    fail<IoError>(error.what(), " ", previous_of(path), " is good (generation ", *other, ").");
  }
}

std::optional<Loaded> load_newest(const std::string& path, Fs* fs) {
  Fs& system = or_system(fs);
  if (is_missing(path, system) && is_missing(previous_of(path), system)) return std::nullopt;
  std::string why;
  try {
    return read_checkpoint(path, system);
  } catch (const IoError& error) {
    why = error.what();
  }
  try {
    Loaded loaded = read_checkpoint(previous_of(path), system);
    loaded.note =
        why + " Using " + loaded.path + " instead (generation " + std::to_string(loaded.generation) + ").";
    return loaded;
  } catch (const IoError& error) {
    fail<IoError>(why, " And ", error.what());
  }
}

}  // namespace linnet::io
