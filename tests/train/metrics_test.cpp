// SPDX-License-Identifier: Apache-2.0
// Metrics against values computed by definition (tests/golden/metrics.json, made by scripts/golden/loss.py),
// in one batch and in uneven ones; and the Trainer with metrics and sample weights.
#include "linnet/train/metrics.h"

#include <cmath>
#include <csignal>
#include <functional>
#include <memory>
#include <sstream>

#include "golden/golden.h"
#include "linnet/core/error.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "linnet/train/trainer.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using nlohmann::json;
using test::golden_cases;
using test::golden_tensor;

namespace {

Tensor part(const Tensor& t, std::int64_t begin, std::int64_t end) {
  return is_float(t.dtype()) ? slice(t, 0, begin, end) : slice(t.to(f64), 0, begin, end).to(t.dtype());
}

/// The metric of all samples, given in batches of `batch` (the last one smaller).
template <class M>
M seen(M metric, const Tensor& prediction, const Tensor& target, std::int64_t batch) {
  for (std::int64_t begin = 0; begin < target.dim(0); begin += batch) {
    const std::int64_t end = std::min(begin + batch, target.dim(0));
    metric.update(part(prediction, begin, end), part(target, begin, end));
  }
  return metric;
}

/// Values of one kind of golden case, in whole and in parts, in f32 and f64.
void for_cases(const std::string& kind,
               const std::function<void(const json&, const Tensor&, const Tensor&, std::int64_t)>& check) {
  int found = 0;
  for (const json& golden : golden_cases("metrics.json")) {
    if (golden["kind"] != kind) continue;
    ++found;
    for (const DType dtype : {f64, f32})
      for (const std::int64_t batch : {1000, 1, 7, 16}) {
        CAPTURE(batch);
        check(golden, golden_tensor(golden["prediction"], dtype), golden_tensor(golden["target"], dtype),
              batch);
      }
  }
  CHECK(found >= 3);
}

void check_value(double actual, const json& expected) {
  CHECK_CLOSE(actual, expected.get<double>(), tol::f64);
}

}  // namespace

TEST_CASE("accuracy, top-k and the scores of classes are those of the definition, however batched") {
  for_cases("classes", [](const json& golden, const Tensor& z, const Tensor& y, std::int64_t batch) {
    const auto accuracy_seen = seen(train::Accuracy(), z, y, batch);
    check_value(accuracy_seen.value(), golden["accuracy"]);
    check_value(accuracy_seen.estimate().standard_error, golden["standard_error"]);
    CHECK(accuracy_seen.value() == accuracy(z, y));
    for (std::int64_t k : {1, 2, 3})
      check_value(seen(train::TopKAccuracy({.k = k}), z, y, batch).value(),
                  golden["top_k"][static_cast<std::size_t>(k - 1)]);
    const auto matrix = seen(train::ConfusionMatrix(), z, y, batch);
    CHECK_CLOSE(matrix.counts().reshape({-1}), golden["counts"].get<std::vector<std::int64_t>>(), tol::exact);
    CHECK_CLOSE(matrix.precision(), golden["precision"].get<std::vector<double>>(), tol::f64);
    CHECK_CLOSE(matrix.recall(), golden["recall"].get<std::vector<double>>(), tol::f64);
    CHECK_CLOSE(matrix.f1(), golden["f1"].get<std::vector<double>>(), tol::f64);
    check_value(matrix.value(), golden["micro"]);
    check_value(seen(train::Precision(), z, y, batch).value(), golden["macro"][0]);
    check_value(seen(train::Recall(), z, y, batch).value(), golden["macro"][1]);
    check_value(seen(train::F1(), z, y, batch).value(), golden["macro"][2]);
    check_value(seen(train::F1({.average = train::Average::micro}), z, y, batch).value(), golden["micro"]);
    check_value(seen(train::Recall({.of_class = 1}), z, y, batch).value(), golden["recall"][1]);
  });
}

TEST_CASE("AUROC counts pairs in the right order, equal scores half, however batched") {
  for_cases("auroc", [](const json& golden, const Tensor& scores, const Tensor& y, std::int64_t batch) {
    const double whole = seen(train::AUROC(), scores, y, y.dim(0)).value();
    check_value(whole, golden["auroc"]);
    CHECK(seen(train::AUROC(), scores, y, batch).value() == whole);
    const Tensor two = concat({scores * -1.0, scores}, 1);  // their difference is twice the score
    CHECK(seen(train::AUROC(), two, y, batch).value() == whole);
  });
}

