// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/passes/passes.h"

#include "linnet/autograd/autograd.h"
#include "linnet/deploy/passes/draft.h"

namespace linnet::deploy {
namespace {

constexpr Pass kPasses[] = {{"drop identities", drop_identities},
                            {"fold constants", fold_constants},
                            {"merge reshapes and transposes", merge_layouts},
                            {"dense for matmul", matmul_to_dense},
                            {"fold batch-norm", fold_batch_norm},
                            {"fold scale and shift", fold_scale_and_shift}};

}  // namespace

Optimised optimise(const graph::Graph& graph, const State& parameters) {
  NoGrad no_grad;
  Draft draft(graph, parameters);
  std::vector<std::pair<std::string, int>> reports;
  for (const Pass& pass : kPasses) reports.emplace_back(pass.name, 0);
  reports.emplace_back("fuse activations", 0);
  // Every change removes an op or a constant argument or makes an op a simpler one, so this ends. Nothing is
  // fused before all is folded: an activation bars the way into the weights.
  for (int changes = 1; changes > 0;) {
    changes = 0;
    for (std::size_t i = 0; i < std::size(kPasses); ++i) {
      const int found = kPasses[i].run(draft);
      reports[i].second += found;
      changes += found;
    }
    if (changes > 0) continue;
    changes = fuse_activations(draft);
    reports.back().second += changes;
  }
  reports.push_back({"share constants", share_constants(draft)});
  reports.push_back({"order for memory", order_for_memory(draft)});
  return {draft.graph(), std::move(reports)};
}

}  // namespace linnet::deploy
