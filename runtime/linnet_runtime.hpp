// SPDX-License-Identifier: Apache-2.0
#ifndef LINNET_RUNTIME_LINNET_RUNTIME_HPP
#define LINNET_RUNTIME_LINNET_RUNTIME_HPP
// The C runtime in C++17, header only: memory that frees itself, exceptions in place of statuses.
//
//   linnet::runtime::Model model(bytes);        // any contiguous bytes; they are copied
//   std::copy(pixels.begin(), pixels.end(), model.input<float>().begin());
//   model.run();
//   float best = *std::max_element(model.output<float>().begin(), model.output<float>().end());
//
// A Model belongs to one thread at a time. Views are valid while the model lives and is not moved.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "linnet/runtime/linnet_runtime.h"

namespace linnet::runtime {

/// What lnt_check or a later call refused.
class Error : public std::runtime_error {
 public:
  Error(lnt_status status, const std::string& text) : std::runtime_error(text), status_(status) {}
  lnt_status status() const noexcept { return status_; }

 private:
  lnt_status status_;
};

/// The elements of an input or output.
template <class T>
class View {
 public:
  View(T* data, std::size_t size) : data_(data), size_(size) {}
  T* begin() const { return data_; }
  T* end() const { return data_ + size_; }
  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) const { return data_[i]; }

 private:
  T* data_;
  std::size_t size_;
};

class Model {
 public:
  /// Error with the text of lnt_problem_text when the file is refused.
  Model(const void* file, std::size_t bytes, const lnt_limits* limits = nullptr) : file_(allocate(bytes)) {
    if (bytes != 0) std::memcpy(file_.get(), file, bytes);
    if (lnt_check(file_.get(), bytes, limits, &info_) != LNT_OK) {
      char text[256];
      lnt_problem_text(&info_.problem, text, sizeof text);
      throw Error(info_.problem.status, text);
    }
    arena_ = allocate(info_.arena_bytes);
    must(lnt_bind(&model_, &info_, arena_.get(), info_.arena_bytes));
  }
  template <class Bytes, class = decltype(std::declval<const Bytes&>().data())>
  explicit Model(const Bytes& bytes) : Model(bytes.data(), bytes.size() * sizeof(*bytes.data())) {}

  /// Of a file, which is read whole: what happens to it afterwards does not matter. Error when it cannot be
  /// read.
  static Model read(const std::string& path, const lnt_limits* limits = nullptr) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    std::vector<std::uint8_t> bytes;
    std::uint8_t part[4096];
    while (file != nullptr) {
      const std::size_t n = std::fread(part, 1, sizeof part, file.get());
      if (n == 0) break;
      bytes.insert(bytes.end(), part, part + n);
    }
    if (file == nullptr || std::ferror(file.get()) != 0)
      throw Error(LNT_E_BAD_ARGUMENT, path + ": cannot be read. Is the name right?");
    return Model(bytes.data(), bytes.size(), limits);
  }

  const lnt_info& info() const { return info_; }
  /// A value of META; empty when there is none.
  std::string meta(const char* key) const {
    const char* value = lnt_meta(&info_, key);
    return value != nullptr ? value : "";
  }

  /// T is float, std::int32_t for whole numbers, or std::int8_t for quantized ones. Error for another port or
  /// type.
  template <class T>
  View<T> input(std::uint32_t port = 0) {
    return view<T>(lnt_input, port);
  }
  template <class T>
  View<const T> output(std::uint32_t port = 0) const {
    const View<T> all = const_cast<Model*>(this)->view<T>(lnt_output, port);
    return {all.data(), all.size()};
  }
  std::vector<std::uint32_t> input_shape(std::uint32_t port = 0) const { return shape(lnt_input, port); }
  std::vector<std::uint32_t> output_shape(std::uint32_t port = 0) const { return shape(lnt_output, port); }

  /// LNT_F32, LNT_I8 or LNT_I32.
  std::uint32_t input_dtype(std::uint32_t port = 0) const { return border(lnt_input, port).dtype; }
  std::uint32_t output_dtype(std::uint32_t port = 0) const { return border(lnt_output, port).dtype; }

  void set_isa(lnt_isa isa) { must(lnt_set_isa(&model_, isa)); }
  void run() { must(lnt_run(&model_)); }
  /// Runs the golden cases; an Error says that there are none or that they cannot run, `failed` that outputs
  /// are wrong.
  lnt_self_test_result self_test() {
    lnt_self_test_result result;
    const lnt_status status = lnt_self_test(&model_, &result);
    if (status != LNT_E_SELF_TEST) must(status);
    return result;
  }
  /// Shape, element type and, of i8, scale and zero of a port.
  lnt_view input_view(std::uint32_t port = 0) const { return border(lnt_input, port); }
  lnt_view output_view(std::uint32_t port = 0) const { return border(lnt_output, port); }

 private:
  struct alignas(LNT_DATA_ALIGN) Block {
    std::uint8_t bytes[LNT_DATA_ALIGN];
  };
  using Memory = std::unique_ptr<Block[]>;
  static Memory allocate(std::size_t bytes) { return Memory(new Block[bytes / sizeof(Block) + 1]); }
  static void must(lnt_status status) {
    if (status != LNT_OK) throw Error(status, lnt_status_text(status));
  }
  using Port = lnt_status (*)(const lnt_model*, std::uint32_t, lnt_view*);
  template <class T>
  View<T> view(Port port_of, std::uint32_t port) {
    constexpr bool whole = std::is_same_v<T, std::int32_t>, quantized = std::is_same_v<T, std::int8_t>;
    static_assert(std::is_same_v<T, float> || whole || quantized, "tensors are f32, i32 or i8");
    lnt_view v;
    must(port_of(&model_, port, &v));
    if (v.dtype != (whole ? LNT_I32 : quantized ? LNT_I8 : LNT_F32))
      throw Error(LNT_E_BAD_ARGUMENT, "the tensor has another element type.");
    return {static_cast<T*>(v.data), v.bytes / sizeof(T)};
  }
  lnt_view border(Port port_of, std::uint32_t port) const {
    lnt_view v;
    must(port_of(&model_, port, &v));
    return v;
  }
  std::vector<std::uint32_t> shape(Port port_of, std::uint32_t port) const {
    const lnt_view v = border(port_of, port);
    return {v.dims, v.dims + v.rank};
  }

  Memory file_, arena_;
  lnt_info info_{};
  lnt_model model_{};
};

}  // namespace linnet::runtime

#endif
