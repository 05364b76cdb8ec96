// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/summary.h"

#include <algorithm>
#include <array>

#include "linnet/graph/infer.h"

namespace linnet::graph {
namespace {

using Cells = std::array<std::string, 5>;

Cells cells(const SummaryRow& row) {
  return {row.layer, row.output.str(), std::to_string(row.parameters), std::to_string(row.macs),
          std::to_string(row.activation_bytes)};
}

/// Names and shapes to the left, numbers to the right.
std::string line(const Cells& row, const std::array<std::size_t, 5>& width) {
  std::string all;
  for (std::size_t i = 0; i < row.size(); ++i) {
    std::string space(width[i] - row[i].size(), ' ');
    if (i > 0) all += "  ";
    all += i < 2 ? row[i] + space : space + row[i];
  }
  return all + "\n";
}

}  // namespace

Summary summary(const Graph& graph, std::int64_t batch) {
  std::vector<Shape> shapes = infer_shapes(graph, batch);
  std::vector<bool> counted(shapes.size(), false);
  Summary all;
  for (const Node& node : graph.nodes()) {
    std::string module = graph.module_of(node), op = Graph::op_name(node);
    SummaryRow row{module.empty() ? op : concat({module, " (", op, ")"}), shapes[node.output]};
    for (int input : node.inputs) {
      if (graph.values()[input].kind != Kind::parameter || counted[input]) continue;
      counted[input] = true;
      row.parameters += shapes[input].size();
    }
    row.macs = macs(node, shapes);
    if (node.op != Op::reshape)
      row.activation_bytes =
          row.output.size() * static_cast<std::int64_t>(size_of(graph.values()[node.output].dtype));
    all.total.activation_bytes += row.activation_bytes;
    all.rows.push_back(std::move(row));
  }
  all.total.layer = "total";
  if (graph.output() >= 0) all.total.output = shapes[graph.output()];
  all.total.parameters = graph.parameter_count();
  all.total.macs = macs(graph, batch);
  return all;
}

std::string Summary::str() const {
  std::vector<Cells> table{{"layer", "output", "parameters", "MACs", "activation bytes"}};
  for (const SummaryRow& row : rows) table.push_back(cells(row));
  table.push_back(cells(total));
  std::array<std::size_t, 5> width{};
  for (const Cells& row : table)
    for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());

  std::size_t full = 2 * (width.size() - 1);
  for (std::size_t each : width) full += each;
  std::string rule(full, '-'), text = line(table[0], width) + rule + "\n";
  for (std::size_t i = 1; i + 1 < table.size(); ++i) text += line(table[i], width);
  return text + rule + "\n" + line(table.back(), width);
}

}  // namespace linnet::graph
