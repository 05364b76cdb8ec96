// SPDX-License-Identifier: Apache-2.0
#pragma once
// A model file on the runtime, from C++.

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "linnet/core/tensor.h"
#include "linnet/runtime/linnet_runtime.h"

namespace linnet::test {

/// Checks and binds a file, and runs single samples.
class Board {
 public:
  explicit Board(const std::vector<std::uint8_t>& file)
      : file_((file.size() + 15) / 16), file_len_(file.size()) {
    std::memcpy(file_.data(), file.data(), file.size());
    status_ = lnt_check(file_.data(), file_len_, nullptr, &info_);
    if (status_ != LNT_OK) return;
    arena_.resize((info_.arena_bytes + 15) / 16);
    status_ = lnt_bind(&model_, &info_, arena_.data(), arena_.size() * 16);
  }
  Board(const Board&) = delete;

  /// "no error. Go on." when the file is good.
  std::string text() const {
    if (status_ == LNT_OK) return lnt_status_text(LNT_OK);
    char text[512];
    lnt_problem_text(&info_.problem, text, sizeof text);
    return text;
  }
  const lnt_info& info() const { return info_; }
  std::string meta(const char* key) const {
    const char* value = lnt_meta(&info_, key);
    return value ? value : "(none)";
  }
  /// The instruction sets that this processor has.
  static std::vector<lnt_isa> isas() {
    std::vector<lnt_isa> all;
    for (lnt_isa isa : {LNT_SCALAR, LNT_AVX2, LNT_AVX512, LNT_NEON})
      if (lnt_has_isa(isa)) all.push_back(isa);
    return all;
  }
  void set_isa(lnt_isa isa) { check<ValueError>(lnt_set_isa(&model_, isa) == LNT_OK, "board: no such set."); }

  /// "no error. Go on." when all golden cases pass.
  std::string self_test() { return lnt_status_text(lnt_self_test(&model_, nullptr)); }
  /// Again, on what the inputs are now.
  void run_again() { check<ValueError>(lnt_run(&model_) == LNT_OK, "board: lnt_run failed."); }
  /// The output for one sample, x [1, ...]; whole numbers go in as i32.
  Tensor run(const Tensor& x) { return run(std::span(&x, 1)); }
  Tensor run(std::span<const Tensor> inputs) {
    // What was left of the run before must not be seen: the arena up to unpacked constants is filled with
    // NaN.
    const std::size_t planned = info_.unpacked_at > 0 ? info_.unpacked_at : arena_.size() * 16;
    std::memset(static_cast<void*>(arena_.data()), 0xff, planned);
    for (std::size_t i = 0; i < inputs.size(); ++i) write_input(static_cast<std::uint32_t>(i), inputs[i]);
    check<ValueError>(lnt_run(&model_) == LNT_OK, "board: lnt_run failed.");
    lnt_view out;
    lnt_output(&model_, 0, &out);
    std::vector<float> y(out.bytes / sizeof(float));
    std::memcpy(y.data(), out.data, out.bytes);
    std::vector<std::int64_t> sizes(out.dims, out.dims + out.rank);
    return Tensor::from(y, Shape(std::span<const std::int64_t>(sizes)));
  }

 private:
  void write_input(std::uint32_t port, const Tensor& x) {
    lnt_view in;
    check<ValueError>(lnt_input(&model_, port, &in) == LNT_OK, "board: no input ", port, ".");
    const bool whole = !is_float(x.dtype());
    check<DTypeError>(in.dtype == (whole ? LNT_I32 : LNT_F32), "board: input ", port, " has another type.");
    check<ShapeError>(static_cast<std::size_t>(x.size()) * 4 == in.bytes, "board: expected ", in.bytes,
                      " bytes, got ", x.size() * 4, ".");
    const Tensor values = x.to(whole ? i32 : f32);
    std::memcpy(in.data,
                whole ? static_cast<const void*>(values.data<std::int32_t>().data())
                      : static_cast<const void*>(values.data<float>().data()),
                in.bytes);
  }

  struct alignas(16) Block {
    unsigned char bytes[16];
  };
  std::vector<Block> file_, arena_;
  std::size_t file_len_;
  lnt_info info_{};
  lnt_model model_{};
  lnt_status status_;
};

/// Place of a section of a good file, and its length.
inline std::span<std::uint8_t> section_of(std::vector<std::uint8_t>& file, std::uint32_t type) {
  for (std::size_t entry = LNT_HEADER_BYTES;; entry += LNT_SECTION_BYTES) {
    std::uint64_t off, len;
    std::memcpy(&off, &file.at(entry + LNT_AT_SECTION_OFF), 8);
    std::memcpy(&len, &file.at(entry + LNT_AT_SECTION_LEN), 8);
    if (file.at(entry + LNT_AT_SECTION_TYPE) == type) return std::span(file).subspan(off, len);
  }
}

/// Makes the checksum of a changed section fit again, and that of the header.
inline void reseal(std::vector<std::uint8_t>& file, std::uint32_t type) {
  const auto store = [&file](std::size_t at, std::uint32_t value) { std::memcpy(&file.at(at), &value, 4); };
  std::size_t entry = LNT_HEADER_BYTES;
  while (file.at(entry + LNT_AT_SECTION_TYPE) != type) entry += LNT_SECTION_BYTES;
  const std::span<std::uint8_t> section = section_of(file, type);
  store(entry + LNT_AT_SECTION_CRC, lnt_crc32c(0, section.data(), section.size()));
  const std::size_t head = LNT_HEADER_BYTES + LNT_SECTION_BYTES * std::size_t{file.at(LNT_AT_N_SECTIONS)};
  store(LNT_AT_HEADER_CRC, 0);
  store(LNT_AT_HEADER_CRC, lnt_crc32c(0, file.data(), head));
}

/// Mean squared error over mean square of what is expected; 1 for shapes that differ, or NaN on one side
/// only.
inline double nmse(const Tensor& actual, const Tensor& expected) {
  if (actual.size() != expected.size()) return 1.0;
  double error = 0.0, square = 0.0;
  auto a = actual.data<float>(), e = expected.data<float>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(e[i]);
    error += difference * difference;
    square += static_cast<double>(e[i]) * static_cast<double>(e[i]);
  }
  if (error == 0.0) return 0.0;
  return error / square < 1.0 ? error / square : 1.0;
}

}  // namespace linnet::test
