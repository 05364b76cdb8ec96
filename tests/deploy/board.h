// SPDX-License-Identifier: Apache-2.0
#pragma once
// A model file on the runtime, from C++.

#include <cstring>
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

  /// The output for one sample, x [1, ...].
  Tensor run(const Tensor& x) {
    lnt_view in, out;
    lnt_input(&model_, 0, &in);
    lnt_output(&model_, 0, &out);
    auto values = x.data<float>();
    check<ShapeError>(values.size_bytes() == in.bytes, "board: expected ", in.bytes, " bytes, got ",
                      values.size_bytes(), ".");
    std::memcpy(in.data, values.data(), in.bytes);
    check<ValueError>(lnt_run(&model_) == LNT_OK, "board: lnt_run failed.");
    std::vector<float> y(out.bytes / sizeof(float));
    std::memcpy(y.data(), out.data, out.bytes);
    std::vector<std::int64_t> sizes(out.dims, out.dims + out.rank);
    return Tensor::from(y, Shape(std::span<const std::int64_t>(sizes)));
  }

 private:
  struct alignas(16) Block {
    unsigned char bytes[16];
  };
  std::vector<Block> file_, arena_;
  std::size_t file_len_;
  lnt_info info_{};
  lnt_model model_{};
  lnt_status status_;
};

}  // namespace linnet::test
