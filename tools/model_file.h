// SPDX-License-Identifier: Apache-2.0
#pragma once
// The two kinds of file that hold a model: a checkpoint, run by the training side, and a `.linnet` file, run
// by the C99 runtime.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "linnet/core/state.h"
#include "linnet/core/tensor.h"
#include "linnet/data/standardiser.h"
#include "linnet/graph/graph_module.h"
#include "linnet/runtime/linnet_runtime.h"

namespace linnet::tools {

/// A checked and bound `.linnet` file with the memory it needs.
class RuntimeModel {
 public:
  /// IoError with the runtime's text when the file is refused.
  explicit RuntimeModel(const std::string& path);

  const lnt_info& info() const { return info_; }
  /// A value of META; empty when there is none.
  std::string meta(const char* key) const;
  Shape input_shape() const { return shape_of(input_); }  ///< [1, ...]
  Shape output_shape() const { return shape_of(output_); }
  /// One sample, f32, of as many elements as the input.
  Tensor run(const Tensor& x);
  /// The golden cases; no cases when the file has none.
  lnt_self_test_result self_test();

 private:
  struct Release {
    void operator()(std::uint8_t* memory) const { ::operator delete[](memory, std::align_val_t{64}); }
  };
  using Memory = std::unique_ptr<std::uint8_t[], Release>;
  static Memory allocate(std::size_t bytes);
  static Shape shape_of(const lnt_view& view);

  std::string path_;
  Memory file_, arena_;
  lnt_info info_{};
  lnt_model model_{};
  lnt_view input_{}, output_{};
};

/// True when the file starts like a `.linnet` file. IoError when it cannot be read.
bool is_runtime_file(const std::string& path);

/// A checkpoint with everything that `eval`, `export` and `inspect` need of it.
struct Checkpoint {
  State state;
  std::shared_ptr<graph::GraphModule> model;

  /// IoError or StateError when the file is damaged or carries no graph.
  static Checkpoint read(const std::string& path);
  /// An entry of "about"; empty when there is none.
  std::string about(const std::string& key) const;
  /// By what the inputs are standardised; empty when they are not.
  data::Standardiser standardiser() const;
  /// Shape of one sample.
  Shape sample_shape() const;
};

}  // namespace linnet::tools
