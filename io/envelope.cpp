// SPDX-License-Identifier: Apache-2.0
#include "linnet/io/envelope.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "linnet/core/error.h"
#include "linnet/io/atomic_file.h"
#include "linnet/io/crc32c.h"
#include "linnet/io/input_file.h"

namespace linnet::io {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the file is little-endian and written as it lies in memory");

constexpr std::array<unsigned char, 8> kMagic{0x89, 'L', 'N', 'C', 0x0D, 0x0A, 0x1A, 0x0A};
constexpr std::uint32_t kVersion = 1, kLittleEndian = 0x01020304, kBigEndian = 0x04030201;
constexpr std::size_t kHeaderBytes = 64, kRowBytes = 32, kDigestBytes = 32;
constexpr std::size_t kChunk = 1 << 18;  ///< checksum, hash and write while it is in the cache

/// As on disk. The checksum covers the bytes before it.
struct RawHeader {
  std::array<unsigned char, 8> magic;
  std::uint32_t version, endian, flags, sections;
  std::uint64_t bytes, generation;
  std::array<std::byte, 16> graph_hash;
  std::uint32_t reserved, crc;
};
static_assert(sizeof(RawHeader) == kHeaderBytes);

struct RawRow {
  std::uint32_t type, flags;
  std::uint64_t offset, bytes;
  std::uint32_t crc, reserved;
};
static_assert(sizeof(RawRow) == kRowBytes);

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

std::uint64_t aligned(std::uint64_t offset) {
  return (offset + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment;
}

std::uint32_t header_crc(const RawHeader& raw) {
  return crc32c(bytes_of(raw).first(kHeaderBytes - sizeof raw.crc));
}

std::string hex_word(std::uint32_t word) {
  const std::array<std::uint8_t, 4> bytes{
      static_cast<std::uint8_t>(word >> 24), static_cast<std::uint8_t>(word >> 16),
      static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word)};
  return hex(std::as_bytes(std::span(bytes)));
}

template <class... Parts>
void check_file(bool ok, const InputFile& file, const Parts&... parts) {
  check<IoError>(ok, file.op(), ": ", file.path(), ": ", parts...);
}

/// What goes to the file goes through the hash.
class Writer {
 public:
  explicit Writer(AtomicFile& file) : file_(file) {}

  void write(std::span<const std::byte> bytes) {
    hash_.add(bytes);
    file_.write(bytes);
    position_ += bytes.size();
  }
  void pad() {
    constexpr std::array<std::byte, kSectionAlignment> zeros{};
    write(std::span(zeros).first(aligned(position_) - position_));
  }
  std::uint32_t write_section(std::span<const std::byte> bytes) {
    std::uint32_t crc = 0;
    for (std::size_t at = 0; at < bytes.size(); at += kChunk) {
      const auto chunk = bytes.subspan(at, std::min(kChunk, bytes.size() - at));
      crc = crc32c(chunk, crc);
      write(chunk);
    }
    return crc;
  }
  void finish() { file_.write(hash_.finish()); }

 private:
  AtomicFile& file_;
  Sha256 hash_;
  std::uint64_t position_ = 0;
};

}  // namespace

void write_envelope(AtomicFile& file, EnvelopeHeader header, std::span<const SectionSource> sections) {
  std::vector<RawRow> rows;
  std::uint64_t end = kHeaderBytes;
  for (const SectionSource& section : sections) {
    rows.push_back({static_cast<std::uint32_t>(section.type), 0, aligned(end), section.bytes.size(), 0, 0});
    end = rows.back().offset + section.bytes.size();
  }
  RawHeader raw{kMagic, kVersion,          kLittleEndian,     0, static_cast<std::uint32_t>(sections.size()),
                0,      header.generation, header.graph_hash, 0, 0};
  raw.bytes = aligned(end) + rows.size() * kRowBytes + kDigestBytes;
  raw.crc = header_crc(raw);

  Writer writer(file);
  writer.write(bytes_of(raw));
  for (std::size_t i = 0; i < sections.size(); ++i) {
    writer.pad();
    rows[i].crc = writer.write_section(sections[i].bytes);
  }
  writer.pad();
  writer.write(std::as_bytes(std::span(rows)));
  writer.finish();
}

EnvelopeHeader read_header(InputFile& file) {
  const auto size = static_cast<std::uint64_t>(file.size());
  check_file(size > 0, file, "the file is empty.");
  RawHeader raw{};
  file.seek(0);
  file.read(std::as_writable_bytes(std::span(&raw, 1)).first(std::min<std::uint64_t>(size, kHeaderBytes)));
  check_file(raw.magic == kMagic, file, "not a Linnet checkpoint: it begins with other bytes.");
  check_file(size >= kHeaderBytes, file, "truncated in the header: ", size, " of ", kHeaderBytes, " bytes.");
  check_file(raw.version == kVersion, file, "format version ", raw.version, "; this Linnet reads version ",
             kVersion, ".");
  check_file(raw.endian != kBigEndian, file,
             "written on a big-endian machine, which this Linnet does not read.");
  check_file(raw.crc == header_crc(raw), file, "the header at byte 0 is damaged: CRC32C is ",
             hex_word(header_crc(raw)), ", expected ", hex_word(raw.crc), ".");
  check_file(raw.endian == kLittleEndian && raw.flags == 0 && raw.reserved == 0, file,
             "the header has unknown flags; a newer Linnet may read it.");
  return {raw.sections, raw.bytes, raw.generation, raw.graph_hash};
}