TEST_CASE("MAE, RMSE and R2 are those of the definition, to the last bit however batched") {
  for_cases("regression", [](const json& golden, const Tensor& p, const Tensor& t, std::int64_t batch) {
    const std::int64_t all = t.dim(0);
    check_value(seen(train::MAE(), p, t, all).value(), golden["mae"]);
    check_value(seen(train::RMSE(), p, t, all).value(), golden["rmse"]);
    CHECK_CLOSE(seen(train::R2(), p, t, all).value(), golden["r2"].get<double>(),
                test::Tolerance({1e-12, 1e-12}));
    CHECK(seen(train::MAE(), p, t, batch).value() == seen(train::MAE(), p, t, all).value());
    CHECK(seen(train::RMSE(), p, t, batch).value() == seen(train::RMSE(), p, t, all).value());
    CHECK(seen(train::R2(), p, t, batch).value() == seen(train::R2(), p, t, all).value());
  });
}

TEST_CASE("metrics that are not defined are NaN, and reset() forgets") {
  const Tensor one = Tensor::ones({1, 1}), label = Tensor::from({1}, i64);
  train::AUROC auroc;
  auroc.update(one, label);
  CHECK(std::isnan(auroc.value()));
  train::R2 r2;
  r2.update(one, one);
  CHECK(std::isnan(r2.value()));
  train::Accuracy accuracy_metric;
  CHECK(std::isnan(accuracy_metric.value()));
  accuracy_metric.update(one, label);
  CHECK(accuracy_metric.value() == 1.0);
  accuracy_metric.reset();
  CHECK(std::isnan(accuracy_metric.value()));
  CHECK(std::isnan(train::ConfusionMatrix().value()));
  CHECK(std::isnan(train::F1().value()));
  CHECK(std::isnan(train::MAE().value()));
}

TEST_CASE("targets that are all equal have R2 1 when they are met, else 0") {
  const Tensor t = Tensor::full({4}, 2.5);
  CHECK(seen(train::R2(), t, t, 4).value() == 1.0);
  CHECK(seen(train::R2(), t + 1.0, t, 4).value() == 0.0);
}

TEST_CASE("one logit a row is a yes-or-no question") {
  const Tensor z = Tensor::from({-2, 0.5, 3, -1}, {4, 1}), y = Tensor::from({0, 1, 0, 0}, i64);
  CHECK(accuracy(z, y) == 0.75);
  CHECK(accuracy(z, y.view({4, 1})) == 0.75);
  CHECK(accuracy(z, y.to(f32).view({4, 1})) == 0.75);
  const auto matrix = seen(train::ConfusionMatrix(), z, y, 3);
  CHECK_CLOSE(matrix.counts(), Tensor::from({{2, 1}, {0, 1}}, i64), tol::exact);
  CHECK(seen(train::Precision({.of_class = 1}), z, y, 3).value() == 0.5);
}

TEST_CASE("of equal logits the first counts as larger") {
  const Tensor z = Tensor::from({1, 1, 1, 0}, {1, 4});
  CHECK(seen(train::TopKAccuracy({.k = 2}), z, Tensor::from({1}, i64), 1).value() == 1.0);
  CHECK(seen(train::TopKAccuracy({.k = 2}), z, Tensor::from({2}, i64), 1).value() == 0.0);
}

