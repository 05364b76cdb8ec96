// SPDX-License-Identifier: Apache-2.0
// The fused ops of fused.h against the two ops they stand for, and gradients computed in place.
#include <functional>
#include <span>
#include <vector>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/fused.h"
#include "linnet/core/storage.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet {
namespace {

using Forward = std::function<Tensor(std::span<Tensor>)>;

/// The result of `forward` on fresh copies of the leaves, and then their gradients under a random dy.
std::vector<Tensor> value_and_gradients(const std::vector<Tensor>& leaves, const Forward& forward) {
  std::vector<Tensor> own;
  for (const Tensor& leaf : leaves) own.push_back(leaf.clone().set_requires_grad(true));
  const Tensor y = forward(own);
  backward(y, {.gradient = test::random_tensor(y.shape(), 99, -1.0, 1.0, y.dtype())});
  std::vector<Tensor> results{y.detach()};
  for (const Tensor& leaf : own) results.push_back(leaf.grad());
  return results;
}

void check_equal(const std::vector<Tensor>& leaves, const Forward& fused, const Forward& composed) {
  const auto actual = value_and_gradients(leaves, fused), expected = value_and_gradients(leaves, composed);
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    CAPTURE(i);
    CHECK_SAME_BITS(actual[i], expected[i]);
  }
}

TEST_CASE("dense_relu has the bits of relu(dense) in value and gradients, for few rows and many") {
  for (const DType type : {f32, f64})
    for (const std::int64_t rows : {1, 3, 7, 65})
      for (const std::int64_t in : {5, 600}) {
        CAPTURE(rows);
        CAPTURE(in);
        const Tensor x = test::random_tensor({rows, in}, 1, -1.0, 1.0, type),
                     weight = test::random_tensor({11, in}, 2, -1.0, 1.0, type),
                     bias = test::random_tensor({11}, 3, -1.0, 1.0, type);
        check_equal(
            {x, weight, bias}, [](std::span<Tensor> t) { return dense_relu(t[0], t[1], t[2]); },
            [](std::span<Tensor> t) { return relu(dense(t[0], t[1], t[2])); });
        check_equal(
            {x, weight}, [](std::span<Tensor> t) { return dense_relu(t[0], t[1]); },
            [](std::span<Tensor> t) { return relu(dense(t[0], t[1])); });
      }
}

TEST_CASE("conv2d_relu has the bits of relu(conv2d) in value and gradients: direct, 1x1, depthwise, groups") {
  struct Example {
    Shape x, weight;
    Conv2DParams params;
  };
  const Example examples[] = {{{2, 9, 7, 3}, {5, 3, 3, 3}, {.padding = Padding::same_size()}},
                              {{1, 6, 6, 40}, {9, 5, 5, 40}, {.padding = 2}},
                              {{3, 5, 4, 8}, {16, 1, 1, 8}, {}},
                              {{2, 8, 9, 10}, {10, 3, 3, 1}, {.stride = 2, .padding = 1, .groups = 10}},
                              {{2, 7, 7, 6}, {4, 2, 3, 3}, {.dilation = 2, .groups = 2}}};
  for (const DType type : {f32, f64})
    for (const Example& e : examples) {
      CAPTURE(e.x);
      CAPTURE(e.weight);
      const Tensor x = test::random_tensor(e.x, 1, -1.0, 1.0, type),
                   weight = test::random_tensor(e.weight, 2, -1.0, 1.0, type),
                   bias = test::random_tensor({e.weight[0]}, 3, -1.0, 1.0, type);
      check_equal(
          {x, weight, bias}, [&](std::span<Tensor> t) { return conv2d_relu(t[0], t[1], t[2], e.params); },
          [&](std::span<Tensor> t) { return relu(conv2d(t[0], t[1], t[2], e.params)); });
    }
}

