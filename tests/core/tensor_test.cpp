// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/tensor.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "linnet/core/error.h"
#include "linnet/core/random.h"
#include "linnet/core/tensor_impl.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

constexpr DType kAllTypes[] = {f32, f64, i8, u8, i32, i64};

/// The contents as doubles.
std::vector<double> values(const Tensor& tensor) { return test::Values(tensor).numbers; }

/// A node of some op, as autograd hangs one on a result.
struct StandInNode final : TapeNode {
  void destroy() noexcept override { delete this; }
};
Tensor result_of_op() {
  Tensor t = Tensor::from({1, 2});
  t.impl()->node = Ref<TapeNode>(new StandInNode);
  return t;
}

Tensor traced() {
  Tensor t = Tensor::from({1, 2});
  t.impl()->traced = true;
  return t;
}

}  // namespace

// ---- making -----------------------------------------------------------------------------------------

TEST_CASE("tensors of every type are made with their values") {
  for (DType dtype : kAllTypes) {
    CHECK(values(Tensor::zeros({2, 2}, dtype)) == std::vector<double>{0, 0, 0, 0});
    CHECK(values(Tensor::ones({3}, dtype)) == std::vector<double>{1, 1, 1});
    CHECK(values(Tensor::full({2}, 7, dtype)) == std::vector<double>{7, 7});
    CHECK(values(Tensor::arange(4, dtype)) == std::vector<double>{0, 1, 2, 3});
    CHECK(values(Tensor::from({5, 6}, dtype)) == std::vector<double>{5, 6});
    CHECK(Tensor::empty({2, 3}, dtype).shape() == Shape{2, 3});
    CHECK(Tensor::empty({2, 3}, dtype).dtype() == dtype);
  }
}

TEST_CASE("a tensor may be a scalar or have no elements") {
  CHECK(Tensor::full({}, 3.5).item() == 3.5);
  CHECK(Tensor::zeros({0, 4}).size() == 0);
  CHECK(Tensor::zeros({0, 4}).data<float>().empty());
  CHECK(Tensor::arange(0).shape() == Shape{0});
}

TEST_CASE("a tensor is made from vectors, spans, lists and rows") {
  const std::vector<std::int32_t> numbers{1, 2, 3, 4};
  CHECK(Tensor::from(numbers).dtype() == i32);
  CHECK(Tensor::from(numbers, {2, 2}).shape() == Shape{2, 2});
  CHECK(Tensor::from(std::span<const std::int32_t>(numbers).subspan(1), {3}).data<std::int32_t>()[0] == 2);
  CHECK(Tensor::from({1, 2, 3, 4}, Shape{2, 2}).dim(1) == 2);
  const Tensor matrix = Tensor::from({{1, 2, 3}, {4, 5, 6}});
  CHECK(matrix.shape() == Shape{2, 3});
  CHECK(matrix.rank() == 2);
  CHECK(matrix.dim(-1) == 3);
  CHECK(matrix.data<float>()[3] == 4.0f);
}

TEST_CASE("values that do not fill the shape are refused") {
  CHECK_THROWS_TEXT(Tensor::from({1, 2, 3}, Shape{2, 2}), ShapeError,
                    "from: shape [2, 2] has 4 elements, got 3 values.");
  CHECK_THROWS_TEXT(Tensor::from({{1, 2}, {3}}), ShapeError,
                    "from: rows differ in length: expected 2, got 1.");
  CHECK_THROWS_TEXT(Tensor::zeros({-1}), ShapeError, "shape: sizes must not be negative, got -1 at axis 0.");
  CHECK_THROWS_TEXT(Tensor::arange(-1), ShapeError, "shape: sizes must not be negative, got -1 at axis 0.");
}

