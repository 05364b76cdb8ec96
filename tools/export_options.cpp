// SPDX-License-Identifier: Apache-2.0
#include "export_options.h"

#include <fstream>
#include <span>
#include <vector>

#include "linnet/graph/infer.h"
#include "linnet/io/sha256.h"
#include "recipe_data.h"

namespace linnet::tools {
namespace {

std::string file_sha256(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  io::Sha256 hash;
  std::vector<char> part(1 << 16);
  while (stream.read(part.data(), static_cast<std::streamsize>(part.size())) || stream.gcount() > 0)
    hash.add(std::as_bytes(std::span(part).first(static_cast<std::size_t>(stream.gcount()))));
  return io::hex(hash.finish());
}

}  // namespace

deploy::Options export_options(const Checkpoint& checkpoint, const std::string& path) {
  deploy::Options options;
  options.task = checkpoint.about("task");
  options.preprocess = checkpoint.about("preprocess");
  for (const char* key : {"dataset", "recipe", "classes", "compression", "quantization"})
    if (std::string value = checkpoint.about(key); !value.empty()) options.meta.emplace_back(key, value);
  if (const data::Standardiser scale = checkpoint.standardiser(); !scale.empty()) {
    options.meta.emplace_back("standardise.mean", text_of_numbers(scale.mean()));
    options.meta.emplace_back("standardise.deviation", text_of_numbers(scale.deviation()));
  }
  const graph::Graph& graph = checkpoint.model->graph();
  options.meta.emplace_back("macs", std::to_string(graph::macs(graph)));
  options.meta.emplace_back("parameters", std::to_string(graph.parameter_count()));
  options.meta.emplace_back("weights_sha256", io::weights_sha256(checkpoint.state["model"]));
  options.meta.emplace_back("checkpoint_sha256", file_sha256(path));
  return options;
}

}  // namespace linnet::tools
