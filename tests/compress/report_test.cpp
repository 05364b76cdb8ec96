// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "linnet/compress/evaluate.h"
#include "linnet/linnet.h"
#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

/// Points of three classes by the largest of three numbers.
data::TensorDataset classes(std::int64_t count) {
  const Tensor x = random_tensor({count, 3}, 7);
  return data::TensorDataset(x, argmax(x));
}

/// Tells the classes apart by weights of our choice: right when they are those of the identity.
nn::Sequential model_of(std::initializer_list<std::initializer_list<double>> rows) {
  nn::Sequential model{nn::Dense(3, 3)};
  model.load({{"0.weight", Tensor::from(rows)}, {"0.bias", Tensor::zeros({3})}});
  return model;
}

nn::Sequential right() { return model_of({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}); }
nn::Sequential half_right() { return model_of({{1, 0, 0}, {0, 0, 0}, {0, 0.5, 1}}); }

TEST_CASE("a score is the accuracy or root mean squared error of train, with its standard error") {
  const data::TensorDataset points = classes(300);
  nn::Sequential model = half_right();
  graph::GraphModule traced(graph::trace(model, {1, 3}), model.state());
  const compress::Scores scores = compress::evaluate(traced, points);
  const double share = accuracy(model(points.x()), points.y());
  CHECK(share > 0.3);
  CHECK(share < 0.9);
  CHECK_CLOSE(scores.value().value, share, tol::f64);
  CHECK_CLOSE(scores.value().standard_error, std::sqrt(share * (1 - share) / 300), tol::f64);
  // From the exported file, by the runtime, the same samples are right.
  const deploy::Image image = deploy::build(traced.graph(), traced.state());
  CHECK(compress::evaluate(image, points).of_sample == scores.of_sample);

  const data::TensorDataset numbers(points.x(), random_tensor({300, 3}, 9));
  const compress::Scores errors = compress::evaluate(traced, numbers);
  train::RMSE rmse;
  rmse.update(model(numbers.x()), numbers.y());
  CHECK_CLOSE(errors.value().value, rmse.value(), (Tolerance{0, 1e-6}));
  CHECK(compress::evaluate(image, numbers).size() == 300);
}

TEST_CASE("a paired difference has the standard error of the mean of differences") {
  const compress::Scores a{false, {1, 0, 1, 1}}, b{false, {1, 1, 1, 0}};
  const train::Estimate d = compress::paired_difference(a, b);  // 0, -1, 0, 1: deviation sqrt(2 / 3)
  CHECK(d.value == 0.0);
  CHECK_CLOSE(d.standard_error, std::sqrt(2.0 / 3.0 / 4.0), tol::f64);
  CHECK(compress::paired_difference(a, a).standard_error == 0.0);

  // Roots: r_a = 2, r_b = 1; d = (a - 4) / 4 - (b - 1) / 2 = -1/2, 1/2.
  const compress::Scores e{true, {4, 4}}, f{true, {2, 0}};
  const train::Estimate roots = compress::paired_difference(e, f);
  CHECK_CLOSE(roots.value, 1.0, tol::f64);
  CHECK_CLOSE(roots.standard_error, 0.5, tol::f64);

  CHECK_THROWS_TEXT(
      compress::paired_difference(a, f), ValueError,
      "paired_difference: scores of 4 and 2 samples cannot be paired. Evaluate both on the same "
      "dataset.");
}

TEST_CASE("a report has a row for each variant: bytes, numbers that are not 0, accuracy and its change") {
  const data::TensorDataset points = classes(200);
  nn::Sequential first = right(), second = half_right();
  const graph::GraphModule traced(graph::trace(second, {1, 3}), second.state());
  const compress::Report report =
      compress::report({{"float", first}, {"half", traced}}, points, {.rounds = 0});
  REQUIRE(report.rows.size() == 2);
  CHECK(report.samples == 200);
  const compress::ReportRow &a = report.rows[0], &b = report.rows[1];
  CHECK(a.bytes == deploy::build(graph::trace(first, {1, 3}), first.state()).report.file_bytes);
  CHECK(a.parameters == 12);
  CHECK(a.nonzero == 3);
  CHECK(b.nonzero == 3);
  CHECK(a.macs == 9);
  CHECK(a.value.value == 1.0);
  CHECK(a.change.value == 0.0);
  CHECK_CLOSE(b.change.value, b.value.value - 1.0, tol::f64);
  CHECK(b.change.standard_error > 0.0);
  CHECK(std::isnan(a.latency_us));
  CHECK(a.worst_layer.empty());

  // Again the same, also in text, JSON and picture.
  const compress::Report again =
      compress::report({{"float", first}, {"half", traced}}, points, {.rounds = 0});
  CHECK(again.text() == report.text());
  CHECK(again.json() == report.json());
  CHECK(again.svg() == report.svg());
}

