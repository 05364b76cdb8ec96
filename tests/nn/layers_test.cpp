// SPDX-License-Identifier: Apache-2.0
// Every layer of the catalog by itself.
#include "layer_checker.h"

namespace linnet::test {
namespace {

TEST_CASE("every layer declares itself, trains, saves, evaluates sample by sample and has right gradients") {
  manual_seed(1);
  for (const LayerCase& row : layer_catalog()) {
    CAPTURE(row.describe);
    const std::unique_ptr<nn::Module> layer = row.make();
    layer_checks::declares_itself(*layer, row);
    layer_checks::trains(*layer, row);
    layer_checks::saves_and_evaluates(*layer, row);
    if (!row.whole_batch) layer_checks::batch_independent(*layer, row);
    layer_checks::gradients_are_right(*layer, row);
  }
}

}  // namespace
}  // namespace linnet::test
