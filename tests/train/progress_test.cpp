// SPDX-License-Identifier: Apache-2.0
// What a person sees: a bar that stays on one line of a terminal, plain lines elsewhere.
#include "linnet/train/progress.h"

#include <memory>
#include <string>

#include <doctest/doctest.h>

using namespace linnet::train;

namespace {

/// A screen of `columns` (0: no terminal) with a clock that the test moves.
class FakeScreen {
 public:
  explicit FakeScreen(std::size_t columns) : columns_(columns), file_(std::tmpfile(), std::fclose) {
    REQUIRE(file_ != nullptr);
  }

  Screen screen() {
    return {file_.get(), columns_ > 0, [this] { return columns_; }, [this] { return seconds; }};
  }
  /// What was written since the last call.
  std::string text() {
    const long end = std::ftell(file_.get());
    std::string written(static_cast<std::size_t>(end - read_), '\0');
    std::fseek(file_.get(), read_, SEEK_SET);
    CHECK(std::fread(written.data(), 1, written.size(), file_.get()) == written.size());
    std::fseek(file_.get(), end, SEEK_SET);
    read_ = end;
    return written;
  }

  double seconds = 1000.0;

 private:
  std::size_t columns_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  long read_ = 0;
};

const Figures kFigures{{"loss", 0.1234}, {"accuracy", 0.9876}};
const std::string kRedraw = "\r\033[K";

}  // namespace

TEST_CASE("the bar shows the share done, the rate and the time left, and the epoch's result replaces it") {
  FakeScreen fake(200);
  Progress progress(Show::automatic, 5, 2000, 64000, fake.screen());
  progress.begin_epoch(2, 0);
  fake.seconds += 10.0;
  progress.step(500, kFigures);
  CHECK(fake.text() == kRedraw +
                           "epoch 2/5 [######..................] 1600/s  ETA 2:30  loss 0.1234  accuracy "
                           "0.9876");
  fake.seconds += 30.0;
  progress.end_epoch(kFigures);
  CHECK(fake.text() == kRedraw + "epoch 2/5  loss 0.1234  accuracy 0.9876  (40.0 s, 1600 samples/s)\n");
}

TEST_CASE("an epoch that is resumed in the middle counts only its own steps") {
  FakeScreen fake(200);
  Progress progress(Show::automatic, 1, 100, 3200, fake.screen());
  progress.begin_epoch(1, 50);
  fake.seconds += 1.0;
  progress.step(75, {});
  CHECK(fake.text() == kRedraw + "epoch 1/1 [##################......] 800/s  ETA 0:01  ");
}

TEST_CASE("the bar is drawn at most ten times a second") {
  FakeScreen fake(80);
  Progress progress(Show::automatic, 1, 100, 3200, fake.screen());
  progress.begin_epoch(1, 0);
  fake.seconds += 0.0625;
  progress.step(1, kFigures);
  CHECK(fake.text().empty());
  fake.seconds += 0.0625;
  progress.step(2, kFigures);
  CHECK_FALSE(fake.text().empty());
  progress.step(3, kFigures);
  CHECK(fake.text().empty());
}

TEST_CASE("the bar never is wider than the terminal, so that it can be drawn over") {
  for (std::size_t columns : {80u, 40u, 10u}) {
    FakeScreen fake(columns);
    Progress progress(Show::automatic, 5, 1875, 60000, fake.screen());
    progress.begin_epoch(1, 0);
    fake.seconds += 1.0;
    progress.step(900, kFigures);
    CHECK(fake.text().size() - kRedraw.size() == columns - 1);
  }
}

TEST_CASE("a line of its own first clears the bar") {
  FakeScreen fake(80);
  Progress progress(Show::automatic, 1, 10, 320, fake.screen());
  progress.begin_epoch(1, 0);
  progress.say("saved");
  CHECK(fake.text() == "saved\n");
  fake.seconds += 1.0;
  progress.step(5, kFigures);
  fake.text();
  progress.say("saved");
  CHECK(fake.text() == kRedraw + "saved\n");
}

TEST_CASE("without a terminal there is a plain line every half minute and one an epoch") {
  FakeScreen fake(0);
  Progress progress(Show::automatic, 2, 10, 320, fake.screen());
  progress.begin_epoch(2, 0);
  fake.seconds += 29.0;
  progress.step(4, kFigures);
  CHECK(fake.text().empty());
  fake.seconds += 1.0;
  progress.step(5, kFigures);
  CHECK(fake.text() == "epoch 2/2 [############............] 5/s  ETA 0:30  loss 0.1234  accuracy 0.9876\n");
  progress.end_epoch(kFigures);
  CHECK(fake.text() == "epoch 2/2  loss 0.1234  accuracy 0.9876  (30.0 s, 11 samples/s)\n");
}

TEST_CASE("nothing is shown when nothing is wanted") {
  FakeScreen fake(80);
  Progress progress(Show::nothing, 2, 10, 320, fake.screen());
  progress.say("not seen");
  progress.begin_epoch(1, 0);
  fake.seconds += 1.0;
  progress.step(5, kFigures);
  progress.end_epoch(kFigures);
  CHECK(fake.text().empty());
}

TEST_CASE("durations and figures read as people write them") {
  CHECK(duration_text(-1.0) == "0:00");
  CHECK(duration_text(245.4) == "4:05");
  CHECK(duration_text(3723.0) == "1:02:03");
  CHECK(to_text({}).empty());
  CHECK(to_text(kFigures) == "loss 0.1234  accuracy 0.9876");
}
