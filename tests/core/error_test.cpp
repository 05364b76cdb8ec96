// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/error.h"

#include <string>

#include "linnet/core/dtype.h"
#include "linnet/core/shape.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

TEST_CASE("a message is put together from texts, numbers, shapes and types") {
  CHECK(concat({"op: ", Shape{2, 3},
                " of ", f32,
                ", ",   7,
                ", ",   -3,
                ", ",   0.5,
                ", ",   1e-9,
                ", ",   true,
                ", ",   'x',
                ", ",   std::string("s"),
                ", ",   std::string_view("v")}) == "op: [2, 3] of f32, 7, -3, 0.5, 1e-09, true, x, s, v");
}

TEST_CASE("check throws the named type only when its condition is false") {
  CHECK_NOTHROW(check<ShapeError>(true, "never"));
  CHECK_THROWS_TEXT(check<ShapeError>(false, "op: got ", 3, "."), ShapeError, "op: got 3.");
  CHECK_THROWS_TEXT(fail<IoError>("file: ", 'x'), IoError, "file: x");
}

TEST_CASE("every error is an Error and a runtime_error") {
  CHECK_THROWS_AS(fail<ShapeError>("x"), Error);
  CHECK_THROWS_AS(fail<DTypeError>("x"), Error);
  CHECK_THROWS_AS(fail<ValueError>("x"), Error);
  CHECK_THROWS_AS(fail<StateError>("x"), Error);
  CHECK_THROWS_AS(fail<IoError>("x"), Error);
  CHECK_THROWS_AS(fail<NumericError>("x"), Error);
  CHECK_THROWS_AS(fail<AutogradError>("x"), Error);
  CHECK_THROWS_AS(fail<GraphError>("x"), std::runtime_error);
}

TEST_CASE("the innermost module that is named on the way out stays in the message") {
  try {
    try {
      fail<ValueError>("op: no.");
    } catch (Error& error) {
      error.set_module("net.fc1 (Dense 784 -> 128)");
      throw;
    }
  } catch (Error& error) {
    error.set_module("net (Sequential)");
    CHECK(std::string(error.what()) == "op: no.  in net.fc1 (Dense 784 -> 128)");
  }
}

TEST_CASE("own process: a broken invariant" * doctest::skip()) { LINNET_ASSERT(1 + 1 == 3); }

TEST_CASE("a broken invariant ends the program and says where") {
  const test::ProcessResult result = test::run_in_own_process("own process: a broken invariant");
  CHECK_FALSE(result.passed);
  CHECK(result.output.find("linnet: internal error: 1 + 1 == 3 is false at ") != std::string::npos);
  CHECK(result.output.find("error_test.cpp:") != std::string::npos);
}