EnvelopeReader::EnvelopeReader(InputFile& file, Check check) : file_(file), header_(read_header(file)) {
  const auto size = static_cast<std::uint64_t>(file.size());
  check_file(header_.bytes <= size, file, "truncated: ", size, " of ", header_.bytes, " bytes.");
  check_file(header_.bytes >= size, file, "more bytes after the end: ", size, ", expected ", header_.bytes,
             ".");
  if (check == Check::everything) hash_.emplace();
  const std::uint64_t rows = header_.sections, tail = rows * kRowBytes + kDigestBytes;
  check_file(rows >= 1 && header_.bytes >= kHeaderBytes + tail, file, "the header announces ", rows,
             " sections, which do not fit ", header_.bytes, " bytes.");
  table_.resize(rows * kRowBytes);
  const std::uint64_t table = header_.bytes - tail;
  file.seek(static_cast<std::int64_t>(table));
  file.read(table_);

  // There is one right place for everything, so nothing can overlap, wrap around or hide.
  std::uint64_t end = kHeaderBytes;
  for (std::uint64_t i = 0; i < rows; ++i) {
    RawRow row;
    std::memcpy(&row, table_.data() + i * kRowBytes, kRowBytes);
    const std::uint32_t type =
        static_cast<std::uint32_t>(i == 0 ? SectionType::records : SectionType::tensor);
    check_file(row.type == type && row.flags == 0 && row.reserved == 0 && row.offset == aligned(end) &&
                   row.offset <= table && row.bytes <= table - row.offset,
               file, "section ", i, ": the table at byte ", table, " is damaged.");
    sections_.push_back({static_cast<SectionType>(row.type), row.offset, row.bytes, row.crc});
    end = row.offset + row.bytes;
  }
  check_file(aligned(end) == table, file, "the sections end at byte ", end, ", the table begins at ", table,
             ".");

  file.seek(0);
  std::array<std::byte, kHeaderBytes> header;
  read_checked(header);
}

void EnvelopeReader::read_checked(std::span<std::byte> place) {
  file_.read(place);
  if (hash_) hash_->add(place);
}

void EnvelopeReader::read_padding() {
  const auto position = static_cast<std::uint64_t>(file_.position());
  std::array<std::byte, kSectionAlignment> bytes{};
  read_checked(std::span(bytes).first(aligned(position) - position));
  check_file(std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; }), file_,
             "the filling at byte ", position, " is not zero.");
}

void EnvelopeReader::compare(std::uint32_t crc, const std::string& name) {
  const Section& section = sections_[next_];
  check_file(crc == section.crc, file_, "section ", next_, " (", name, ") at byte ", section.offset,
             " is damaged: CRC32C is ", hex_word(crc), ", expected ", hex_word(section.crc), ".");
  ++next_;
}

void EnvelopeReader::read(std::span<std::byte> place, const std::string& name) {
  LINNET_ASSERT(next_ < sections_.size() && place.size() == sections_[next_].bytes);
  read_padding();
  std::uint32_t crc = 0;
  for (std::size_t at = 0; at < place.size(); at += kChunk) {
    const auto chunk = place.subspan(at, std::min(kChunk, place.size() - at));
    read_checked(chunk);
    crc = crc32c(chunk, crc);
  }
  compare(crc, name);
}

void EnvelopeReader::skip(const std::string& name) {
  read_padding();
  std::vector<std::byte> chunk(std::min<std::uint64_t>(kChunk, sections_[next_].bytes));
  std::uint32_t crc = 0;
  for (std::uint64_t left = sections_[next_].bytes; left > 0; left -= chunk.size()) {
    chunk.resize(std::min<std::uint64_t>(chunk.size(), left));
    read_checked(chunk);
    crc = crc32c(chunk, crc);
  }
  compare(crc, name);
}

void EnvelopeReader::finish() {
  LINNET_ASSERT(next_ == sections_.size());
  read_padding();
  if (!hash_) return;
  read_checked(table_);
  const Sha256::Digest actual = hash_->finish();
  Sha256::Digest expected;
  file_.read(expected);
  check_file(actual == expected, file_, "the file is damaged: SHA-256 is ", hex(actual), ", expected ",
             hex(expected), ".");
}

}  // namespace linnet::io