TEST_CASE("a share prints with its standard error") {
  std::ostringstream out;
  out << train::Estimate::of_share(0.9812, 10'000);
  CHECK(out.str() == "0.9812 +- 0.0014");
  CHECK(train::Estimate::of_share(1.0, 5).text() == "1.0000 +- 0.0000");
}

TEST_CASE("the state of a metric goes on where it was") {
  const Tensor z = test::random_tensor({20, 1}, 1), y = test::random_labels({20}, 2, 2);
  train::AUROC first, second;
  first.update(part(z, 0, 12), part(y, 0, 12));
  second.load(first.state());
  second.update(part(z, 12, 20), part(y, 12, 20));
  CHECK(second.value() == seen(train::AUROC(), z, y, 20).value());
  CHECK_THROWS_TEXT(train::MAE().load(first.state()), StateError,
                    "metric: expected the state of mae, got that of auroc.");
}

TEST_CASE("metrics explain what does not fit, and keep what they have") {
  const Tensor z = Tensor::ones({2, 3});
  train::ConfusionMatrix matrix;
  CHECK_THROWS_TEXT(matrix.update(z, Tensor::from({0, 3}, i64)), ValueError,
                    "confusion_matrix: label 3 at position 1 is outside 0..2.");
  CHECK(matrix.classes() == 0);
  matrix.update(z, Tensor::from({0, 2}, i64));
  CHECK_THROWS_TEXT(matrix.update(Tensor::ones({2, 4}), Tensor::from({0, 3}, i64)), ShapeError,
                    "confusion_matrix: 4 classes after batches of 3.");
  CHECK_THROWS_TEXT(matrix.update(z, Tensor::from({0}, i64)), ShapeError,
                    "confusion_matrix: prediction [2, 3] needs labels of shape [2], got [1].");
  CHECK_THROWS_TEXT(train::Accuracy().update(Tensor::ones({0, 3}), Tensor::zeros({0}, i64)), ShapeError,
                    "accuracy: no samples in a prediction of shape [0, 3].");
  CHECK_THROWS_TEXT(train::TopKAccuracy({.k = 0}), ValueError, "TopKAccuracy: k must be at least 1, got 0.");
  CHECK_THROWS_TEXT(train::TopKAccuracy().update(Tensor::ones({2, 1}), Tensor::from({0, 1}, i64)), ShapeError,
                    "top_k_accuracy: expected logits of several classes, got [2, 1].");
  CHECK_THROWS_TEXT(seen(train::F1({.of_class = 3}), z, Tensor::from({0, 2}, i64), 2), ValueError,
                    "f1: of_class is 3, there are 3 classes.");
  const Tensor flat = Tensor::from({0.5, -0.5, 1.0}), yes_no = Tensor::from({1.0, 0.0, 1.0});
  CHECK_THROWS_TEXT(
      accuracy(flat, yes_no), ShapeError,
      "accuracy: prediction [3] with a target of floats [3] may be one row of soft labels or many "
      "yes-or-no logits. Reshape both to [1, C] or [N, 1].");
  CHECK(accuracy(flat.view({3, 1}), yes_no.view({3, 1})) == 1.0);
  train::Accuracy fresh;
  CHECK_THROWS_TEXT(fresh.load(State{{"name", "accuracy"}, {"numbers", Tensor::from({1.0}, f64)}}),
                    StateError, "metric: 1 saved numbers are none of accuracy.");
  CHECK_THROWS_AS(fresh.load(train::ConfusionMatrix().state()), StateError);
  CHECK_THROWS_TEXT(
      train::AUROC().update(z, Tensor::from({0, 1}, i64)), ShapeError,
      "auroc: prediction [2, 3] does not fit target [2]. Give one score or two logits for every "
      "label of 0 or 1.");
  CHECK_THROWS_TEXT(train::AUROC().update(Tensor::ones({2}), Tensor::from({0, 2}, i64)), ValueError,
                    "auroc: label 2 at position 1 is neither 0 nor 1.");
  CHECK_THROWS_TEXT(train::AUROC().update(Tensor::from({1, NAN}), Tensor::from({0, 1}, i64)), ValueError,
                    "auroc: the score at position 1 is NaN.");
  CHECK_THROWS_TEXT(train::MAE().update(Tensor::ones({2}), Tensor::ones({2, 1})), ShapeError,
                    "mae: prediction [2] and target [2, 1] must have the same shape. Reshape one of them.");
  CHECK_THROWS_TEXT(train::RMSE().update(Tensor::ones({0}), Tensor::ones({0})), ShapeError,
                    "rmse: no elements in shape [0].");
  train::R2 r2;
  r2.update(Tensor::ones({2, 3}), Tensor::ones({2, 3}));
  CHECK_THROWS_TEXT(r2.update(Tensor::ones({2}), Tensor::ones({2})), ShapeError,
                    "r2: 1 outputs after batches of 3.");
}

// ---- in the Trainer ---------------------------------------------------------------------------------
namespace {

struct Net {
  nn::Sequential model;
  optim::SGD sgd;
  explicit Net(std::uint64_t seed, double lr = 0.1)
      : model{(manual_seed(seed), nn::Dense(4, 3))}, sgd(model.parameters(), {.lr = lr}) {}
  train::Trainer trainer(train::TrainerOptions options) {
    options.show = train::Show::nothing;
    if (!options.loss) options.loss = cross_entropy;
    return train::Trainer(model, sgd, std::move(options));
  }
};

data::TensorDataset some_data(const Tensor& weights = {}) {
  return data::TensorDataset(test::random_tensor({53, 4}, 1), test::random_labels({53}, 2, 3),
                             {.weights = weights});
}

}  // namespace

TEST_CASE("the Trainer takes functions and metric objects, and validates exactly at any batch") {
  Net net(1);
  const data::TensorDataset data = some_data();
  const auto share_of_first = [](const Tensor& prediction, const Tensor&) {
    return static_cast<double>(prediction.data<float>()[0] > 0);
  };
  train::Trainer trainer = net.trainer({.metrics = {accuracy,
                                                    train::F1(),
                                                    train::TopKAccuracy({.k = 2}),
                                                    {"macro_recall", train::Recall()},
                                                    {"first", share_of_first}}});
  const train::Figures whole = trainer.evaluate(data, 53), parts = trainer.evaluate(data, 7);
  const char* names[] = {"loss", "accuracy", "f1", "top2_accuracy", "macro_recall", "first"};
  REQUIRE(whole.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) CHECK(whole[i].first == names[i]);
  for (std::size_t i = 1; i < 5; ++i) CHECK(whole[i].second == parts[i].second);
  CHECK(whole[1].second == accuracy(net.model(data.x()), data.y()));
  CHECK(whole[3].second >= whole[1].second);
}

TEST_CASE("a run resumed in the middle of an epoch reports the metrics of one that was not") {
  test::TemporaryFolder folder;
  const data::TensorDataset data = some_data();
  const std::vector<train::Metric> metrics{accuracy, train::F1()};
  Net straight(2);
  const auto whole = straight.trainer({.metrics = metrics}).fit(data, {.epochs = 1, .batch = 8});
  int steps = 0;
  const auto interrupted = [&](const Tensor& prediction, const Tensor& target) {
    if (++steps == 3) std::raise(SIGTERM);
    return cross_entropy(prediction, target);
  };
  Net first(2);
  first.trainer({.loss = interrupted, .metrics = metrics, .checkpoint = folder / "a.ckpt"})
      .fit(data, {.epochs = 1, .batch = 8});
  Net second(9);
  const auto rest = second.trainer({.metrics = metrics, .checkpoint = folder / "a.ckpt", .resume = true})
                        .fit(data, {.epochs = 1, .batch = 8});
  REQUIRE(rest.epochs.size() == 1);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(rest.epochs[0].training[i].second == whole.epochs[0].training[i].second);
  Net other(3);
  CHECK_THROWS_TEXT(other.trainer({.checkpoint = folder / "a.ckpt", .resume = true}).fit(data, {.batch = 8}),
                    StateError,
                    "resume: " + (folder / "a.ckpt") +
                        " keeps other metrics than the 0 of this run. Use the same metrics.");
}

TEST_CASE("sample weights of a dataset reach the loss object: weight 0 is as if the sample were not there") {
  Tensor weights = Tensor::ones({53});
  for (int i = 40; i < 53; ++i) weights.mutable_data<float>()[i] = 0.0f;
  const data::TensorDataset weighted = some_data(weights), all = some_data();
  const data::Subset kept(all, 40);
  Net a(4), b(4);
  const train::FitOptions whole_batch{.epochs = 3, .batch = 53, .shuffle = false};
  const auto with_weights = a.trainer({.loss = nn::CrossEntropy()}).fit(weighted, whole_batch);
  const auto without = b.trainer({.loss = nn::CrossEntropy()}).fit(kept, whole_batch);
  CHECK_CLOSE(a.model.parameters()[0].second.detach(), b.model.parameters()[0].second.detach(),
              tol::f32_accumulated(53));
  CHECK_CLOSE(with_weights.epochs[2].training[0].second, without.epochs[2].training[0].second, tol::f32);
  const double one = a.trainer({.loss = nn::CrossEntropy()}).evaluate(weighted, 53)[0].second;
  const double many = a.trainer({.loss = nn::CrossEntropy()}).evaluate(weighted, 5)[0].second;
  CHECK_CLOSE(one, many, tol::f32);
}

TEST_CASE("a loss without weights refuses a dataset with them before anything changes") {
  Net net(5);
  const data::TensorDataset data = some_data(Tensor::ones({53}));
  const Tensor before = net.model.parameters()[0].second.clone();
  CHECK_THROWS_TEXT(
      net.trainer({.loss = cross_entropy}).fit(data, {.batch = 8}), ValueError,
      "train: the dataset has sample weights, the loss takes none. Use a loss object, for example "
      "nn::CrossEntropy() or nn::MSE().");
  CHECK_SAME_BITS(net.model.parameters()[0].second.detach(), before);
}

TEST_CASE("with learning rate 0 the training loss of unshuffled batches is the evaluation loss exactly") {
  Net net(6, 0.0);
  const data::TensorDataset data = some_data(test::random_tensor({53}, 7, 0.1, 2.0));
  train::Trainer trainer =
      net.trainer({.loss = nn::CrossEntropy({.label_smoothing = 0.1}), .metrics = {accuracy}});
  const auto fitted = trainer.fit(data, {.epochs = 1, .batch = 8, .shuffle = false});
  const train::Figures evaluated = trainer.evaluate(data, 8);
  for (std::size_t i = 0; i < 2; ++i) CHECK(fitted.epochs[0].training[i].second == evaluated[i].second);
}
