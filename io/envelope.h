// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checked container around a checkpoint: header, sections, table, SHA-256. It knows nothing of what the
// sections mean. docs/checkpoint_file.md has the bytes. Private to io/.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "linnet/io/sha256.h"

namespace linnet::io {

class AtomicFile;
class InputFile;

inline constexpr std::int64_t kSectionAlignment = 64;

enum class SectionType : std::uint32_t { records = 1, tensor = 2 };

struct SectionSource {
  SectionType type;
  std::span<const std::byte> bytes;
};

struct EnvelopeHeader {
  std::uint32_t sections = 0;
  std::uint64_t bytes = 0;  ///< of the whole file
  std::uint64_t generation = 0;
  std::array<std::byte, 16> graph_hash{};
};

/// Streams everything into `file`; the caller commits. The sizes in `header` are filled in.
void write_envelope(AtomicFile& file, EnvelopeHeader header, std::span<const SectionSource> sections);

/// The header alone, checked by itself but not against the size of the file.
EnvelopeHeader read_header(InputFile& file);

struct Section {
  SectionType type;
  std::uint64_t offset, bytes;
  std::uint32_t crc;
};

/// Reads an envelope front to back, once.
class EnvelopeReader {
 public:
  enum class Check { checksums, everything };  ///< everything: the SHA-256 of the file too

  /// Header and table: all sizes are known to fit the file from here on. IoError otherwise.
  EnvelopeReader(InputFile& file, Check check);

  const EnvelopeHeader& header() const { return header_; }
  const std::vector<Section>& sections() const { return sections_; }

  /// The next section, into a place of its size; `name` is for the message when it is damaged.
  void read(std::span<std::byte> place, const std::string& name);
  /// Checks the next section without keeping it.
  void skip(const std::string& name);
  /// After the last section.
  void finish();

 private:
  void read_padding();
  void read_checked(std::span<std::byte> place);
  void compare(std::uint32_t crc, const std::string& name);

  InputFile& file_;
  EnvelopeHeader header_;
  std::vector<std::byte> table_;
  std::vector<Section> sections_;
  std::size_t next_ = 0;
  std::optional<Sha256> hash_;
};

}  // namespace linnet::io
