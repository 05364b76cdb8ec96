// SPDX-License-Identifier: Apache-2.0
#pragma once
// The data that recipes name and models are evaluated on.

#include <memory>
#include <string>
#include <vector>

#include "linnet/core/shape.h"
#include "linnet/data/standardiser.h"

namespace linnet::tools {

/// One part of a dataset: in the folder `dir`, in the usual places when `dir` is empty, or the built-in
/// digits for "synthetic". ValueError for an unknown name, IoError that says where it looked.
std::unique_ptr<data::Dataset> open_dataset(const std::string& name, const std::string& dir,
                                            data::Split split);

/// The dataset, its samples standardised unless `scale` is empty, then changed by the other transforms.
std::unique_ptr<data::Dataset> prepared(std::shared_ptr<const data::Dataset> dataset,
                                        const data::Standardiser& scale,
                                        const std::vector<data::Transform>& transforms = {});

/// "preprocess" of models whose inputs are standardised.
inline constexpr const char* kStandardise = "standardise";
/// Numbers as text, exactly, for the META section of `.linnet` files, and back. IoError for anything else.
std::string text_of_numbers(const std::vector<double>& numbers);
std::vector<double> numbers_of_text(const std::string& text);

/// "classification" or "regression"; as open_dataset for an unknown name.
std::string task_of_dataset(const std::string& name);
/// Name of the dataset whose samples have this shape, for models that do not say what they are for.
std::string dataset_for_input(const Shape& sample);

}  // namespace linnet::tools
