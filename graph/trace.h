// SPDX-License-Identifier: Apache-2.0
#pragma once
// trace(): runs a module with a recorder on and returns what it computed as a Graph.
//
//   Graph g = graph::trace(model, {1, 28, 28, 1});                                     one f32 input
//   Graph g = graph::trace(net, std::vector<graph::InputSpec>{{{1, 50}, i64, "text"}, {{1, 8}}});
//
// Axis 0 of every input is the batch; its size in the given shape does not matter. The module runs twice,
// with batch 2 and 3: sizes that grow with it become the batch, anything else that differs is a GraphError
// naming the op. A tensor that is neither input, parameter, buffer nor result of an op becomes a constant of
// the graph. Values of inputs and results stand for any batch: item() and data() on them throw.
//
// Generator, buffers, modes and gradients are the same afterwards, also when it throws. What the module
// throws, passes.

#include <concepts>
#include <functional>
#include <span>
#include <string>
#include <type_traits>

#include "linnet/graph/graph.h"
#include "linnet/nn/module.h"

namespace linnet::graph {

struct InputSpec {
  Shape shape;
  DType dtype = f32;
  std::string name = {};  ///< "input" when there is one, else "input0", "input1", ...
};

/// The inputs to the result.
using Forward = std::function<Tensor(std::span<const Tensor>)>;

/// Any callable over a module: the tensors that members() names are its parameters and buffers.
/// GraphError when the result depends on something a Graph cannot hold: values read from a traced tensor, an
/// in-place change, a detached input, another sequence of ops for another batch.
Graph trace(nn::Module& module, const Forward& forward, std::span<const InputSpec> inputs);

namespace detail {

template <class M, std::size_t... I>
Tensor call(M& model, std::span<const Tensor> inputs, std::index_sequence<I...>) {
  if constexpr (std::is_invocable_r_v<Tensor, M&, decltype((inputs[I]))...>)
    return model(inputs[I]...);
  else
    fail<GraphError>("trace: the module cannot be called with ", inputs.size(),
                     " inputs. Give one InputSpec an argument?");
}

/// Calls a module that takes up to four tensors.
template <class M>
Tensor call(M& model, std::span<const Tensor> inputs) {
  switch (inputs.size()) {
    case 1:
      return call(model, inputs, std::make_index_sequence<1>());
    case 2:
      return call(model, inputs, std::make_index_sequence<2>());
    case 3:
      return call(model, inputs, std::make_index_sequence<3>());
    case 4:
      return call(model, inputs, std::make_index_sequence<4>());
    default:
      fail<GraphError>("trace: a module is called with 1 to 4 inputs, got ", inputs.size(),
                       ". Pass a function?");
  }
}

}  // namespace detail

template <std::derived_from<nn::Module> M>
Graph trace(M& model, std::span<const InputSpec> inputs) {
  return trace(
      model, [&model](std::span<const Tensor> x) { return detail::call(model, x); }, inputs);
}

template <std::derived_from<nn::Module> M>
Graph trace(M& model, const Shape& input) {
  const InputSpec one[] = {{input}};
  return trace(model, std::span<const InputSpec>(one));
}

}  // namespace linnet::graph
