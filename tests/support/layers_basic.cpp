// SPDX-License-Identifier: Apache-2.0
// Dense, Conv2D, pooling, activations, dropout and what holds layers.
#include "support/layer_catalog.h"

namespace linnet::test {
namespace {

void add_dense(std::vector<LayerCase>& rows) {
  const auto add = [&](const char* describe, std::int64_t parameters, const Shape& sample, std::int64_t in,
                       std::int64_t out, const nn::DenseOptions& options = {}) {
    rows.push_back({.describe = describe, .parameters = parameters, .inputs = {{sample}}, .make = [=] {
                      return std::make_unique<nn::Dense>(in, out, options);
                    }});
  };
  add("Dense 19 -> 5", 100, {19}, 19, 5);
  add("Dense 3 -> 70, no bias", 210, {3}, 3, 70, {.bias = false});
  add("Dense 600 -> 1", 601, {600}, 600, 1);
  add("Dense 6 -> 4", 28, {5, 6}, 6, 4);
}

void add_conv2d(std::vector<LayerCase>& rows) {
  const auto add = [&](const char* describe, std::int64_t parameters, const Shape& sample, std::int64_t in,
                       std::int64_t out, const nn::Conv2DOptions& options) {
    rows.push_back({.describe = describe, .parameters = parameters, .inputs = {{sample}}, .make = [=] {
                      return std::make_unique<nn::Conv2D>(in, out, options);
                    }});
  };
  add("Conv2D 2 -> 3, kernel 3x3", 57, {5, 6, 2}, 2, 3, {});
  add("Conv2D 1 -> 4, kernel 5x5, no bias", 100, {7, 5, 1}, 1, 4, {.kernel = 5, .bias = false});
  add("Conv2D 3 -> 2, kernel 3x2, stride 2x1", 38, {6, 4, 3}, 3, 2, {.kernel = {3, 2}, .stride = {2, 1}});
  add("Conv2D 2 -> 2, kernel 3x3, dilation 2x2, padding same", 38, {5, 4, 2}, 2, 2,
      {.dilation = 2, .padding = nn::same});
  add("Conv2D 2 -> 3, kernel 3x3, stride 2x2, padding same", 57, {6, 5, 2}, 2, 3,
      {.stride = 2, .padding = nn::same});
  add("Conv2D 2 -> 2, kernel 3x3, padding 1", 38, {4, 4, 2}, 2, 2, {.padding = 1});
  add("Conv2D 2 -> 2, kernel 3x3, padding 1/2/0/1", 38, {4, 4, 2}, 2, 2, {.padding = {1, 2, 0, 1}});
  add("Conv2D 4 -> 6, kernel 3x3, 2 groups", 114, {4, 5, 4}, 4, 6, {.groups = 2});
  add("Conv2D 5 -> 5, kernel 3x3, padding same, 5 groups", 50, {4, 4, 5}, 5, 5,
      {.padding = nn::same, .groups = 5});
  add("Conv2D 7 -> 3, kernel 1x1", 24, {3, 4, 7}, 7, 3, {.kernel = 1});
}

template <class Pool>
void add_pools(std::vector<LayerCase>& rows, const std::string& name) {
  const auto add = [&](const char* options_text, const Shape& sample, const nn::Pool2DOptions& options) {
    rows.push_back({.describe = name + options_text, .inputs = {{sample}}, .make = [=] {
                      return std::make_unique<Pool>(options);
                    }});
  };
  add(" 2x2", {5, 6, 3}, {});
  add(" 3x3, stride 2x2", {7, 8, 2}, {.kernel = 3, .stride = 2});
  add(" 2x3, stride 1x1, padding same", {4, 5, 2}, {.kernel = {2, 3}, .stride = 1, .padding = nn::same});
  add(" 3x3, padding 1/0/2/1", {6, 7, 1}, {.kernel = 3, .stride = 3, .padding = {1, 0, 2, 1}});
}

void add_basic_activations(std::vector<LayerCase>& rows) {
  rows.insert(
      rows.end(),
      {{.describe = "ReLU", .inputs = {{{3, 7}}}, .make = [] { return std::make_unique<nn::ReLU>(); }},
       {.describe = "LeakyReLU 0.01",
        .inputs = {{{21}}},
        .make = [] { return std::make_unique<nn::LeakyReLU>(); }},
       {.describe = "LeakyReLU 0.3",
        .inputs = {{{21}}},
        .make = [] { return std::make_unique<nn::LeakyReLU>(0.3); }},
       {.describe = "Sigmoid",
        .inputs = {{{5, 2, 3}}},
        .make = [] { return std::make_unique<nn::Sigmoid>(); }},
       {.describe = "Tanh", .inputs = {{{19}}}, .make = [] { return std::make_unique<nn::Tanh>(); }},
       {.describe = "Softmax over axis -1",
        .inputs = {{{10}}},
        .make = [] { return std::make_unique<nn::Softmax>(); }},
       {.describe = "Softmax over axis 1",
        .inputs = {{{5, 3}}},
        .make = [] { return std::make_unique<nn::Softmax>(1); }},
       {.describe = "Softmax over axis 0",
        .inputs = {{{5}}},
        .make = [] { return std::make_unique<nn::Softmax>(0); },
        .whole_batch = true}});
}

}  // namespace

void add_basic_layers(std::vector<LayerCase>& rows) {
  add_dense(rows);
  add_conv2d(rows);
  add_pools<nn::MaxPool2D>(rows, "MaxPool2D");
  add_pools<nn::AvgPool2D>(rows, "AvgPool2D");
  add_basic_activations(rows);
  rows.insert(
      rows.end(),
      {{.describe = "Dropout 0.5",
        .inputs = {{{6, 5}}},
        .make = [] { return std::make_unique<nn::Dropout>(); }},
       {.describe = "Dropout 0.2",
        .inputs = {{{30}}},
        .make = [] { return std::make_unique<nn::Dropout>(0.2); }},
       {.describe = "Flatten",
        .inputs = {{{4, 3, 2}}},
        .make = [] { return std::make_unique<nn::Flatten>(); }},
       {.describe = "Flatten", .inputs = {{{5}}}, .make = [] { return std::make_unique<nn::Flatten>(); }},
       {.describe = "Sequential of 6", .parameters = 20 + 75, .inputs = {{{6, 7, 1}}}, .make = [] {
          // braces: the layers draw their weights in this order
          return std::unique_ptr<nn::Module>(
              new nn::Sequential{nn::Conv2D(1, 2), nn::Tanh(), nn::AvgPool2D({.stride = Pair(1)}),
                                 nn::Flatten(), nn::Dropout(0.25), nn::Dense(24, 3)});
        }}});
}

}  // namespace linnet::test
