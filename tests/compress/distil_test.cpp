// SPDX-License-Identifier: Apache-2.0
// Distillation: the loss against scripts/golden/compress.py, batches that bring a teacher's outputs along,
// and that a run with a teacher keeps what a run without one promises.
#include "linnet/compress/distil.h"

#include <csignal>

#include "golden/golden.h"
#include "linnet/core/error.h"
#include "linnet/data/transform.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/trace.h"
#include "linnet/io/checkpoint.h"
#include "linnet/nn/nn.h"
#include "linnet/optim/optim.h"
#include "linnet/train/trainer.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;

namespace {

/// Points in a square; the class is the ring around the middle that they lie in. A share of the labels is
/// drawn without looking.
data::TensorDataset rings(std::int64_t count, std::uint64_t seed, double careless = 0.0) {
  const Tensor x = test::random_tensor({count, 2}, seed),
               mood = test::random_tensor({count}, seed + 100, 0.0);
  const Tensor drawn = test::random_labels({count}, seed + 200, 3);
  Tensor y = Tensor::empty({count}, i64);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::span<const float> row = x.data<float>().subspan(2 * i, 2);
    const float square = row[0] * row[0] + row[1] * row[1];
    const bool looked = mood.data<float>()[i] >= careless;
    y.mutable_data<std::int64_t>()[i] = !looked          ? drawn.data<std::int64_t>()[i]
                                        : square < 0.25f ? 0
                                        : square < 0.7f  ? 1
                                                         : 2;
  }
  return data::TensorDataset(x, y);
}

/// With dropout the teacher's mode and the student's generator matter.
nn::Sequential ring_net(std::uint64_t seed, std::int64_t units = 12, double dropout = 0.1) {
  manual_seed(seed);
  return nn::Sequential{nn::Dense(2, units), nn::Tanh(), nn::Dropout(dropout), nn::Dense(units, 3)};
}

train::TrainerOptions quiet(train::Loss loss, std::string checkpoint = "", bool resume = false) {
  return {.loss = std::move(loss),
          .metrics = {accuracy},
          .checkpoint = std::move(checkpoint),
          .resume = resume,
          .show = train::Show::nothing};
}

const train::Loss kDistil = compress::distil({.temperature = 3.0, .alpha = 0.75});

data::Batch batch_of(const nlohmann::json& golden, const char* target, DType dtype) {
  data::Batch batch;
  batch.y = test::golden_tensor(golden.at(target), dtype);
  batch.teacher = test::golden_tensor(golden.at("teacher"), dtype);
  if (golden.contains("weights")) batch.weights = test::golden_tensor(golden.at("weights"), dtype);
  return batch;
}

void check_loss(const nlohmann::json& golden, const train::Loss& loss, const char* target) {
  for (const DType dtype : {f64, f32}) {
    const auto name = golden["name"].get<std::string>() + (dtype == f64 ? " in f64" : " in f32");
    CAPTURE(name);
    const test::Tolerance tolerance = dtype == f64 ? tol::trajectory64 : tol::f32_accumulated(256);
    Tensor z = test::golden_tensor(golden.at("student"), dtype);
    z.set_requires_grad(true);
    const Tensor value = loss(z, batch_of(golden, target, dtype));
    CHECK_CLOSE(value, test::golden_tensor(golden.at("loss"), f64), tolerance);
    backward(value);
    CHECK_CLOSE(z.grad(), test::golden_tensor(golden.at("gradient"), f64), tolerance);
  }
}

/// What a run leaves behind, without the clock.
State outcome(const nn::Module& model, const optim::Optimizer& optimizer) {
  return {{"model", model.state()}, {"optimizer", optimizer.state()}, {"rng", rng_state()}};
}

/// Three epochs of a student of ours; `before` is called before every step.
State student_of(
    const data::Dataset& taught, const std::function<void(int)>& before = [](int) {},
    const std::string& checkpoint = "", bool resume = false) {
  nn::Sequential student = ring_net(resume ? 99 : 5);
  optim::Adam adam(student.parameters(), {.lr = 0.01});
  int step = 0;
  const auto loss = [&](const Tensor& prediction, const data::Batch& batch) {
    before(++step);
    return kDistil(prediction, batch);
  };
  train::Trainer(student, adam, quiet(loss, checkpoint, resume)).fit(taught, {.epochs = 3, .batch = 16});
  return outcome(student, adam);
}

}  // namespace

