// SPDX-License-Identifier: Apache-2.0
// The readers of UCI HAR and C-MAPSS.
#include <filesystem>
#include <fstream>

#include "linnet/core/error.h"
#include "linnet/core/random.h"
#include "linnet/data/cmapss.h"
#include "linnet/data/split.h"
#include "linnet/data/uci_har.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using namespace linnet::data;

namespace {

namespace fs = std::filesystem;

struct TextFolder {
  test::TemporaryFolder folder;
  std::string dir = folder.path().string();
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << text;
  }
};

const std::vector<std::string> kSignals{"body_acc_x",  "body_acc_y",  "body_acc_z",
                                        "body_gyro_x", "body_gyro_y", "body_gyro_z",
                                        "total_acc_x", "total_acc_y", "total_acc_z"};

struct SmallHar : TextFolder {
  /// Window w, step t of signal s is 1000 s + 200 w + t.
  static std::string signal(std::size_t s, int windows) {
    std::string text;
    for (int w = 0; w < windows; ++w) {
      for (int t = 0; t < 128; ++t) text += " " + std::to_string(1000 * static_cast<int>(s) + 200 * w + t);
      text += "\n";
    }
    return text;
  }
  void write_all(const std::string& prefix = "", const std::string& signals = "") const {
    for (std::size_t s = 0; s < 9; ++s) write(prefix + signals + kSignals[s] + "_train.txt", signal(s, 2));
    write(prefix + "y_train.txt", "6\n1\n");
  }
};

struct SmallCmapss : TextFolder {
  /// An engine of so many cycles; sensor s is 100 engine + cycle + s / 100.
  static std::string engine(int number, int cycles) {
    std::string text;
    for (int cycle = 1; cycle <= cycles; ++cycle) {
      text += std::to_string(number) + " " + std::to_string(cycle) + " 0.1 0.2 100.0";
      for (int s = 1; s <= 21; ++s) text += " " + std::to_string(100.0 * number + cycle + s / 100.0);
      text += "  \n";
    }
    return text;
  }
};

}  // namespace

TEST_CASE_FIXTURE(SmallHar, "nine signals become windows [128, 9], activities labels from 0") {
  write_all();
  const UciHar har(dir, Split::train);
  CHECK(har.x().shape() == Shape{2, 128, 9});
  CHECK_SAME_BITS(har.y(), Tensor::from(std::vector<std::int64_t>{5, 0}));
  const auto x = har.x().data<float>();
  for (const std::size_t s : {0u, 3u, 8u})
    CHECK(x[(128 + 5) * 9 + s] == static_cast<float>(1000 * s + 200 + 5));
  CHECK(har.subjects().empty());
  write("subject_train.txt", "3\n7\n");
  CHECK(UciHar(dir, Split::train).subjects() == std::vector<std::int64_t>{3, 7});
}

TEST_CASE_FIXTURE(SmallHar, "the folder may be laid out as published, or be the parent") {
  write_all("timeseries/uci_har/train/", "Inertial Signals/");
  for (const std::string& where : {dir, dir + "/timeseries", dir + "/timeseries/uci_har"})
    CHECK(UciHar(where, Split::train).size() == 2);
}

TEST_CASE_FIXTURE(SmallHar,
                  "signals that are missing, damaged or of other sizes are refused by file and line") {
  const auto open = [this] { UciHar(dir, Split::train); };
  CHECK_THROWS_TEXT(open(), IoError,
                    "UciHar: no body_acc_x_train.txt or .txt.gz in " + dir + " or uci_har below it.");
  write_all();
  write("body_gyro_y_train.txt", signal(4, 3));
  CHECK_THROWS_TEXT(
      open(), IoError,
      "UciHar: " + (folder / "body_gyro_y_train.txt") + ": 3 windows, the channel before has 2.");
  write("body_gyro_y_train.txt", "1 2\n3 4\n");
  CHECK_THROWS_TEXT(open(), IoError,
                    "UciHar: " + (folder / "body_gyro_y_train.txt") + ": expected 128 values a line, got 2.");
  std::string text = signal(4, 2);
  text.replace(text.find(" 4205"), 5, " nan ");
  write("body_gyro_y_train.txt", text);
  CHECK_THROWS_TEXT(open(), IoError,
                    "read_table: " + (folder / "body_gyro_y_train.txt") +
                        ": line 2, column 6: the value is missing (\"nan\"). Mend the file, or choose "
                        "Missing::drop_row or Missing::forward_fill.");
  write_all();
  write("y_train.txt", "6\n7\n");
  CHECK_THROWS_TEXT(open(), IoError,
                    "UciHar: " + (folder / "y_train.txt") + ": line 2: expected an activity 1..6, got 7.");
  write("y_train.txt", "6\n");
  CHECK_THROWS_TEXT(
      open(), IoError,
      "UciHar: " + (folder / "y_train.txt") + ": expected one number for each of 2 windows, got [1, 1].");
  CHECK_THROWS_AS(UciHar(dir, Split::test), IoError);
}

TEST_CASE_FIXTURE(SmallHar, "signals with any bytes changed or cut are read or refused") {
  write_all();
  Rng rng(3, 0);
  int good = 0, refused = 0;
  for (int round = 0; round < 60; ++round) {
    const auto s = static_cast<std::size_t>(rng.below(9));
    std::string text = signal(s, 2);
    const auto at = static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(text.size())));
    text[at] = static_cast<char>(rng.below(256));
    if (round % 3 == 0) text.resize(at);
    write(kSignals[s] + "_train.txt", text);
    try {
      good += UciHar(dir, Split::train).size() == 2;
    } catch (const IoError&) {
      ++refused;
    }
    write(kSignals[s] + "_train.txt", signal(s, 2));
  }
  CHECK(refused > 20);
  CHECK(good + refused == 60);
}