TEST_CASE("a number that an integer type cannot hold is refused") {
  CHECK_THROWS_TEXT(Tensor::full({1}, 256, u8), ValueError, "full: 256 is no value of type u8.");
  CHECK_THROWS_TEXT(Tensor::full({1}, -1, u8), ValueError, "full: -1 is no value of type u8.");
  CHECK_THROWS_TEXT(Tensor::from({1.5}, i32), ValueError, "from: 1.5 is no value of type i32.");
  CHECK_THROWS_TEXT(Tensor::from({{1, 128}}, i8), ValueError, "from: 128 is no value of type i8.");
  CHECK_THROWS_TEXT(Tensor::full({1}, 0x1p63, i64), ValueError, "full: 9.22337e+18 is no value of type i64.");
  CHECK_THROWS_TEXT(Tensor::full({1}, std::nan(""), i64), ValueError, "full: nan is no value of type i64.");
  CHECK_THROWS_TEXT(Tensor::arange(257, u8), ValueError, "arange: 256 is no value of type u8.");
  CHECK_THROWS_TEXT(Tensor::zeros({1}, i8).fill_(200), ValueError, "fill_: 200 is no value of type i8.");
  CHECK(Tensor::arange(256, u8).data<std::uint8_t>()[255] == 255);
  CHECK(Tensor::full({1}, -0x1p63, i64).data<std::int64_t>()[0] == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("random tensors have the type asked for and their distribution's range") {
  const State before = rng_state();
  manual_seed(3);
  for (DType dtype : {f32, f64}) {
    for (double x : values(Tensor::uniform({1000}, -2.0, 3.0, dtype))) CHECK((x >= -2.0 && x < 3.0));
    double sum = 0.0, squares = 0.0;
    for (double x : values(Tensor::randn({100, 100}, dtype))) sum += x, squares += x * x;
    CHECK(std::abs(sum / 10'000) < 0.05);            // standard error 0.01
    CHECK(std::abs(squares / 10'000 - 1.0) < 0.07);  // standard error 0.014
  }
  set_rng_state(before);
}

TEST_CASE("random tensors are of a float type and a real interval") {
  const State before = rng_state();
  CHECK_THROWS_TEXT(Tensor::randn({2}, i32), DTypeError, "randn: expected f32 or f64, got i32.");
  CHECK_THROWS_TEXT(Tensor::uniform({2}, 0, 1, u8), DTypeError, "uniform: expected f32 or f64, got u8.");
  CHECK_THROWS_TEXT(Tensor::uniform({2}, 1, 0), ValueError,
                    "uniform: expected finite low <= high, got 1 and 0.");
  CHECK_THROWS_TEXT(Tensor::uniform({2}, 0, INFINITY), ValueError,
                    "uniform: expected finite low <= high, got 0 and inf.");
  CHECK(rng_state() == before);
}

// ---- asking -----------------------------------------------------------------------------------------

TEST_CASE("an undefined tensor answers nothing but defined()") {
  Tensor t;
  const Tensor other = Tensor::ones({1});
  CHECK_FALSE(t.defined());
  const auto text = [](const char* op) {
    return std::string(op) + ": this tensor is undefined: it was never given contents.";
  };
  CHECK_THROWS_TEXT(t.shape(), ValueError, text("shape"));
  CHECK_THROWS_TEXT(t.size(), ValueError, text("shape"));
  CHECK_THROWS_TEXT(t.dtype(), ValueError, text("dtype"));
  CHECK_THROWS_TEXT(t.data<float>(), ValueError, text("data"));
  CHECK_THROWS_TEXT(t.mutable_data<float>(), ValueError, text("mutable_data"));
  CHECK_THROWS_TEXT(t.item(), ValueError, text("item"));
  CHECK_THROWS_TEXT(t.str(), ValueError, text("str"));
  CHECK_THROWS_TEXT(t.clone(), ValueError, text("clone"));
  CHECK_THROWS_TEXT(t.detach(), ValueError, text("detach"));
  CHECK_THROWS_TEXT(t.to(f64), ValueError, text("to"));
  CHECK_THROWS_TEXT(t.view({1}), ValueError, text("view"));
  CHECK_THROWS_TEXT(t.fill_(1), ValueError, text("fill_"));
  CHECK_THROWS_TEXT(t.copy_(other), ValueError, text("copy_"));
  CHECK_THROWS_TEXT(t.add_(other), ValueError, text("add_"));
  CHECK_THROWS_TEXT(t.mul_(2), ValueError, text("mul_"));
  CHECK_THROWS_TEXT(t.set_contents(other), ValueError, text("set_contents"));
  CHECK_THROWS_TEXT(t.requires_grad(), ValueError, text("requires_grad"));
  CHECK_THROWS_TEXT(t.set_requires_grad(true), ValueError, text("set_requires_grad"));
  CHECK_THROWS_TEXT(t.grad(), ValueError, text("grad"));
  CHECK_THROWS_TEXT(t.set_grad(other), ValueError, text("set_grad"));
}

TEST_CASE("elements are read as their own type only") {
  const Tensor t = Tensor::from({1.5, 2.5}, f64);
  CHECK(t.data<double>()[1] == 2.5);
  CHECK_THROWS_TEXT(t.data<float>(), DTypeError,
                    "data: the elements are f64, asked for as f32. Convert with to(f32).");
  CHECK_THROWS_TEXT(Tensor(t).mutable_data<std::int64_t>(), DTypeError,
                    "mutable_data: the elements are f64, asked for as i64.");
}

TEST_CASE("item reads the only element of any type and refuses more or none") {
  for (DType dtype : kAllTypes) CHECK(Tensor::full({1, 1}, 5, dtype).item() == 5.0);
  CHECK_THROWS_TEXT(Tensor::zeros({2, 3}).item(), ShapeError,
                    "item: expected one element, got shape [2, 3].");
  CHECK_THROWS_TEXT(Tensor::zeros({0}).item(), ShapeError, "item: expected one element, got shape [0].");
}

TEST_CASE("a traced tensor shows no values and takes none") {
  Tensor t = traced();
  const std::string read =
      ": this tensor is being traced, its values stand for any batch. Compute with ops instead.";
  const std::string write =
      ": this tensor is being traced, and a trace records no changes in place. Use an op instead.";
  CHECK_THROWS_TEXT(t.data<float>(), GraphError, "data" + read);
  CHECK_THROWS_TEXT(t.item(), GraphError, "item" + read);
  CHECK_THROWS_TEXT(Tensor::zeros({2}).copy_(t), GraphError, "copy_" + read);
  CHECK_THROWS_TEXT(Tensor::zeros({2}).add_(t), GraphError, "add_" + read);
  CHECK_THROWS_TEXT(Tensor::zeros({2}).set_contents(t), GraphError, "set_contents" + read);
  CHECK_THROWS_TEXT(t.mutable_data<float>(), GraphError, "mutable_data" + write);
  CHECK_THROWS_TEXT(t.fill_(1), GraphError, "fill_" + write);
  CHECK_THROWS_TEXT(t.copy_(Tensor::zeros({2})), GraphError, "copy_" + write);
  CHECK_THROWS_TEXT(t.add_(Tensor::zeros({2})), GraphError, "add_" + write);
  CHECK_THROWS_TEXT(t.mul_(2), GraphError, "mul_" + write);
  CHECK_THROWS_TEXT(t.set_contents(Tensor::zeros({2})), GraphError, "set_contents" + write);
  CHECK(t.shape() == Shape{2});
  CHECK(t.str() == "[2] f32 (being traced)");
}

TEST_CASE("what is copied from a traced tensor stays traced") {
  const Tensor t = traced();
  for (const Tensor& copy : {t.clone(), t.detach(), t.to(f64), t.view({2, 1})}) CHECK(copy.impl()->traced);
}

TEST_CASE("a tensor prints like NumPy's, with shape and type") {
  CHECK(Tensor::from({{1, 2.5}, {-3, 4}}).str() == "[2, 2] f32\n[[1, 2.5],\n [-3, 4]]");
  CHECK(Tensor::arange(8, i64).view({2, 2, 2}).str() ==
        "[2, 2, 2] i64\n[[[0, 1],\n  [2, 3]],\n [[4, 5],\n  [6, 7]]]");
  CHECK(Tensor::full({}, 0.125, f64).str() == "[] f64\n0.125");
  CHECK(Tensor::zeros({0, 3}).str() == "[0, 3] f32\n[]");
  CHECK(Tensor::from({-1, 127}, i8).str() == "[2] i8\n[-1, 127]");
  CHECK(Tensor::from({NAN, INFINITY}).str() == "[2] f32\n[nan, inf]");
}

TEST_CASE("a large tensor prints its first thousand elements") {
  const std::string text = Tensor::arange(1001, i32).str();
  CHECK(text.ends_with("998, 999, ..."));
  CHECK(Tensor::arange(1000, i32).str().ends_with("998, 999]"));
}

// ---- contents ---------------------------------------------------------------------------------------

TEST_CASE("copies of a handle share contents, a clone does not") {
  Tensor a = Tensor::from({1, 2});
  const Tensor b = a, c = a.clone();
  a.fill_(5);
  CHECK(b.same_as(a));
  CHECK(values(b) == std::vector<double>{5, 5});
  CHECK(values(c) == std::vector<double>{1, 2});
}

TEST_CASE("detach and view share contents without gradient or history") {
  Tensor a = Tensor::from({1, 2, 3, 4}).set_requires_grad(true);
  a.set_grad(Tensor::ones({4}));
  const Tensor detached = a.detach(), matrix = a.view({2, 2});
  a.fill_(9);
  CHECK(values(detached) == std::vector<double>{9, 9, 9, 9});
  CHECK(values(matrix) == std::vector<double>{9, 9, 9, 9});
  CHECK(matrix.shape() == Shape{2, 2});
  for (const Tensor& t : {detached, matrix, a.clone(), result_of_op().detach()}) {
    CHECK_FALSE(t.requires_grad());
    CHECK_FALSE(t.grad().defined());
  }
  CHECK_THROWS_TEXT(a.view({3}), ShapeError, "view: [4] has 4 elements, [3] has 3.");
}

TEST_CASE("conversion keeps values, saturates integers and truncates") {
  const Tensor t = Tensor::from({-300.7, 1.9, 300.2, NAN});
  CHECK(values(t.to(i8)) == std::vector<double>{-128, 1, 127, 0});
  CHECK(values(t.to(u8)) == std::vector<double>{0, 1, 255, 0});
  CHECK(t.to(f64).dtype() == f64);
  CHECK(t.to(f32).same_as(t));
  for (DType from : kAllTypes)
    for (DType to : kAllTypes) CHECK(values(Tensor::arange(100, from).to(to)) == values(Tensor::arange(100)));
}

TEST_CASE("every change of contents raises the version, reading does not") {
  Tensor t = Tensor::from({1, 2});
  const auto version = [&t] { return t.impl()->storage->version(); };
  const auto raised = [&](auto change) {
    const std::uint32_t before = version();
    change();
    return version() > before;
  };
  CHECK(raised([&] { t.fill_(1); }));
  CHECK(raised([&] { t.copy_(Tensor::zeros({2})); }));
  CHECK(raised([&] { t.add_(Tensor::zeros({2})); }));
  CHECK(raised([&] { t.mul_(1); }));
  CHECK(raised([&] { t.mutable_data<float>()[0] = 1; }));
  CHECK(raised([&] { t.detach().fill_(3); }));
  CHECK_FALSE(raised([&] { static_cast<void>(t.data<float>()[0] + t.clone().data<float>()[0]); }));
}

TEST_CASE("changes in place compute what their names say") {
  for (DType dtype : {f32, f64}) {
    Tensor t = Tensor::from({1, 2}, dtype);
    CHECK(values(t.add_(Tensor::from({10, 20}, dtype))) == std::vector<double>{11, 22});
    CHECK(values(t.add_(Tensor::from({2, 4}, dtype), -0.5)) == std::vector<double>{10, 20});
    CHECK(values(t.add_(t)) == std::vector<double>{20, 40});
    CHECK(values(t.mul_(0.25)) == std::vector<double>{5, 10});
    CHECK(values(t.copy_(Tensor::from({7, 8}, i64))) == std::vector<double>{7, 8});
    CHECK(values(t.fill_(-1.5)) == std::vector<double>{-1.5, -1.5});
  }
}

TEST_CASE("changes in place that do not fit are refused before anything changes") {
  Tensor t = Tensor::from({1, 2});
  CHECK_THROWS_TEXT(t.copy_(Tensor::zeros({3})), ShapeError, "copy_: shapes differ: expected [2], got [3].");
  CHECK_THROWS_TEXT(t.add_(Tensor::zeros({2, 1})), ShapeError,
                    "add_: shapes differ: expected [2], got [2, 1].");
  CHECK_THROWS_TEXT(t.add_(Tensor::zeros({2}, f64)), DTypeError,
                    "add_: types differ: expected f32, got f64. Convert with to(f32).");
  CHECK_THROWS_TEXT(Tensor::zeros({2}, i64).add_(Tensor::zeros({2}, i64)), DTypeError,
                    "add_: expected f32 or f64, got i64.");
  CHECK_THROWS_TEXT(Tensor::zeros({2}, u8).mul_(2), DTypeError, "mul_: expected f32 or f64, got u8.");
  CHECK(t.impl()->storage->version() == 0);
  CHECK(values(t) == std::vector<double>{1, 2});
}

TEST_CASE("new contents are seen through every handle, in a copy of their own") {
  Tensor parameter = Tensor::from({1, 2, 3}).set_requires_grad(true);
  parameter.set_grad(Tensor::ones({3}));
  const Tensor held = parameter, old = parameter.detach();
  Tensor pruned = Tensor::from({{4, 5}}, f64);
  parameter.set_contents(pruned);
  pruned.fill_(0);
  CHECK(held.shape() == Shape{1, 2});
  CHECK(held.dtype() == f64);
  CHECK(values(held) == std::vector<double>{4, 5});
  CHECK(held.requires_grad());
  CHECK_FALSE(held.grad().defined());
  CHECK(values(old) == std::vector<double>{1, 2, 3});
  parameter.set_contents(parameter);
  CHECK(values(held) == std::vector<double>{4, 5});
}

TEST_CASE("new contents that autograd could not follow are refused") {
  Tensor parameter = Tensor::from({1, 2}).set_requires_grad(true);
  CHECK_THROWS_TEXT(parameter.set_contents(Tensor::zeros({2}, i8)), DTypeError,
                    "set_contents: a tensor that requires a gradient must be f32 or f64, got i8. Call "
                    "set_requires_grad(false) first.");
  CHECK_THROWS_TEXT(
      result_of_op().set_contents(parameter), AutogradError,
      "set_contents: this tensor is the result of an op, and its gradient would not know of the "
      "change. Use an op instead, or change a clone().");
  CHECK_THROWS_TEXT(parameter.set_contents(Tensor()), ValueError,
                    "set_contents: this tensor is undefined: it was never given contents.");
  CHECK(values(parameter) == std::vector<double>{1, 2});
}

// ---- autograd ---------------------------------------------------------------------------------------

TEST_CASE("only float tensors that no op has made can ask for a gradient") {
  Tensor t = Tensor::from({1, 2});
  CHECK_FALSE(t.requires_grad());
  CHECK(t.set_requires_grad(true).requires_grad());
  CHECK_FALSE(t.set_requires_grad(false).requires_grad());
  CHECK(result_of_op().requires_grad());
  CHECK_FALSE(Tensor::zeros({1}, i64).set_requires_grad(false).requires_grad());
  CHECK_THROWS_TEXT(Tensor::zeros({1}, i64).set_requires_grad(true), ValueError,
                    "set_requires_grad: only f32 and f64 have gradients, got i64. Convert with to(f32).");
  CHECK_THROWS_TEXT(result_of_op().set_requires_grad(true), AutogradError,
                    "set_requires_grad: this tensor is the result of an op. Call detach() first.");
}

TEST_CASE("a gradient has the shape and type of its tensor") {
  Tensor t = Tensor::from({1, 2});
  CHECK_FALSE(t.grad().defined());
  t.set_grad(Tensor::from({3, 4}));
  CHECK(values(t.grad()) == std::vector<double>{3, 4});
  CHECK_THROWS_TEXT(t.set_grad(Tensor::zeros({3})), ShapeError,
                    "set_grad: shapes differ: expected [2], got [3].");
  CHECK_THROWS_TEXT(t.set_grad(Tensor::zeros({2}, f64)), DTypeError,
                    "set_grad: types differ: expected f32, got f64. Convert with to(f32).");
  CHECK(values(t.grad()) == std::vector<double>{3, 4});
  t.set_grad({});
  CHECK_FALSE(t.grad().defined());
}

TEST_CASE("a thousand tensors come and go without asking the system again") {
  for (int i = 0; i < 10; ++i) static_cast<void>(Tensor::zeros({100}).clone());
  const std::int64_t before = memory_stats().system_allocations;
  for (int i = 0; i < 1000; ++i) static_cast<void>(Tensor::zeros({100}).clone());
  CHECK(memory_stats().system_allocations == before);
}
