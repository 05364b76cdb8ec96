// SPDX-License-Identifier: Apache-2.0
// docs/ops.md lists every op with its shapes and how it gets into an inference build.
#include <doctest/doctest.h>

#include "linnet/core/error.h"
#include "linnet/core/op.h"
#include "support/fixtures.h"

using namespace linnet;

TEST_CASE("docs/ops.md lists every op") {
  const std::string text = test::text_of(LINNET_SOURCE_DIR "/docs/ops.md");
  REQUIRE_FALSE(text.empty());
  for (int i = 0; i < kOps; ++i) {
    Op op = static_cast<Op>(i);
    std::string line = concat({"| `", name(op), "` | ", doc(op), " | ", name(lowering(op)), " |"});
    CHECK_MESSAGE(text.find(line) != std::string::npos, "not in docs/ops.md: ", line,
                  " Run scripts/update_op_list.py.");
  }
}
