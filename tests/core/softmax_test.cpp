// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/softmax.h"

#include "kernel_cases.h"
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/loss.h"
#include "linnet/core/kernels/reduce.h"
#include "special_values.h"

using namespace linnet;
using namespace linnet::test;
using kernels::Loss;

namespace {

/// Rows of non-negative numbers that sum to one.
Tensor soft_labels(const Shape& shape, std::uint64_t seed) {
  return kernels::softmax(random_tensor(shape, seed, -2.0, 2.0), -1);
}

Shape matrix(Rng& rng) { return {odd_size(rng), odd_size(rng)}; }

Tensor scalar(double value, DType dtype = f32) { return Tensor::full({}, value, dtype); }

}  // namespace

TEST_CASE("softmax, log_softmax and their gradients agree with f64 on every instruction set and axis") {
  on_every_isa([] {
    Rng rng(21, 0);
    for (int i = 0; i < kShapes; ++i) {
      const Shape shape = odd_shape(rng, 3);
      const int axis = static_cast<int>(rng.below(shape.rank()));
      const Tensor x = random_tensor(shape, 900 + i, -5.0, 5.0), dy = random_tensor(shape, 1000 + i);
      const Tolerance tolerance = tol::f32_accumulated(shape[axis]);
      CAPTURE(shape.str());
      CAPTURE(axis);
      const Tensor y = kernels::softmax(x, axis), log_y = kernels::log_softmax(x, axis);
      CHECK_CLOSE(y, kernels::softmax(as_f64(x), axis), tolerance);
      // log_softmax is a difference of numbers of up to 10.
      CHECK_CLOSE(log_y, kernels::log_softmax(as_f64(x), axis),
                  Tolerance({16 * tol::kUlp32, 4 * tol::kUlp32}));
      CHECK_CLOSE(kernels::softmax_grad(y, dy, axis), kernels::softmax_grad(as_f64(y), as_f64(dy), axis),
                  tolerance);
      CHECK_CLOSE(kernels::log_softmax_grad(log_y, dy, axis),
                  kernels::log_softmax_grad(as_f64(log_y), as_f64(dy), axis),
                  tol::f32_accumulated(shape[axis] * shape[axis]));
    }
  });
}

TEST_CASE("softmax of f64 is what the definition says, written out") {
  const Tensor x = Tensor::from({{0.0, std::log(2.0), std::log(5.0)}, {1.0, 1.0, 1.0}}, f64);
  const Tensor y = Tensor::from({{1 / 8.0, 2 / 8.0, 5 / 8.0}, {1 / 3.0, 1 / 3.0, 1 / 3.0}}, f64);
  CHECK_CLOSE(kernels::softmax(x, 1), y, tol::f64);
  CHECK_CLOSE(kernels::log_softmax(x, 1), kernels::unary(Op::log, y), tol::f64);
  const Tensor columns = kernels::softmax(x, 0);
  CHECK_CLOSE(kernels::sum(columns, 0), Tensor::ones({3}, f64), tol::f64);
}

TEST_CASE("softmax rows sum to one, also for large inputs") {
  on_every_isa([] {
    for (double size : {1.0, 80.0, 1e4, 1e30}) {
      const Tensor y = kernels::softmax(random_tensor({31, 45}, 22, -size, size), 1);
      CHECK(kernels::all_finite(y));
      CHECK_CLOSE(kernels::sum(y, 1), Tensor::ones({31}), tol::f32_accumulated(45));
    }
  });
}

TEST_CASE("a row that holds NaN or infinity gives NaN, and minus infinity gives probability 0") {
  on_every_isa([] {
    const Tensor y = kernels::softmax(Tensor::from({{0, kNan, 1}, {kInf, 0, 1}, {0, -kInf, 0}}), 1);
    for (int i = 0; i < 3; ++i) CHECK(std::isnan(y.data<float>()[i]));
    CHECK(std::isnan(y.data<float>()[3]));
    CHECK_CLOSE(y.data<float>().subspan(6, 3), std::vector<float>({0.5f, 0.0f, 0.5f}), tol::exact);
  });
}

TEST_CASE("cross entropy and its gradient agree with f64 for every kind of target") {
  on_every_isa([] {
    Rng rng(23, 0);
    for (int i = 0; i < kShapes; ++i) {
      const Shape shape = matrix(rng);
      const Tensor z = random_tensor(shape, 1100 + i, -6.0, 6.0);
      const Tensor labels = random_labels({shape[0]}, 1200 + i, shape[1]);
      const Tensor soft = soft_labels(shape, 1300 + i);
      const Tolerance tolerance = tol::f32_accumulated(shape.size());
      CAPTURE(shape.str());
      for (const Tensor& target : {labels, labels.to(i32), labels.to(u8), soft}) {
        const Tensor target64 = is_float(target.dtype()) ? as_f64(target) : target;
        const auto [loss, p] = kernels::cross_entropy(z, target);
        const auto [loss64, p64] = kernels::cross_entropy(as_f64(z), target64);
        CHECK_CLOSE(loss, loss64, tolerance);
        CHECK_CLOSE(p, p64, tolerance);
        CHECK_CLOSE(kernels::cross_entropy_grad(p, target, scalar(0.7)),
                    kernels::cross_entropy_grad(as_f64(p), target64, scalar(0.7f, f64)), tolerance);
      }
    }
  });
}

