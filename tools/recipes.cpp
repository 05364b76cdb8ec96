// SPDX-License-Identifier: Apache-2.0
#include "recipes.h"

#include "linnet/core/error.h"
#include "linnet/data/find_folder.h"
#include "linnet/data/mnist.h"
#include "linnet/data/synthetic_digits.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"

namespace linnet::tools {
namespace {

const auto he = nn::init::he_uniform;  // before ReLU

// In braces the layers are made from left to right; in parentheses each compiler may draw the weights in its
// own order.
nn::Sequential mnist_mlp() {
  return nn::Sequential{nn::Flatten(), nn::Dense(784, 128, {.weight_init = he}), nn::ReLU(), nn::Dropout(0.2),
                        nn::Dense(128, 10)};
}

nn::Sequential mnist_cnn() {
  return nn::Sequential{nn::Conv2D(1, 32, {.kernel = 3, .weight_init = he}),
                        nn::ReLU(),
                        nn::MaxPool2D({.kernel = 2}),
                        nn::Conv2D(32, 64, {.kernel = 3, .weight_init = he}),
                        nn::ReLU(),
                        nn::MaxPool2D({.kernel = 2}),
                        nn::Flatten(),
                        nn::Dense(1600, 64, {.weight_init = he}),
                        nn::ReLU(),
                        nn::Dense(64, 10)};
}

std::string recipe_names() {
  std::string names;
  for (const Recipe& recipe : recipes()) names += (names.empty() ? "" : ", ") + recipe.name;
  return names;
}

}  // namespace

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all{{.name = "mnist-mlp", .dataset = "mnist", .build = mnist_mlp},
                                       {.name = "mnist-cnn", .dataset = "mnist", .build = mnist_cnn}};
  return all;
}

const Recipe& find_recipe(const std::string& name) {
  for (const Recipe& recipe : recipes())
    if (recipe.name == name) return recipe;
  fail<ValueError>("train: unknown recipe ", name, ". There are: ", recipe_names(), ".");
}

State Recipe::about() const {
  return {{"recipe", name}, {"task", "classification"}, {"dataset", dataset}, {"preprocess", "pixels/255"}};
}

std::unique_ptr<optim::Optimizer> make_optimizer(const std::string& name, const NamedTensors& parameters,
                                                 double lr) {
  if (name == "adam") return std::make_unique<optim::Adam>(parameters, optim::AdamOptions{.lr = lr});
  if (name == "sgd")
    return std::make_unique<optim::SGD>(parameters, optim::SgdOptions{.lr = lr, .momentum = 0.9});
  fail<ValueError>("train: unknown optimizer ", name, ". There are: adam, sgd.");
}

std::unique_ptr<data::Dataset> open_dataset(const std::string& name, const std::string& dir,
                                            data::Split split) {
  check<ValueError>(name == "mnist", "data: the data set ", name, " is not known here. There is: mnist.");
  if (dir == "synthetic") return std::make_unique<data::SyntheticDigits>(split);
  return std::make_unique<data::Mnist>(data::find_folder(name, dir), split);
}

std::string dataset_for_input(const Shape& sample) {
  check<ValueError>(sample == Shape{28, 28, 1} || sample == Shape{784},
                    "eval: no dataset has samples of shape ", sample, ", and the file does not name one.");
  return "mnist";
}

}  // namespace linnet::tools