TEST_CASE_FIXTURE(SmallCmapss,
                  "every window of training engines has the life that was left at its end, capped") {
  write("train_FD001.txt", engine(1, 6) + engine(2, 3));
  const Cmapss lives(dir, Split::train, {.window = 4, .cap = 2, .columns = {"sensor_2", "sensor_21"}});
  CHECK(lives.groups() == std::vector<std::int64_t>{1, 1, 1, 2});
  const Batch batch = lives.batch(std::vector<std::int64_t>{0, 1, 2, 3});
  CHECK_SAME_BITS(batch.y, Tensor::from({2, 1, 0, 0}, {4, 1}));
  CHECK(batch.x.shape() == Shape{4, 4, 2});
  const auto x = batch.x.data<float>();
  CHECK_CLOSE(x[2 * 8 + 1], 103.21, tol::f32);
  CHECK_CLOSE(x[3 * 8], 201.02, tol::f32);  // padded: its first cycle again
  CHECK_CLOSE(x[3 * 8 + 2], 201.02, tol::f32);
  CHECK_CLOSE(x[3 * 8 + 6], 203.02, tol::f32);
}

TEST_CASE_FIXTURE(SmallCmapss, "a test engine has one window, at its end, and the life that its file says") {
  write("test_FD001.txt", engine(1, 6) + engine(2, 5));
  write("RUL_FD001.txt", "7 \n150\n");
  const Cmapss test(dir, Split::test, {.window = 4});
  CHECK(test.size() == 2);
  const Batch batch = test.batch(std::vector<std::int64_t>{0, 1});
  CHECK(batch.x.shape() == Shape{2, 4, 14});
  CHECK_SAME_BITS(batch.y, Tensor::from({7, 125}, {2, 1}));
  CHECK_CLOSE(batch.x.data<float>()[3 * 14], 106.02, tol::f32);
}

TEST_CASE_FIXTURE(SmallCmapss, "tables that are missing or do not fit are refused by file and line") {
  const auto open = [this](Split split) { Cmapss(dir, split, {.window = 2}); };
  CHECK_THROWS_TEXT(open(Split::train), IoError,
                    "Cmapss: no train_FD001.txt in " + dir + " or cmapss below it.");
  const std::string train = folder / "train_FD001.txt";
  write("train_FD001.txt", engine(1, 3) + "1 5" + engine(1, 4).substr(engine(1, 3).size() + 3));
  CHECK_THROWS_TEXT(open(Split::train), IoError,
                    "Cmapss: " + train + ": line 4: engine 1 is at cycle 5, expected 4.");
  write("train_FD001.txt", "1 1 2\n");
  CHECK_THROWS_TEXT(open(Split::train), IoError,
                    "read_table: " + train + ": line 1 has 3 cells, 26 names were given.");
  write("test_FD001.txt", engine(1, 3));
  write("RUL_FD001.txt", "1\n2\n");
  CHECK_THROWS_TEXT(
      open(Split::test), IoError,
      "Cmapss: " + (folder / "RUL_FD001.txt") + ": expected one number for each of 1 engines, got [2, 1].");
  write("RUL_FD001.txt", "-1\n");
  CHECK_THROWS_TEXT(
      open(Split::test), IoError,
      "Cmapss: " + (folder / "RUL_FD001.txt") + ": line 1: remaining cycles must not be negative, got -1.");
  CHECK_THROWS_TEXT(Cmapss(dir, Split::train, {.cap = 0}), ValueError,
                    "Cmapss: the cap must be at least 1, got 0.");
}

TEST_CASE("the subset of the real UCI HAR has its windows, balance and gravity") {
  const std::string dir = test::data_folder("timeseries/uci_har");
  if (dir.empty()) return;
  const UciHar held_out(dir, Split::test);
  if (held_out.size() != 950) {
    MESSAGE("skipped: another part of UCI HAR");
    return;
  }
  std::vector<std::int64_t> counts(6);
  for (const std::int64_t label : held_out.y().data<std::int64_t>())
    ++counts[static_cast<std::size_t>(label)];
  CHECK(counts == std::vector<std::int64_t>{160, 152, 135, 158, 172, 173});
  double standing = 0.0, laying = 0.0;  // gravity along x
  for (std::size_t i = 0; i < 950; ++i) {
    const double g = held_out.x().data<float>()[i * 128 * 9 + 6];
    const std::int64_t label = held_out.y().data<std::int64_t>()[i];
    if (label == 4) standing += g / 172;
    if (label == 5) laying += g / 173;
  }
  CHECK(standing > 0.9);
  CHECK(laying < 0.3);
}

TEST_CASE("the real FD001 has 100 engines in each part and lives from 7 to 145 cycles, capped") {
  const std::string dir = test::data_folder("timeseries/cmapss");
  if (dir.empty()) return;
  const Cmapss training(dir, Split::train), held_out(dir, Split::test, {.cap = 1000});
  CHECK(training.size() == 20631 - 100 * 29);
  CHECK(split_by_group(training.groups()).training.size() > 10000);
  CHECK(held_out.size() == 100);
  float least = 1000, most = 0;
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < 100; ++i) all.push_back(i);
  const Tensor lives = held_out.batch(all).y;
  for (const float life : lives.data<float>()) least = std::min(least, life), most = std::max(most, life);
  CHECK(least == 7.0f);
  CHECK(most == 145.0f);
}