TEST_CASE("batch_norm_relu has the bits of relu(batch_norm) in value, gradients and statistics") {
  for (const bool frozen : {false, true})
    for (const Shape& shape : {Shape{6, 5, 3, 8}, Shape{300, 19}, Shape{4, 1}}) {
      CAPTURE(shape);
      CAPTURE(frozen);
      const Tensor x = test::random_tensor(shape, 1, -3.0, 2.0),
                   weight = test::random_tensor({shape[shape.rank() - 1]}, 2, -1.0, 1.0),
                   bias = test::random_tensor({shape[shape.rank() - 1]}, 3, -1.0, 1.0);
      std::vector<Tensor> means, variances;
      const auto with = [&](auto op) {
        return [&, op](std::span<Tensor> t) {
          means.push_back(Tensor::zeros(weight.shape()));
          variances.push_back(Tensor::ones(weight.shape()));
          const bool affine = t.size() > 1;
          return op(t[0], means.back(), variances.back(), affine ? t[1] : Tensor(), affine ? t[2] : Tensor(),
                    BatchNormParams{.frozen = frozen});
        };
      };
      const auto fused = with([](auto&&... a) { return batch_norm_relu(a..., true); });
      const auto composed = with([](auto&&... a) { return relu(batch_norm(a..., true)); });
      check_equal({x, weight, bias}, fused, composed);
      check_equal({x}, fused, composed);
      for (std::size_t i = 0; i < means.size(); i += 2) {
        CHECK_SAME_BITS(means[i], means[i + 1]);
        CHECK_SAME_BITS(variances[i], variances[i + 1]);
      }
    }
}

TEST_CASE("batch_norm_relu_conv2d has the bits of the three ops, by images and whole, trained and frozen") {
  struct Example {
    Shape x, weight;
    Conv2DParams params;
  };
  // By images: 1x1, depthwise, dense, groups, with few places an image. Whole: few values, few images.
  const Example examples[] = {
      {{5, 48, 48, 16}, {8, 1, 1, 16}, {}},
      {{9, 24, 23, 24}, {24, 3, 3, 1}, {.stride = 2, .padding = Padding::same_size(), .groups = 24}},
      {{6, 40, 31, 17}, {5, 3, 3, 17}, {.padding = 1}},
      {{70, 8, 8, 32}, {8, 3, 2, 8}, {.stride = 3, .groups = 4}},
      {{2, 30, 30, 64}, {8, 1, 1, 64}, {}},
      {{4, 5, 4, 3}, {3, 3, 3, 1}, {.padding = 1, .groups = 3}}};
  struct Setting {
    DType type;
    Isa isa;
    int threads;
  };
  std::vector<Setting> settings{{f64, active_isa(), 2}};
  for (const Isa isa : available_isas())
    for (const int threads : {1, 4}) settings.push_back({f32, isa, threads});
  for (const Setting& setting : settings)
    for (const Example& e : examples)
      for (const bool frozen : {false, true}) {
        const DType type = setting.type;
        const Isa isa = setting.isa;
        const int threads = setting.threads;
        const test::IsaScope isa_scope(isa);
        const test::ThreadScope thread_scope(threads);
        INFO(name(isa), ", ", threads, " threads, frozen ", frozen, ", x ", e.x);
        const std::int64_t channels = e.x[3];
        const Tensor x = test::random_tensor(e.x, 1, -3.0, 2.0, type),
                     weight = test::random_tensor(e.weight, 2, -1.0, 1.0, type),
                     bias = test::random_tensor({e.weight[0]}, 3, -1.0, 1.0, type),
                     scale = test::random_tensor({channels}, 4, -1.0, 1.0, type),
                     offset = test::random_tensor({channels}, 5, -1.0, 1.0, type);
        std::vector<Tensor> means, variances;
        const auto with = [&](bool fused) {
          return [&, fused](std::span<Tensor> t) {
            Tensor& mean = means.emplace_back(Tensor::zeros({channels}, type));
            Tensor& variance = variances.emplace_back(Tensor::ones({channels}, type));
            const bool affine = t.size() > 3;
            const Tensor w = affine ? t[3] : Tensor(), b = affine ? t[4] : Tensor();
            const Tensor conv_bias = t.size() > 2 ? t[2] : Tensor();
            const BatchNormParams norm{.frozen = frozen};
            if (fused)
              return batch_norm_relu_conv2d(t[0], {mean, variance, w, b, norm, true}, t[1], conv_bias,
                                            e.params);
            return conv2d(relu(batch_norm(t[0], mean, variance, w, b, norm, true)), t[1], conv_bias,
                          e.params);
          };
        };
        check_equal({x, weight, bias, scale, offset}, with(true), with(false));
        check_equal({x, weight}, with(true), with(false));
        for (std::size_t i = 0; i < means.size(); i += 2) {
          CHECK_SAME_BITS(means[i], means[i + 1]);
          CHECK_SAME_BITS(variances[i], variances[i + 1]);
        }
      }
}

