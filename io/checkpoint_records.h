// SPDX-License-Identifier: Apache-2.0
#pragma once
// The records of a checkpoint: names, numbers, texts and the shapes of tensors, in cereal's portable binary
// archive. Their values are elsewhere. Private to io/.

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "linnet/core/state.h"

namespace linnet::io {

/// `tensors` receives the tensors in the order of the records, under their full names ("model/fc1.weight").
/// StateError for undefined tensors, too much nesting and too many entries.
std::vector<std::byte> encode_records(const State& state, NamedTensors& tensors);

/// Gives the tensor for one record, or throws.
using MakeTensor = std::function<Tensor(const std::string& name, const Shape& shape, DType dtype)>;

/// Rebuilds the state. Nothing is allocated that `bytes` do not cover; anything but what encode_records()
/// writes is an IoError whose text begins with `where`.
State decode_records(std::span<const std::byte> bytes, const std::string& where,
                     const MakeTensor& make_tensor);

}  // namespace linnet::io
