// SPDX-License-Identifier: Apache-2.0
#include "linnet/optim/make_optimizer.h"

#include "linnet/core/error.h"
#include "linnet/optim/adagrad.h"
#include "linnet/optim/adam.h"
#include "linnet/optim/lion.h"
#include "linnet/optim/nadam.h"
#include "linnet/optim/rmsprop.h"
#include "linnet/optim/sgd.h"

namespace linnet::optim {
namespace {

using Make = std::unique_ptr<Optimizer> (*)(const NamedTensors& parameters,
                                            const MakeOptimizerOptions& given);

/// Optimizer `T`, with `options` where nothing else is given.
template <class T, class Options>
std::unique_ptr<Optimizer> make(const NamedTensors& parameters, const MakeOptimizerOptions& given,
                                Options options) {
  options.lr = given.lr.value_or(options.lr);
  options.weight_decay = given.weight_decay.value_or(options.weight_decay);
  options.groups = given.groups;
  return std::make_unique<T>(parameters, options);
}

struct Entry {
  const char* name;
  Make make;
};

const Entry kEntries[] = {
    {"sgd", [](const NamedTensors& p,
               const MakeOptimizerOptions& o) { return make<SGD>(p, o, SgdOptions{.momentum = 0.9}); }},
    {"adam",
     [](const NamedTensors& p, const MakeOptimizerOptions& o) { return make<Adam>(p, o, AdamOptions{}); }},
    {"adamw",
     [](const NamedTensors& p, const MakeOptimizerOptions& o) { return make<AdamW>(p, o, AdamWOptions{}); }},
    {"amsgrad", [](const NamedTensors& p,
                   const MakeOptimizerOptions& o) { return make<Adam>(p, o, AdamOptions{.amsgrad = true}); }},
    {"nadam",
     [](const NamedTensors& p, const MakeOptimizerOptions& o) { return make<NAdam>(p, o, NAdamOptions{}); }},
    {"rmsprop", [](const NamedTensors& p,
                   const MakeOptimizerOptions& o) { return make<RMSprop>(p, o, RMSpropOptions{}); }},
    {"adagrad", [](const NamedTensors& p,
                   const MakeOptimizerOptions& o) { return make<Adagrad>(p, o, AdagradOptions{}); }},
    {"lion",
     [](const NamedTensors& p, const MakeOptimizerOptions& o) { return make<Lion>(p, o, LionOptions{}); }},
};

}  // namespace

const std::vector<std::string>& optimizer_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Entry& entry : kEntries) all.emplace_back(entry.name);
    return all;
  }();
  return names;
}

std::unique_ptr<Optimizer> make_optimizer(const std::string& name, const NamedTensors& parameters,
                                          const MakeOptimizerOptions& options) {
  for (const Entry& entry : kEntries)
    if (name == entry.name) return entry.make(parameters, options);
  std::string names;
  for (const std::string& known : optimizer_names()) names += (names.empty() ? "" : ", ") + known;
  fail<ValueError>("make_optimizer: unknown optimizer ", name, ". There are: ", names, ".");
}

}  // namespace linnet::optim
