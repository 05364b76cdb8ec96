// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/find_op.h"
#include "linnet/deploy/passes/affine.h"
#include "linnet/deploy/passes/passes.h"

namespace linnet::deploy {

using graph::Node;

int fuse_activations(Draft& draft) {
  int changes = 0;
  for (std::size_t i = 0; i < draft.nodes().size(); ++i) {
    const Node node = draft.nodes()[i];
    if (!draft.is_live(i) || !is_unary(node.op)) continue;
    const int place = writer_past_reshapes(draft, node.inputs[0]);
    if (place < 0) continue;
    const Node writer = draft.nodes()[place];
    if (!graph::takes_activation(writer.op) || writer.attributes.has("activation")) continue;
    State attributes = writer.attributes;
    attributes.set("activation", std::string(name(node.op)));
    for (const auto& [key, number] : node.attributes) attributes.set(key, number);
    draft.set_op(static_cast<std::size_t>(place), writer.op, std::move(attributes));
    draft.replace(node.output, node.inputs[0]);
    ++changes;
  }
  return changes;
}

}  // namespace linnet::deploy
