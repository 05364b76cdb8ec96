// SPDX-License-Identifier: Apache-2.0
#include "model_file.h"

#include <cstring>
#include <fstream>
#include <new>

#include "commands.h"
#include "linnet/core/error.h"
#include "linnet/io/checkpoint.h"

namespace linnet::tools {
namespace {

constexpr std::size_t kAlignment = 64;

[[noreturn]] void refuse(const std::string& path, const lnt_problem& problem) {
  char text[256];
  lnt_problem_text(&problem, text, sizeof text);
  fail<IoError>(path, ": ", static_cast<const char*>(text));
}

void check_status(const std::string& path, lnt_status status) {
  check<IoError>(status == LNT_OK, path, ": ", lnt_status_text(status));
}

}  // namespace

RuntimeModel::Memory RuntimeModel::allocate(std::size_t bytes) {
  return Memory(new (std::align_val_t{kAlignment}) std::uint8_t[std::max<std::size_t>(bytes, 1)]);
}

RuntimeModel::RuntimeModel(const std::string& path) : path_(path) {
  auto length = static_cast<std::size_t>(file_bytes(path));
  file_ = allocate(length);
  std::ifstream stream(path, std::ios::binary);
  stream.read(reinterpret_cast<char*>(file_.get()), static_cast<std::streamsize>(length));
  check<IoError>(stream.gcount() == static_cast<std::streamsize>(length), path, ": cannot be read.");
  if (lnt_check(file_.get(), length, nullptr, &info_) != LNT_OK) refuse(path, info_.problem);
  check<IoError>(info_.n_inputs == 1 && info_.n_outputs == 1, path, ": has ", info_.n_inputs, " inputs and ",
                 info_.n_outputs, " outputs; this command runs models with one of each.");
  arena_ = allocate(info_.arena_bytes);
  check_status(path, lnt_bind(&model_, &info_, arena_.get(), info_.arena_bytes));
  check_status(path, lnt_input(&model_, 0, &input_));
  check_status(path, lnt_output(&model_, 0, &output_));
}

std::string RuntimeModel::meta(const char* key) const {
  const char* value = lnt_meta(&info_, key);
  return value ? value : "";
}

Shape RuntimeModel::shape_of(const lnt_view& view) {
  std::vector<std::int64_t> sizes(view.dims, view.dims + view.rank);
  return Shape(std::span<const std::int64_t>(sizes));
}

Tensor RuntimeModel::run(const Tensor& x) {
  auto values = x.data<float>();
  check<ShapeError>(values.size_bytes() == input_.bytes, "run: the model's input is ", input_shape(),
                    ", got ", x.shape(), ".");
  std::memcpy(input_.data, values.data(), input_.bytes);
  check_status(path_, lnt_run(&model_));
  Tensor y = Tensor::empty(output_shape());
  std::memcpy(y.mutable_data<float>().data(), output_.data, output_.bytes);
  return y;
}

lnt_self_test_result RuntimeModel::self_test() {
  lnt_self_test_result result;
  const lnt_status status = lnt_self_test(&model_, &result);
  if (status != LNT_E_NO_GOLD && status != LNT_E_SELF_TEST) check_status(path_, status);
  return result;
}

bool is_runtime_file(const std::string& path) {
  check_input(path);
  std::ifstream stream(path, std::ios::binary);
  check<IoError>(stream.good(), path, ": cannot be read. Is the name right?");
  static constexpr unsigned char kMagic[] = {0x89, 'L', 'N', 'T'};
  char start[sizeof kMagic] = {};
  stream.read(start, sizeof start);
  return std::memcmp(start, kMagic, sizeof kMagic) == 0;
}

Checkpoint Checkpoint::read(const std::string& path) {
  Checkpoint checkpoint{io::load(path), nullptr};
  check<StateError>(
      checkpoint.state.has("graph") && checkpoint.state.has("model"), path,
      ": this checkpoint carries no graph. Save it with {\"graph\", graph::trace(model, input).state()}.");
  checkpoint.model = std::make_shared<graph::GraphModule>(
      graph::GraphModule::from(checkpoint.state["graph"], checkpoint.state["model"]));
  checkpoint.model->eval();
  return checkpoint;
}

std::string Checkpoint::about(const std::string& key) const {
  const StateValue* about = state.find("about");
  const StateValue* value = about && about->is_state() ? about->state().find(key) : nullptr;
  return value && value->is_text() ? value->text() : "";
}

data::Standardiser Checkpoint::standardiser() const {
  data::Standardiser scale;
  const StateValue* about = state.find("about");
  const StateValue* saved = about && about->is_state() ? about->state().find("preprocessing") : nullptr;
  if (saved) scale.load(saved->state());
  return scale;
}

Shape Checkpoint::sample_shape() const {
  const graph::Graph& graph = model->graph();
  auto inputs = graph.of_kind(graph::Kind::input);
  check<GraphError>(inputs.size() == 1, "the model has ", inputs.size(),
                    " inputs; this command works with one.");
  return graph::at_batch(graph.values()[inputs[0]].sizes, 1).without(0);
}

}  // namespace linnet::tools