TEST_CASE("the loss of distillation and its gradient are those of an independent calculation") {
  int cases = 0;
  for (const nlohmann::json& golden : test::golden_cases("compress.json")) {
    const double alpha = golden.value("alpha", 0.0);
    cases += golden["kind"] == "distil" || golden["kind"] == "distil_values";
    if (golden["kind"] == "distil")
      check_loss(golden,
                 compress::distil({.temperature = golden["temperature"].get<double>(), .alpha = alpha}),
                 "labels");
    if (golden["kind"] == "distil_values")
      check_loss(golden, compress::distil({.alpha = alpha, .regression = true}), "target");
  }
  CHECK(cases == 8);
}

TEST_CASE(
    "a batch without a teacher's outputs is judged by its targets in evaluation, and refused in training") {
  const data::TensorDataset data = rings(40, 1);
  nn::Sequential student = ring_net(1);
  optim::Adam adam(student.parameters());
  train::Trainer distilled(student, adam, quiet(kDistil)), plain(student, adam, quiet(cross_entropy));
  CHECK(distilled.evaluate(data) == plain.evaluate(data));
  CHECK_THROWS_TEXT(distilled.fit(data), ValueError,
                    "distil: the batch brings no outputs of a teacher. Train on compress::Taught(dataset, "
                    "teacher).");
}

TEST_CASE("a teacher answers in eval mode, bit for bit the same in any batch and when it is remembered") {
  const data::TensorDataset data = rings(50, 2);
  nn::Sequential teacher = ring_net(2);
  const compress::Taught running(data, teacher), remembered(data, teacher, {.remember = true, .batch = 7});
  CHECK_FALSE(teacher.training());
  teacher.train();
  const std::vector<std::int64_t> some{7, 3, 49, 3};
  const data::Batch batch = running.batch(some);
  CHECK(teacher.training() == false);
  CHECK_SAME_BITS(batch.teacher, teacher(batch.x).detach());
  CHECK_SAME_BITS(remembered.batch(some).teacher, batch.teacher);
  CHECK_SAME_BITS(batch.y, data.batch(some).y);
  CHECK_FALSE(batch.teacher.requires_grad());
}

TEST_CASE("the contents of taught data are those of the data and of the teacher") {
  const data::TensorDataset data = rings(20, 3), other = rings(20, 4);
  nn::Sequential teacher = ring_net(3), another = ring_net(4);
  const compress::Taught taught(data, teacher);
  CHECK(taught.content_hash() == compress::Taught(data, teacher, {.remember = true}).content_hash());
  CHECK(taught.content_hash() != compress::Taught(other, teacher).content_hash());
  CHECK(taught.content_hash() != compress::Taught(data, another).content_hash());
  CHECK(taught.content_hash() != data.content_hash());
}

TEST_CASE("subsets and transforms hand the teacher's outputs on") {
  const data::TensorDataset data = rings(30, 5);
  nn::Sequential teacher = ring_net(6);
  const compress::Taught taught(data, teacher);
  const data::Subset few(taught, {4, 8, 15});
  const data::Transformed noisy(taught, {data::random_noise({.deviation = 0.5})});
  const std::vector<std::int64_t> two{0, 2}, same{4, 15};
  CHECK_SAME_BITS(few.batch(two).teacher, taught.batch(same).teacher);
  CHECK_SAME_BITS(noisy.batch(same).teacher, taught.batch(same).teacher);
  // The other way round the teacher sees what the student sees.
  const data::Transformed below(data, {data::random_noise({.deviation = 0.5})});
  const data::Batch batch = compress::Taught(below, teacher).epoch_batch(same, {1, 2});
  CHECK_SAME_BITS(batch.x, below.epoch_batch(same, {1, 2}).x);
  CHECK_SAME_BITS(batch.teacher, teacher(batch.x).detach());
}

TEST_CASE(
    "students are the same bits with 1, 2 and 4 threads, remembered or not, batches prepared ahead or not") {
  struct Slow : data::Subset {  // not in memory: a thread of the loader asks the teacher
    using Subset::Subset;
    bool in_memory() const override { return false; }
  };
  const data::TensorDataset data = rings(70, 6);
  const Slow slow(data, 70);
  nn::Sequential teacher = ring_net(7);
  const State expected = student_of(compress::Taught(data, teacher));
  for (const int threads : {1, 2, 4}) {
    const test::ThreadScope scope(threads);
    CHECK(student_of(compress::Taught(data, teacher, {.remember = true})) == expected);
    CHECK(student_of(compress::Taught(slow, teacher)) == expected);
  }
}

