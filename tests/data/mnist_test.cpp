// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/mnist.h"

#include <cstdlib>
#include <filesystem>

#include "linnet/core/error.h"
#include "linnet/data/find_folder.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using namespace linnet::data;
namespace fs = std::filesystem;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// A folder with a small data set in MNIST's files; `side` and the labels may be wrong.
struct SmallMnist {
  test::TemporaryFolder folder;
  std::string dir = folder.path().string();

  void write_images(std::uint8_t count, std::uint8_t side = 28) const {
    Bytes bytes{0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, side, 0, 0, 0, side};
    for (std::size_t i = 0; i < std::size_t{count} * side * side; ++i)
      bytes.push_back(static_cast<std::uint8_t>(i));
    test::write_bytes(dir + "/train-images-idx3-ubyte", bytes);
  }
  void write_labels(const Bytes& labels) const {
    Bytes bytes{0, 0, 8, 1, 0, 0, 0, static_cast<std::uint8_t>(labels.size())};
    for (const std::uint8_t label : labels) bytes.push_back(label);
    test::write_bytes(dir + "/train-labels-idx1-ubyte", bytes);
  }
};

class Environment {
 public:
  explicit Environment(const std::string& value) {
    if (const char* old = std::getenv("LINNET_DATA")) before_ = old;
    ::setenv("LINNET_DATA", value.c_str(), 1);
  }
  ~Environment() { ::setenv("LINNET_DATA", before_.c_str(), 1); }

 private:
  std::string before_;
};

}  // namespace

TEST_CASE_FIXTURE(SmallMnist,
                  "images become [28, 28, 1] in 0 to 1 and labels i64, from the folder or its parent") {
  fs::create_directory(folder.path() / "mnist");
  dir = (folder.path() / "mnist").string();
  write_images(3);
  write_labels({7, 0, 9});
  for (const std::string& where : {dir, folder.path().string()}) {
    const Mnist mnist(where, Split::train);
    CHECK(mnist.size() == 3);
    const Batch batch = mnist.batch(std::vector<std::int64_t>{2, 0});
    CHECK(batch.x.shape() == Shape{2, 28, 28, 1});
    CHECK(batch.x.data<float>()[784 + 255] == 1.0f);
    CHECK(batch.x.data<float>()[784 + 1] == 1.0f / 255.0f);
    CHECK_SAME_BITS(batch.y, Tensor::from(std::vector<std::int64_t>{9, 7}));
    CHECK(mnist.x().dtype() == u8);
  }
}

TEST_CASE_FIXTURE(SmallMnist, "missing and unfitting files are refused, saying which and why") {
  const std::string images = dir + "/train-images-idx3-ubyte", labels = dir + "/train-labels-idx1-ubyte";
  const auto open = [this] { Mnist(dir, Split::train); };
  CHECK_THROWS_TEXT(open(), IoError,
                    "Mnist: no train-images-idx3-ubyte or train-images-idx3-ubyte.gz in " + dir + " or " +
                        dir + "/mnist. scripts/fetch_datasets.sh gets it.");
  write_images(3, 27);
  CHECK_THROWS_TEXT(open(), IoError,
                    "Mnist: " + images + ": expected images [N, 28, 28] u8, got [3, 27, 27] u8.");
  write_images(3);
  write_labels({1, 2});
  CHECK_THROWS_TEXT(open(), IoError,
                    "Mnist: " + labels + ": expected 3 labels u8, one for each image, got [2] u8.");
  write_labels({1, 2, 10});
  CHECK_THROWS_TEXT(open(), IoError, "Mnist: " + labels + ": label 2 is 10; expected 0..9.");
  CHECK_THROWS_AS(Mnist(dir, Split::test), IoError);
}

TEST_CASE("the real MNIST has its 70,000 digits, ink and class balance") {
  const std::string dir = test::data_folder("mnist");
  if (dir.empty()) return;
  const Mnist training(dir, Split::train), held_out(dir, Split::test);
  CHECK(training.size() == 60000);
  CHECK(held_out.size() == 10000);
  std::vector<std::int64_t> counts(10);
  for (const std::int64_t label : held_out.y().data<std::int64_t>())
    ++counts[static_cast<std::size_t>(label)];
  CHECK(counts == std::vector<std::int64_t>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
  double ink = 0.0;
  for (const std::uint8_t value : training.x().data<std::uint8_t>()) ink += value;
  CHECK_CLOSE(ink / (60000.0 * 784 * 255), 0.1307,
              (test::Tolerance{.absolute = 1e-4}));  // the mean everybody uses
}

TEST_CASE("find_folder takes a folder or its parent, and looks where LINNET_DATA says first") {
  const test::TemporaryFolder folder;
  const std::string parent = folder.path().string(), inside = folder / "mnist";
  fs::create_directory(inside);
  CHECK(find_folder("mnist", parent) == inside);
  CHECK(find_folder("mnist", inside) == inside);
  CHECK_THROWS_TEXT(find_folder("mnist", parent + "/nowhere"), IoError,
                    "find_folder: " + parent + "/nowhere: no such folder.");
  {
    const Environment environment(parent);
    CHECK(find_folder("mnist") == inside);
  }
  const Environment environment(inside);
  CHECK(find_folder("mnist") == inside);
  CHECK_THROWS_TEXT(
      find_folder("no/such_data"), IoError,
      "find_folder: no data set 'no/such_data' in " + inside +
          "/no/such_data, datasets/no/such_data, ../shared/data/no/such_data. Set LINNET_DATA, name a "
          "folder, or run scripts/fetch_datasets.sh.");
}