TEST_CASE("batch_norm_relu_conv2d gives each gradient alone as it gives all of them") {
  const Tensor leaves[] = {test::random_tensor({8, 32, 32, 16}, 1), test::random_tensor({8, 1, 1, 16}, 2),
                           test::random_tensor({16}, 3), test::random_tensor({16}, 4)};
  const auto gradients = [&](unsigned wanted) {
    Tensor t[4];
    for (unsigned i = 0; i < 4; ++i) t[i] = leaves[i].clone().set_requires_grad((wanted >> i & 1u) != 0);
    Tensor mean = Tensor::zeros({16}), variance = Tensor::ones({16});
    const Tensor y = batch_norm_relu_conv2d(t[0], {mean, variance, t[2], t[3], {}, true}, t[1]);
    backward(y, {.gradient = test::random_tensor(y.shape(), 99)});
    std::vector<Tensor> found;
    for (const Tensor& leaf : t) found.push_back(leaf.grad());
    return found;
  };
  const std::vector<Tensor> all = gradients(15);
  for (unsigned wanted = 1; wanted < 15; ++wanted) {
    const std::vector<Tensor> some = gradients(wanted);
    for (unsigned i = 0; i < 4; ++i) {
      CAPTURE(wanted);
      CAPTURE(i);
      REQUIRE(some[i].defined() == ((wanted >> i & 1u) != 0));
      if (some[i].defined()) CHECK_SAME_BITS(some[i], all[i]);
    }
  }
}

TEST_CASE("a failed batch_norm_relu_conv2d leaves the running statistics as they were") {
  Tensor mean = Tensor::zeros({4}), variance = Tensor::ones({4});
  const Tensor none;
  CHECK_THROWS_AS(batch_norm_relu_conv2d(test::random_tensor({2, 5, 5, 4}, 1),
                                         {mean, variance, none, none, {}, true}, Tensor::ones({3, 1, 1, 5})),
                  ShapeError);
  CHECK_SAME_BITS(mean, Tensor::zeros({4}));
  CHECK_SAME_BITS(variance, Tensor::ones({4}));
}

TEST_CASE("a gradient that two ops are given is overwritten by neither") {
  const Tensor start = test::random_tensor({4, 6}, 1);
  Tensor x = start.clone().set_requires_grad(true);
  const Tensor shared = mul(x, Tensor::full({}, 2.0));
  // add hands the same dy to both sides; relu and tanh would like to write into it.
  backward(sum(square(add(relu(shared), tanh(shared)))));

  Tensor left = start.clone().set_requires_grad(true), right = start.clone().set_requires_grad(true);
  const Tensor a = relu(mul(left, Tensor::full({}, 2.0))), b = tanh(mul(right, Tensor::full({}, 2.0)));
  backward(sum(square(add(a, b.detach()))));
  backward(sum(square(add(a.detach(), b))));
  CHECK_CLOSE(x.grad(), add(left.grad(), right.grad()), tol::f32);
}

TEST_CASE("with keep_tape a second backward adds what the first one found") {
  Tensor x = test::random_tensor({5, 4}, 1).set_requires_grad(true);
  const Tensor weight = test::random_tensor({3, 4}, 2);
  const Tensor loss = sum(tanh(dense_relu(x, weight)));
  backward(loss, {.keep_tape = true});
  const Tensor once = x.grad().clone();
  backward(loss);
  CHECK_SAME_BITS(x.grad(), mul(once, Tensor::full({}, 2.0)));
}

