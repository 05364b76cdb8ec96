// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/kernels/loss.h"

#include "kernel_cases.h"
#include "linnet/core/kernels/elementwise.h"
#include "linnet/core/kernels/softmax.h"

using namespace linnet;
using namespace linnet::test;
using kernels::Loss;

namespace {

constexpr Loss kAllLosses[] = {Loss::mse,   Loss::mae,   Loss::bce, Loss::huber,
                               Loss::hinge, Loss::focal, Loss::kl};

Tensor one() { return Tensor::full({}, 1.0); }

}  // namespace

TEST_CASE(
    "losses have the same bits on every instruction set with FMA and number of threads, weighted or not") {
  const Tensor a = random_tensor({2001, 37}, 1, -4.0, 4.0), b = random_tensor({2001, 37}, 2, 0.0, 1.0),
               w = random_tensor({2001, 37}, 3, 0.0, 2.0);
  for (const Loss loss : kAllLosses)
    for (const Tensor& weights : {Tensor(), w}) {
      CAPTURE(static_cast<int>(loss));
      const kernels::LossTerms terms{.weights = weights, .parameter = 1.5};
      check_same_bits_everywhere([&] { return kernels::elementwise_loss(loss, a, b, terms); });
      for (const int side : {0, 1})
        check_same_bits_everywhere(
            [&] { return kernels::elementwise_loss_grad(loss, side, a, b, terms, one()); });
    }
  const Tensor labels = random_labels({2001}, 4, 37), row_weights = random_tensor({2001}, 5, 0.0, 2.0);
  for (const Tensor& weights : {Tensor(), row_weights}) {
    check_same_bits_everywhere([&] { return kernels::cosine_loss(a, b, weights); });
    check_same_bits_everywhere([&] { return kernels::cosine_loss_grad(a, b, weights, one()); });
  }
  check_same_bits_everywhere([&] { return kernels::focal_of_labels(a, labels, row_weights, 1.5).loss; });
  check_same_bits_everywhere([&] {
    return kernels::focal_of_labels_grad(kernels::focal_of_labels(a, labels, row_weights, 1.5), labels,
                                         one());
  });
}

TEST_CASE("a weight of 0 takes a term out, also one that is not finite") {
  on_every_isa([] {
    const Tensor a = Tensor::from({1, INFINITY, 3}), b = Tensor::from({0, 1, 1}), w = Tensor::from({1, 0, 1});
    CHECK_CLOSE(kernels::elementwise_loss(Loss::mse, a, b, {.weights = w}), 5.0 / 3, tol::f32);
    CHECK_CLOSE(kernels::elementwise_loss_grad(Loss::mse, 0, a, b, {.weights = w}, one()),
                Tensor::from({2.0 / 3, 0, 4.0 / 3}), tol::f32);
  });
  const Tensor a = Tensor::from({{INFINITY, 1}, {1, 0}}), b = Tensor::from({{1, 1}, {0, 2}}),
               w = Tensor::from({0, 1});
  CHECK_CLOSE(kernels::cosine_loss(a, b, w), 0.5, tol::exact);
  CHECK_CLOSE(kernels::cosine_loss_grad(a, b, w, one()), Tensor::from({{0, 0}, {0, -0.5}}), tol::exact);
}

TEST_CASE("equal weights give the bits of none") {
  const Tensor a = random_tensor({77}, 6, -4.0, 4.0), b = random_tensor({77}, 7, 0.0, 1.0);
  for (const Loss loss : kAllLosses) {
    const kernels::LossTerms plain{.parameter = 2.0}, ones{.weights = Tensor::ones({77}), .parameter = 2.0};
    CHECK_SAME_BITS(kernels::elementwise_loss(loss, a, b, ones),
                    kernels::elementwise_loss(loss, a, b, plain));
  }
  const Tensor x = a.view({7, 11}), y = b.view({7, 11}), ones = Tensor::ones({7});
  CHECK_SAME_BITS(kernels::cosine_loss(x, y, ones), kernels::cosine_loss(x, y));
  CHECK_SAME_BITS(kernels::cosine_loss_grad(x, y, ones, one()), kernels::cosine_loss_grad(x, y, {}, one()));
}

TEST_CASE("a row too short to have a direction has cosine 0 and no gradient") {
  const Tensor a = Tensor::from({{0, 0}, {1, 0}}, f64), b = Tensor::from({{1, 2}, {0, 3}}, f64);
  CHECK_CLOSE(kernels::cosine_loss(a, b), 1.0, tol::exact);
  CHECK_CLOSE(kernels::cosine_loss_grad(a, b, {}, Tensor::full({}, 1.0, f64)),
              Tensor::from({{0, 0}, {0, -0.5}}, f64), tol::exact);
}

TEST_CASE("focal loss of labels keeps its relative accuracy for sure answers") {
  // u = e^-9 / (1 + e^-9): 1 - p would have lost most of its digits in f32
  const double u = std::exp(-9.0) / (1 + std::exp(-9.0));
  const Tensor z = Tensor::from({{9, 0}});
  const auto result = kernels::focal_of_labels(z, Tensor::from({0}, i64), {}, 1.0);
  CHECK_CLOSE(result.loss, u * -std::log1p(-u), Tolerance({0.0, 1e-3}));  // -log p itself is from 1 + u
  CHECK_CLOSE(result.factors.data<float>()[0], u + -std::log1p(-u), Tolerance({0.0, 1e-3}));
}
