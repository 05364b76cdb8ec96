// SPDX-License-Identifier: Apache-2.0
// What a person sees: a bar that stays on one line of a terminal, plain lines elsewhere.
#include "linnet/train/progress.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include <doctest/doctest.h>

using namespace linnet::train;

namespace {

/// Standard error is the far end of a terminal of `columns`, or of a pipe when that is 0, while it lives.
class StandardError {
 public:
  explicit StandardError(unsigned short columns) : before_(dup(STDERR_FILENO)) {
    int ends[2];
    if (columns == 0) {
      REQUIRE(pipe(ends) == 0);
    } else {
      ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
      REQUIRE((ends[0] >= 0 && grantpt(ends[0]) == 0 && unlockpt(ends[0]) == 0));
      ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
      REQUIRE(ends[1] >= 0);
      winsize size{24, columns, 0, 0};
      REQUIRE(ioctl(ends[1], TIOCSWINSZ, &size) == 0);
    }
    near_ = ends[0];
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
  }
  ~StandardError() {
    dup2(before_, STDERR_FILENO);
    close(before_);
    close(near_);
  }
  StandardError(const StandardError&) = delete;

  /// What was written, which must be something.
  std::string text() const {
    char buffer[4096];
    auto length = read(near_, buffer, sizeof buffer);
    return length > 0 ? std::string(buffer, static_cast<std::size_t>(length)) : "";
  }

 private:
  int before_, near_ = -1;
};

const Figures kFigures{{"loss", 0.1234}, {"accuracy", 0.9876}};
const std::string kRedraw = "\r\033[K";

void wait_until_a_drawing_is_due() { std::this_thread::sleep_for(std::chrono::milliseconds(120)); }

}  // namespace

TEST_CASE("the bar never is wider than the terminal, so that it can be drawn over") {
  for (unsigned short columns : std::array<unsigned short, 4>{200, 80, 40, 10}) {
    StandardError screen(columns);
    Progress progress(Show::automatic, 5, 1875, 60000);
    progress.begin_epoch(1, 0);
    wait_until_a_drawing_is_due();
    progress.step(900, kFigures);
    std::string line = screen.text();
    CHECK(line.rfind(kRedraw + "epoch 1/5", 0) == 0);
    CHECK(line.size() - kRedraw.size() < columns);
    CHECK((line.find("accuracy 0.9876") != std::string::npos) == (columns == 200));
    progress.end_epoch(kFigures);
    CHECK(screen.text().rfind(kRedraw + "epoch 1/5  loss 0.1234  accuracy 0.9876  (", 0) == 0);
  }
}

TEST_CASE("without a terminal there is one plain line an epoch, and nothing when nothing is wanted") {
  StandardError file(0);
  Progress progress(Show::automatic, 2, 10, 320), silent(Show::nothing, 2, 10, 320);
  silent.say("not seen");
  silent.begin_epoch(1, 0);
  silent.step(5, kFigures);
  silent.end_epoch(kFigures);
  progress.begin_epoch(2, 0);
  progress.step(5, kFigures);
  progress.end_epoch(kFigures);
  std::string text = file.text();
  CHECK(text.rfind("epoch 2/2  loss 0.1234  accuracy 0.9876  (", 0) == 0);
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("durations and figures read as people write them") {
  CHECK(duration_text(-1.0) == "0:00");
  CHECK(duration_text(245.4) == "4:05");
  CHECK(duration_text(3723.0) == "1:02:03");
  CHECK(to_text({}).empty());
  CHECK(to_text(kFigures) == "loss 0.1234  accuracy 0.9876");
}