TEST_CASE("cross entropy is the mean of -t log softmax(z), and its gradient (p - t) / R") {
  const Tensor z = random_tensor({5, 4}, 24, -3.0, 3.0, f64);
  const Tensor labels = Tensor::from(std::vector<std::int64_t>{0, 3, 1, 1, 2});
  Tensor one_hot = Tensor::zeros({5, 4}, f64);
  for (int i = 0; i < 5; ++i) one_hot.mutable_data<double>()[i * 4 + labels.data<std::int64_t>()[i]] = 1.0;
  const Tensor terms = kernels::binary(Op::mul, one_hot, kernels::log_softmax(z, 1));
  const Tensor expected = kernels::scale(kernels::sum(terms), -1.0 / 5);
  const Tensor p = kernels::softmax(z, 1);
  const Tensor gradient = kernels::scale(kernels::binary(Op::sub, p, one_hot), 2.0 / 5);
  for (const Tensor& target : {labels, one_hot}) {
    const auto [loss, probabilities] = kernels::cross_entropy(z, target);
    CHECK_CLOSE(loss, expected, tol::f64);
    CHECK(loss.rank() == 0);
    CHECK_CLOSE(probabilities, p, tol::f64);
    CHECK_CLOSE(kernels::cross_entropy_grad(probabilities, target, scalar(2.0, f64)), gradient, tol::f64);
  }
}

TEST_CASE("soft labels of zero count nothing, also where the logit is minus infinity") {
  on_every_isa([] {
    const auto [loss, p] =
        kernels::cross_entropy(Tensor::from({{0, -kInf, 0}}), Tensor::from({{0.5, 0.0, 0.5}}));
    CHECK_CLOSE(loss, std::log(2.0), tol::f32);
  });
}

TEST_CASE("cross entropy stays finite and exact for logits far apart") {
  on_every_isa([] {
    const Tensor z = Tensor::from({{1000, 0}, {-1000, 0}});
    const Tensor labels = Tensor::from(std::vector<std::int64_t>{1, 1});
    CHECK_CLOSE(kernels::cross_entropy(z, labels).loss, 500.0, tol::f32);
  });
}

TEST_CASE("a label outside its range is found, with its place") {
  CHECK(kernels::find_bad_label(Tensor::from({0, 2, 9}, i64), 10) == -1);
  CHECK(kernels::find_bad_label(Tensor::from({0, 10, 9}, i64), 10) == 1);
  CHECK(kernels::find_bad_label(Tensor::from({0, 2, -1}, i32), 10) == 2);
  CHECK(kernels::find_bad_label(Tensor::from({200}, u8), 10) == 0);
  CHECK(kernels::find_bad_label(Tensor::zeros({0}, i64), 10) == -1);
}

TEST_CASE("mse, mae and binary cross-entropy agree with f64 on every instruction set") {
  on_every_isa([] {
    Rng rng(25, 0);
    for (int i = 0; i < kShapes; ++i) {
      const Shape shape = odd_shape(rng, 3);
      const Tensor a = random_tensor(shape, 1400 + i, -3.0, 3.0),
                   b = random_tensor(shape, 1500 + i, 0.0, 1.0);
      const Tensor a64 = as_f64(a), b64 = as_f64(b);
      const Tolerance tolerance = tol::f32_accumulated(shape.size());
      CAPTURE(shape.str());
      CHECK_CLOSE(kernels::elementwise_loss(Loss::mse, a, b), kernels::elementwise_loss(Loss::mse, a64, b64),
                  tolerance);
      CHECK_CLOSE(kernels::elementwise_loss(Loss::mae, a, b), kernels::elementwise_loss(Loss::mae, a64, b64),
                  tolerance);
      CHECK_CLOSE(kernels::elementwise_loss(Loss::bce, a, b), kernels::elementwise_loss(Loss::bce, a64, b64),
                  tolerance);
      const Tensor dy = scalar(1.3), dy64 = scalar(1.3f, f64);
      for (int side : {0, 1}) {
        CHECK_CLOSE(kernels::elementwise_loss_grad(Loss::mse, side, a, b, {}, dy),
                    kernels::elementwise_loss_grad(Loss::mse, side, a64, b64, {}, dy64), tol::f32);
        CHECK_CLOSE(kernels::elementwise_loss_grad(Loss::mae, side, a, b, {}, dy),
                    kernels::elementwise_loss_grad(Loss::mae, side, a64, b64, {}, dy64), tol::f32);
        CHECK_CLOSE(kernels::elementwise_loss_grad(Loss::bce, side, a, b, {}, dy),
                    kernels::elementwise_loss_grad(Loss::bce, side, a64, b64, {}, dy64), tol::f32);
      }
    }
  });
}

