// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/dtype.h"

#include <set>
#include <string>

#include "linnet/core/op.h"
#include "support/check_close.h"

using namespace linnet;

TEST_CASE("type numbers, sizes and names never change: they are in files") {
  const DType types[] = {f32, f64, i8, u8, i32, i64};
  const std::size_t sizes[] = {4, 8, 1, 1, 4, 8};
  const char* names[] = {"f32", "f64", "i8", "u8", "i32", "i64"};
  static_assert(kDTypes == 6);
  for (int i = 0; i < kDTypes; ++i) {
    CHECK(static_cast<int>(types[i]) == i);
    CHECK(size_of(types[i]) == sizes[i]);
    CHECK(std::string(name(types[i])) == names[i]);
    CHECK(is_float(types[i]) == (i < 2));
  }
}

TEST_CASE("dispatch hands over the C++ type of every element type") {
  for (DType dtype : {f32, f64, i8, u8, i32, i64})
    CHECK(dispatch(dtype, [](auto zero) { return dtype_of<decltype(zero)>(); }) == dtype);
  static_assert(dtype_of<const float>() == f32 && dtype_of<long long>() == i64);
}

TEST_CASE("dispatch_float refuses integers, naming the op") {
  CHECK(dispatch_float("op", f64, [](auto zero) { return sizeof(zero); }) == 8);
  CHECK_THROWS_TEXT(dispatch_float("relu", i64, [](auto) { return 0; }), DTypeError,
                    "relu: expected f32 or f64, got i64. Convert with to(f32).");
}

TEST_CASE("every op has a name of its own") {
  CHECK(name(Op::relu) == "relu");
  CHECK(name(Op::matmul) == "matmul");
  CHECK(name(Op::custom) == "custom");
  std::set<std::string_view> names;
  for (int op = 0; op <= kOps; ++op) names.insert(name(static_cast<Op>(op)));
  CHECK(names.size() == kOps + 1);
}