TEST_CASE("a report prints a table, JSON and a picture") {
  compress::Report report{.samples = 10'000,
                          .rows = {{.name = "float",
                                    .bytes = 412'345,
                                    .parameters = 101'770,
                                    .nonzero = 101'770,
                                    .macs = 101'632,
                                    .latency_us = 12.0,
                                    .speedup = 1.0,
                                    .value = {0.9785, 0.0014},
                                    .change = {0.0, 0.0}},
                                   {.name = "a<b",
                                    .bytes = 100'000,
                                    .parameters = 101'770,
                                    .nonzero = 20'000,
                                    .macs = 101'632,
                                    .latency_us = 24.0,
                                    .speedup = 0.5,
                                    .value = {0.9765, 0.0015},
                                    .change = {-0.002, 0.0004},
                                    .worst_layer = "4",
                                    .worst_sqnr = 31.25,
                                    .note = "a<b is not faster."}}};
  CHECK(report.text() ==
        // clang-format off
        "model    bytes  smaller  parameters    not 0     MACs  latency us  faster     accuracy %  change, points  worst layer, dB\n"
        "float  412,345    1.00x     101,770  101,770  101,632        12.0   1.00x  97.85 +- 0.14               -                -\n"
        "a<b    100,000    4.12x     101,770   20,000  101,632        24.0   0.50x  97.65 +- 0.15   -0.20 +- 0.04           4 31.2\n"
        // clang-format on
        "10,000 test samples; changes are against float, paired by sample, with their standard errors.\n"
        "a<b is not faster.\n");
  const auto json = nlohmann::json::parse(report.json());
  CHECK(json["task"] == "classification");
  CHECK(json["samples"] == 10'000);
  CHECK(json["variants"][1]["bytes"] == 100'000);
  CHECK(json["variants"][1]["change"] == -0.002);
  CHECK(json["variants"][1]["worst_layer"] == "4");
  CHECK(json["variants"][1]["note"] == "a<b is not faster.");
  CHECK_FALSE(json["variants"][0].contains("worst_layer"));
  const std::string svg = report.svg();
  CHECK(svg.starts_with("<svg xmlns="));
  CHECK(svg.find(">a&lt;b</text>") != std::string::npos);
  CHECK(svg.find(">200 kB</text>") != std::string::npos);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find(R"(\n)") == std::string::npos);

  const TemporaryFolder folder;
  for (const std::string name : {"r.json", "r.svg", "r.txt"}) report.write(folder / name);
  CHECK(text_of(folder / "r.json") == report.json() + "\n");
  CHECK(text_of(folder / "r.svg") == svg);
  CHECK(text_of(folder / "r.txt") == report.text());
}

TEST_CASE("the same model is not called faster than itself, and the report says what would be") {
  const data::TensorDataset points = classes(20);
  nn::Sequential model{nn::Dense(3, 64), nn::ReLU(), nn::Dense(64, 3)};
  const compress::Report report = compress::report({{"one", model}, {"two", model}}, points, {.rounds = 9});
  CHECK(report.rows[0].latency_us > 0.0);
  CHECK(report.rows[0].speedup == 1.0);
  CHECK(report.rows[0].note.empty());
  if (report.rows[1].speedup < 1.05)  // but for a disturbed machine
    CHECK(report.rows[1].note ==
          "two is not faster than one: sparse, clustered and packed weights are decoded when the model is "
          "bound: "
          "smaller on disk, not faster. Remove whole channels (--structured) for speed.");
}

TEST_CASE("a report of regression has root mean squared errors, one point makes a picture, too") {
  const Tensor x = random_tensor({50, 3}, 1);
  const data::TensorDataset numbers(x, random_tensor({50, 3}, 2));
  nn::Sequential model = right();
  const compress::Report report = compress::report({{"float", model}}, numbers, {.rounds = 0});
  CHECK(report.regression);
  CHECK(nlohmann::json::parse(report.json())["variants"][0].contains("rmse"));
  CHECK(report.text().find("RMSE") != std::string::npos);
  CHECK(report.svg().find("test RMSE") != std::string::npos);
  CHECK(report.svg().find("nan") == std::string::npos);
}

TEST_CASE("a report that cannot be made says why") {
  const data::TensorDataset points = classes(20);
  nn::Sequential model = right();
  CHECK_THROWS_TEXT(compress::report({}, points), ValueError,
                    "report: no variants. Give at least one {name, model}.");
  CHECK_THROWS_TEXT(compress::report({{"a", model}, {"a", model}}, points), ValueError,
                    "report: two variants are called a. Give each its own name.");
  CHECK_THROWS_TEXT(compress::report({{"a", model}}, points, {.rounds = -1}), ValueError,
                    "report: 20 samples and -1 rounds; at least 1 and 0 are needed.");
  const data::TensorDataset bare(points.x(), Tensor());
  CHECK_THROWS_TEXT(compress::report({{"a", model}}, bare), ValueError,
                    "evaluate: the dataset has no labels.");
}

}  // namespace
}  // namespace linnet::test