TEST_CASE("the losses are the means that their names say") {
  const Tensor a = Tensor::from({1, -2, 0.5}, f64), b = Tensor::from({0, 1, 0.5}, f64);
  CHECK_CLOSE(kernels::elementwise_loss(Loss::mse, a, b), 10.0 / 3, tol::f64);
  CHECK_CLOSE(kernels::elementwise_loss(Loss::mae, a, b), 4.0 / 3, tol::f64);
  CHECK_CLOSE(kernels::elementwise_loss_grad(Loss::mse, 0, a, b, {}, scalar(3, f64)),
              Tensor::from({2, -6, 0}, f64), tol::f64);
  CHECK_CLOSE(kernels::elementwise_loss_grad(Loss::mse, 1, a, b, {}, scalar(3, f64)),
              Tensor::from({-2, 6, 0}, f64), tol::f64);
  CHECK_CLOSE(kernels::elementwise_loss_grad(Loss::mae, 0, a, b, {}, scalar(3, f64)),
              Tensor::from({1, -1, 0}, f64), tol::f64);
  CHECK_CLOSE(kernels::elementwise_loss_grad(Loss::mae, 1, a, b, {}, scalar(3, f64)),
              Tensor::from({-1, 1, 0}, f64), tol::f64);
  const auto s = [](double z) { return 1 / (1 + std::exp(-z)); };
  const double bce =
      -(std::log(1 - s(1)) + std::log(s(-2)) + 0.5 * std::log(s(0.5)) + 0.5 * std::log(1 - s(0.5))) / 3;
  CHECK_CLOSE(kernels::elementwise_loss(Loss::bce, a, b), bce, tol::f64);
  CHECK_CLOSE(kernels::elementwise_loss_grad(Loss::bce, 0, a, b, {}, scalar(3, f64)),
              Tensor::from({s(1), s(-2) - 1, s(0.5) - 0.5}, f64), tol::f64);
  CHECK_CLOSE(kernels::elementwise_loss_grad(Loss::bce, 1, a, b, {}, scalar(3, f64)),
              Tensor::from({-1, 2, -0.5}, f64), tol::f64);
}

TEST_CASE("binary cross-entropy keeps its relative accuracy for sure answers") {
  on_every_isa([] {
    for (double z : {20.0, 60.0, 80.0})
      CHECK_CLOSE(kernels::elementwise_loss(Loss::bce, Tensor::from({-z}), Tensor::from({0.0})), std::exp(-z),
                  Tolerance({0.0, 8 * tol::kUlp32}));
    CHECK_CLOSE(kernels::elementwise_loss(Loss::bce, Tensor::from({1000, -1000}), Tensor::from({0.0, 0.0})),
                500.0, tol::exact);
  });
}

TEST_CASE("softmax and losses have the same bits on every instruction set with FMA and number of threads") {
  const Tensor z = random_tensor({2001, 37}, 26, -4.0, 4.0), other = random_tensor({2001, 37}, 27, 0.0, 1.0);
  const Tensor labels = random_labels({2001}, 28, 37), soft = soft_labels({2001, 37}, 29);
  check_same_bits_everywhere([&] { return kernels::softmax(z, 1); });
  check_same_bits_everywhere([&] { return kernels::softmax(z, 0); });
  check_same_bits_everywhere([&] { return kernels::softmax_grad(soft, other, 1); });
  check_same_bits_everywhere([&] { return kernels::log_softmax(z, 1); });
  check_same_bits_everywhere([&] { return kernels::log_softmax_grad(z, other, 1); });
  for (const Tensor& target : {labels, soft}) {
    check_same_bits_everywhere([&] { return kernels::cross_entropy(z, target).loss; });
    check_same_bits_everywhere([&] { return kernels::cross_entropy(z, target).probabilities; });
    check_same_bits_everywhere([&] { return kernels::cross_entropy_grad(soft, target, scalar(1.0)); });
  }
  check_same_bits_everywhere([&] { return kernels::elementwise_loss(Loss::mse, z, other); });
  check_same_bits_everywhere([&] { return kernels::elementwise_loss(Loss::mae, z, other); });
  check_same_bits_everywhere([&] { return kernels::elementwise_loss(Loss::bce, z, other); });
  check_same_bits_everywhere(
      [&] { return kernels::elementwise_loss_grad(Loss::bce, 0, z, other, {}, scalar(1.0)); });
}

TEST_CASE("a row's softmax has the same bits alone and in any batch") {
  on_every_isa([] {
    const Tensor z = random_tensor({50, 13}, 30, -4.0, 4.0), all = kernels::softmax(z, 1);
    for (std::int64_t i = 0; i < 50; ++i)
      CHECK_SAME_BITS(kernels::softmax(Tensor::from(z.data<float>().subspan(i * 13, 13), {1, 13}), 1),
                      Tensor::from(all.data<float>().subspan(i * 13, 13), {1, 13}));
  });
}