TEST_CASE(
    "a student stopped in the middle of an epoch and resumed with a loaded teacher ends with the same "
    "bytes") {
  const data::TensorDataset data = rings(70, 7);
  test::TemporaryFolder folder;
  nn::Sequential original = ring_net(8);
  io::save(folder / "teacher.ckpt",
           {{"model", original.state()}, {"graph", graph::trace(original, {1, 2}).state()}});
  const State saved = io::load(folder / "teacher.ckpt");
  graph::GraphModule teacher = graph::GraphModule::from(saved["graph"], saved["model"]);
  const State expected = student_of(compress::Taught(data, original));
  const auto stop = [](int step) {
    if (step == 7) std::raise(SIGTERM);
  };
  student_of(compress::Taught(data, original), stop, folder / "student.ckpt");
  CHECK(student_of(
            compress::Taught(data, teacher, {.remember = true}), [](int) {}, folder / "student.ckpt", true) ==
        expected);
  teacher.parameters()[0].second.mul_(2.0);
  CHECK_THROWS_AS(student_of(
                      compress::Taught(data, teacher), [](int) {}, folder / "student.ckpt", true),
                  StateError);
}

TEST_CASE(
    "a small student of few careless labels learns more with a teacher of many careful ones than alone") {
  const data::TensorDataset many = rings(1000, 8), few = rings(60, 9, 0.3), held_out = rings(1000, 10);
  nn::Sequential teacher = ring_net(9, 32, 0.0);
  optim::Adam adam(teacher.parameters(), {.lr = 0.03});
  train::Trainer(teacher, adam, quiet(cross_entropy)).fit(many, {.epochs = 60, .batch = 50});
  const compress::Taught taught(few, teacher, {.remember = true});
  double alone = 0.0, distilled = 0.0;
  for (const bool with_teacher : {false, true})
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      nn::Sequential student = ring_net(seed, 12, 0.0);
      optim::Adam steps(student.parameters(), {.lr = 0.05});
      train::Trainer trainer(student, steps,
                             quiet(with_teacher ? compress::distil({.temperature = 2.0, .alpha = 0.9})
                                                : train::Loss(cross_entropy)));
      trainer.fit(with_teacher ? static_cast<const data::Dataset&>(taught) : few,
                  {.epochs = 300, .batch = 60});
      (with_teacher ? distilled : alone) += trainer.evaluate(held_out)[1].second / 3.0;
    }
  CAPTURE(alone);
  CAPTURE(distilled);
  CHECK(distilled > alone + 0.1);  // by 0.14 to 0.32 over other draws of data and students
}

TEST_CASE("with alpha 1 a student needs no targets, and with alpha 0 no teacher") {
  const data::TensorDataset data = rings(20, 11), unlabelled(data.x(), {});
  nn::Sequential teacher = ring_net(10), student = ring_net(11);
  optim::SGD sgd(student.parameters(), {.lr = 0.1});
  train::Trainer(student, sgd, {.loss = compress::distil({.alpha = 1.0}), .show = train::Show::nothing})
      .fit(compress::Taught(unlabelled, teacher));
  train::Trainer(student, sgd, {.loss = compress::distil({.alpha = 0.0}), .show = train::Show::nothing})
      .fit(data);
}

TEST_CASE("what cannot be distilled is explained") {
  const data::TensorDataset data = rings(20, 12);
  nn::Sequential teacher = ring_net(12), wide{nn::Dense(2, 4)};
  CHECK_THROWS_TEXT(compress::distil({.temperature = 0.0}), ValueError,
                    "distil: temperature must be finite and above 0, got 0.");
  CHECK_THROWS_TEXT(compress::distil({.alpha = 1.5}), ValueError, "distil: alpha must be in 0..1, got 1.5.");
  CHECK_THROWS_TEXT(compress::Taught(data, teacher, {.remember = true, .batch = 0}), ValueError,
                    "Taught: batch must be at least 1, got 0.");
  const data::Transformed noisy(data, {data::random_noise()});
  CHECK_THROWS_TEXT(compress::Taught(noisy, teacher, {.remember = true}), ValueError,
                    "Taught: the dataset changes its samples at random, so the teacher's outputs cannot be "
                    "remembered. Put the changes above: Transformed(Taught(dataset, teacher), ...).");
  optim::SGD sgd(wide.parameters(), {.lr = 0.1});
  CHECK_THROWS_TEXT(
      train::Trainer(wide, sgd, quiet(kDistil)).fit(compress::Taught(data, teacher), {.batch = 5}),
      ShapeError,
      "distil: student and teacher differ in outputs: [5, 4] and [5, 3]. Give the student the "
      "teacher's last layer.");
  struct Masked : data::Subset {
    using Subset::Subset;
    data::Batch batch(std::span<const std::int64_t> indices) const override {
      data::Batch some = Subset::batch(indices);
      some.mask = Tensor::ones({some.x.dim(0)});
      return some;
    }
  };
  const std::vector<std::int64_t> one{0};
  const Masked masked(data, 5);
  CHECK_THROWS_TEXT(compress::Taught(masked, teacher, {.remember = true}), ValueError,
                    "Taught: the dataset has a mask, and teachers are called with x alone.");
}
