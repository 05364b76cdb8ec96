// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/byte_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "linnet/core/error.h"

#ifdef LINNET_ZLIB
#include <zlib.h>
#endif

namespace linnet::data {
namespace {

class PlainFile : public ByteSource {
 public:
  PlainFile(const std::string& op, const std::string& path) : op_(op), path_(path) {
    std::error_code failed;
    const auto status = std::filesystem::status(path, failed);  // before opening: a pipe would block
    check<IoError>(std::filesystem::exists(status), op, ": ", path, ": no such file.");
    check<IoError>(std::filesystem::is_regular_file(status), op, ": ", path, ": not a regular file.");
    file_.reset(std::fopen(path.c_str(), "rb"));
    check<IoError>(file_ != nullptr, op, ": ", path, ": cannot be opened: ", std::strerror(errno), ".");
    bytes_ = std::filesystem::file_size(path, failed);
    check<IoError>(!failed, op, ": ", path, ": cannot be read: ", failed.message(), ".");
  }

  std::size_t read(std::span<std::byte> bytes) override {
    const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), file_.get());
    check<IoError>(!std::ferror(file_.get()), op_, ": ", path_, ": cannot be read: ", std::strerror(errno),
                   ".");
    return got;
  }
  std::uint64_t limit() const override { return bytes_; }
  void rewind() { std::rewind(file_.get()); }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string op_, path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t bytes_ = 0;
};

#ifdef LINNET_ZLIB
/// One gzip member that fills the whole file; zlib checks its CRC.
class GzipFile : public ByteSource {
 public:
  GzipFile(const std::string& op, const std::string& path, std::unique_ptr<PlainFile> file)
      : op_(op), path_(path), file_(std::move(file)) {
    constexpr int kGzipOnly = 16;
    const int code = inflateInit2(&stream_, MAX_WBITS + kGzipOnly);
    check<IoError>(code == Z_OK, op, ": zlib cannot start: code ", code, ".");
  }
  ~GzipFile() override { inflateEnd(&stream_); }
  GzipFile(const GzipFile&) = delete;

  std::size_t read(std::span<std::byte> bytes) override {
    std::size_t got = 0;
    while (got < bytes.size() && !ended_) {
      const auto room = static_cast<uInt>(std::min<std::size_t>(bytes.size() - got, 1u << 30));
      stream_.next_out = reinterpret_cast<Bytef*>(bytes.data() + got);
      stream_.avail_out = room;
      inflate_some();
      got += room - stream_.avail_out;
    }
    return got;
  }
  // Honest data stay far below; small files may be anything.
  std::uint64_t limit() const override { return 100 * file_->limit() + (1u << 20); }

 private:
  void inflate_some() {
    if (stream_.avail_in == 0) {
      stream_.avail_in = static_cast<uInt>(file_->read(std::as_writable_bytes(std::span(input_))));
      stream_.next_in = input_.data();
      check<IoError>(stream_.avail_in > 0, op_, ": ", path_, ": the compressed data end too early.");
    }
    const int code = inflate(&stream_, Z_NO_FLUSH);
    check<IoError>(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR, op_, ": ", path_,
                   ": the compressed data are damaged: ", stream_.msg ? stream_.msg : "unexpected contents",
                   ".");
    if (code != Z_STREAM_END) return;
    ended_ = true;
    std::byte extra;
    check<IoError>(stream_.avail_in == 0 && file_->read(std::span(&extra, 1)) == 0, op_, ": ", path_,
                   ": more bytes after the end of the compressed data.");
  }

  std::string op_, path_;
  std::unique_ptr<PlainFile> file_;
  z_stream stream_{};
  std::array<Bytef, 1 << 16> input_;
  bool ended_ = false;
};
#endif

}  // namespace

std::unique_ptr<ByteSource> open_bytes(const std::string& op, const std::string& path) {
  auto file = std::make_unique<PlainFile>(op, path);
  std::array<std::byte, 2> magic{};
  const bool gzip = file->read(magic) == 2 && magic == std::array{std::byte{0x1F}, std::byte{0x8B}};
  file->rewind();
  if (!gzip) return file;
#ifdef LINNET_ZLIB
  return std::make_unique<GzipFile>(op, path, std::move(file));
#else
  fail<IoError>(op, ": ", path, ": compressed, and this build has no zlib. Unpack it with gunzip.");
#endif
}

}  // namespace linnet::data