TEST_CASE("what batch-norm made is computed again for the convolution behind it, and not kept") {
  Tensor mean = Tensor::zeros({8}), variance = Tensor::ones({8});
  Tensor weight = test::random_tensor({8}, 1).set_requires_grad(true),
         bias = test::random_tensor({8}, 2).set_requires_grad(true),
         kernel = test::random_tensor({4, 3, 3, 8}, 3).set_requires_grad(true);
  const Tensor x = test::random_tensor({2, 16, 16, 8}, 4);
  Tensor hidden = batch_norm_relu(x, mean, variance, weight, bias, {}, true);
  const Tensor y = conv2d(hidden, kernel, {}, {.padding = 1});
  const Tensor same = hidden.detach().clone();
  const std::int64_t with_hidden = memory_stats().live_bytes;
  hidden = Tensor();
  CHECK(with_hidden - memory_stats().live_bytes == 2 * 16 * 16 * 8 * 4);
  backward(sum(y));

  Tensor leaf = same.clone().set_requires_grad(true), again = kernel.detach().clone().set_requires_grad(true);
  backward(sum(conv2d(leaf, again, {}, {.padding = 1})));
  CHECK_SAME_BITS(kernel.grad(), again.grad());
}

TEST_CASE("a weight of batch-norm changed between forward and backward is noticed behind a convolution too") {
  Tensor mean = Tensor::zeros({2}), variance = Tensor::ones({2});
  Tensor weight = Tensor::ones({2}).set_requires_grad(true),
         bias = Tensor::zeros({2}).set_requires_grad(true),
         kernel = test::random_tensor({3, 1, 1, 2}, 3).set_requires_grad(true);
  const Tensor y = conv2d(
      batch_norm(test::random_tensor({2, 2, 2, 2}, 4), mean, variance, weight, bias, {}, true), kernel);
  weight.mutable_data<float>()[0] = 2.0f;
  CHECK_THROWS_AS(backward(sum(y)), AutogradError);
}

TEST_CASE("a batch-norm that another backward has freed is not computed again") {
  Tensor mean = Tensor::zeros({2}), variance = Tensor::ones({2});
  Tensor weight = Tensor::ones({2}).set_requires_grad(true),
         bias = Tensor::zeros({2}).set_requires_grad(true),
         first = test::random_tensor({3, 1, 1, 2}, 1).set_requires_grad(true),
         second = test::random_tensor({3, 1, 1, 2}, 2).set_requires_grad(true);
  const Tensor hidden =
      batch_norm(test::random_tensor({2, 2, 2, 2}, 4), mean, variance, weight, bias, {}, true);
  const Tensor one = sum(conv2d(hidden, first)), two = sum(conv2d(hidden, second));
  backward(one);
  CHECK_THROWS_TEXT(
      backward(two), AutogradError,
      "conv2d: the tape of batch_norm was already used and freed. Run the forward pass again, or "
      "pass {.keep_tape = true}.");
}

TEST_CASE("what was changed through a view of a batch-norm's result is kept as it is") {
  Tensor mean = Tensor::zeros({2}), variance = Tensor::ones({2});
  Tensor weight = Tensor::ones({2}).set_requires_grad(true),
         bias = Tensor::zeros({2}).set_requires_grad(true),
         kernel = test::random_tensor({3, 1, 1, 2}, 1).set_requires_grad(true);
  Tensor hidden = batch_norm(test::random_tensor({2, 2, 2, 2}, 4), mean, variance, weight, bias, {}, true);
  Tensor view = hidden.detach();
  view.mul_(2.0);
  backward(sum(conv2d(hidden, kernel)));
  Tensor again = kernel.detach().clone().set_requires_grad(true);
  backward(sum(conv2d(view, again)));
  CHECK_SAME_BITS(kernel.grad(), again.grad());
}

TEST_CASE("a bias changed after the forward pass does not matter to batch-norm without relu") {
  Tensor mean = Tensor::zeros({2}), variance = Tensor::ones({2});
  Tensor weight = Tensor::ones({2}).set_requires_grad(true),
         bias = Tensor::zeros({2}).set_requires_grad(true);
  const Tensor y = batch_norm(test::random_tensor({4, 2}, 4), mean, variance, weight, bias, {}, true);
  bias.fill_(1.0);
  backward(sum(y));
  CHECK_SAME_BITS(bias.grad(), Tensor::full({2}, 4.0));
}

}  // namespace
}  // namespace linnet
