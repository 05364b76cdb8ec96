// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/table.h"

#include <fstream>

#include "linnet/core/error.h"
#include "linnet/core/random.h"
#include "linnet/data/standardiser.h"
#include "support/check_close.h"
#include "support/fixtures.h"

#ifdef LINNET_ZLIB
#include <zlib.h>
#endif

using namespace linnet;
using namespace linnet::data;

namespace {

struct TextFile {
  test::TemporaryFolder folder;
  std::string path = folder / "pump.csv", says = "read_table: " + path + ": ";

  Table read(const std::string& text, const TableOptions& options = {}) const {
    std::ofstream(path, std::ios::binary) << text;
    return read_table(path, options);
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(TextFile, "a table with a header: numbers in f64, names, and the line of each row") {
  const Table table = read("flow,pressure\n1,-2.5\n\n3e2,+4\n");
  CHECK(table.names == Names{"flow", "pressure"});
  CHECK_SAME_BITS(table.values, Tensor::from({1, -2.5, 300, 4}, {2, 2}, f64));
  CHECK(table.lines == std::vector<std::int64_t>{2, 4});
  CHECK_SAME_BITS(table.select({"pressure"}), Tensor::from({-2.5, 4}, {2, 1}));
  CHECK(table.column("pressure") == 1);
  CHECK(table.path == path);
}

TEST_CASE_FIXTURE(TextFile, "line ends, byte order mark, quotes and blanks are those of any program") {
  const Tensor expected = Tensor::from({1, 2, 3, 4}, {2, 2}, f64);
  CHECK_SAME_BITS(read("\xEF\xBB\xBF"
                       "a,b\r\n1,2\r\n3,4")
                      .values,
                  expected);
  CHECK_SAME_BITS(read("\"a\" , b\n \"1\",\t2 \n3 , \"4\" \n").values, expected);
  CHECK_SAME_BITS(read("a;b\n1;2\n3;4\n", {.separator = ';'}).values, expected);
  CHECK_SAME_BITS(read("a\tb\n1\t2\n3\t4\n", {.separator = '\t'}).values, expected);
  CHECK(read("\"a, b\",\"say \"\"x\"\"\"\n1,2\n").names == Names{"a, b", "say \"x\""});
}

TEST_CASE_FIXTURE(TextFile, "columns between blanks, with names given or numbered from 1") {
  const std::string text = "  1 2.5\t3  \n4   5 6\n";
  const Table table = read(text, {.separator = ' ', .header = false});
  CHECK(table.names == Names{"1", "2", "3"});
  CHECK_SAME_BITS(table.values, Tensor::from({1, 2.5, 3, 4, 5, 6}, {2, 3}, f64));
  const Table named =
      read(text, {.separator = ' ', .header = false, .names = {"a", "b", "c"}, .columns = {"c", "1"}});
  CHECK(named.names == Names{"c", "a"});
  CHECK_SAME_BITS(named.values, Tensor::from({3, 1, 6, 4}, {2, 2}, f64));
}

TEST_CASE_FIXTURE(TextFile, "columns that are not asked for may hold anything; some are read as text") {
  const Table table =
      read("day,load,note\nMon,1,?\nTue,2,\"a, b\"\n", {.columns = {"load"}, .text = {"note", "day"}});
  CHECK(table.names == Names{"load"});
  CHECK(table.text == std::vector<Names>{{"?", "a, b"}, {"Mon", "Tue"}});
  CHECK(read("day,load\nMon,1\n", {.text = {"day"}}).names == Names{"load"});
}

TEST_CASE_FIXTURE(TextFile, "a part of a table is rows of it; whole numbers are groups and labels") {
  const Table table = read("engine,x,who\n1,5,a\n1,6,b\n2,7.5,c\n", {.text = {"who"}});
  CHECK(table.whole_numbers("engine") == std::vector<std::int64_t>{1, 1, 2});
  const Table part = table.part(1, 3);
  CHECK_SAME_BITS(part.select({"x"}), Tensor::from({6, 7.5}, {2, 1}));
  CHECK(part.lines == std::vector<std::int64_t>{3, 4});
  CHECK(part.text == std::vector<Names>{{"b", "c"}});
  CHECK_THROWS_TEXT(table.part(1, 4), ValueError, "Table: no rows 1..4 of 3.");
  CHECK_THROWS_TEXT(table.whole_numbers("x"), IoError,
                    says + "line 4, column x: expected a whole number, got 7.5.");
  CHECK_THROWS_TEXT(table.column("speed"), ValueError,
                    "Table: " + path + ": no column \"speed\" was read. There are: engine, x.");
  CHECK_THROWS_TEXT(read("a\n1e300\n").select({"a"}), IoError,
                    says + "line 2, column a: 1e+300 is too large for f32.");
}

TEST_CASE_FIXTURE(TextFile,
                  "a missing value is refused with its line and column unless a policy says otherwise") {
  for (const std::string word : {"", "NaN", "-nan", "NA", "n/a", "null", "None", "-", "?", "\"\""})
    CHECK_THROWS_AS(read("a,b\n1,2\n3," + word + "\n"), IoError);
  CHECK_THROWS_TEXT(read("flow,load\n1,2\n3,NaN\n"), IoError,
                    says +
                        "line 3, column 2 (load): the value is missing (\"NaN\"). Mend the file, or choose "
                        "Missing::drop_row or Missing::forward_fill.");
  const std::string holes = "a,b\n,1\n2,?\n3,4\nNA,5\n";
  const Table dropped = read(holes, {.missing = Missing::drop_row});
  CHECK_SAME_BITS(dropped.values, Tensor::from({3, 4}, {1, 2}, f64));
  CHECK(dropped.lines == std::vector<std::int64_t>{4});
  CHECK(read(holes, {.columns = {"b"}, .missing = Missing::drop_row}).rows() == 3);
  CHECK_SAME_BITS(read("a,b\n1,2\n,3\n4,\n", {.missing = Missing::forward_fill}).values,
                  Tensor::from({1, 2, 1, 3, 4, 3}, {3, 2}, f64));
  CHECK_THROWS_TEXT(
      read(holes, {.missing = Missing::forward_fill}), IoError,
      says +
          "line 2, column 1 (a): the value is missing (\"\"), and there is no row before it to fill "
          "it from.");
  CHECK_THROWS_TEXT(read("a,b\n,1\n2,?\n", {.missing = Missing::drop_row}), IoError,
                    says + "no rows are left: 2 had missing values.");
}

TEST_CASE_FIXTURE(TextFile, "a value is never filled from another group's row") {
  const TableOptions options{.columns = {"x"}, .missing = Missing::forward_fill, .group = "who"};
  CHECK_SAME_BITS(read("who,x\nann,1\nann,\nbob,5\nbob,NA\n", options).values,
                  Tensor::from({1, 1, 5, 5}, {4, 1}, f64));
  CHECK_THROWS_TEXT(
      read("who,x\nann,1\nbob,\n", options), IoError,
      says +
          "line 3, column 2 (x): the value is missing (\"\"), and there is no row before it to fill "
          "it from.");
}

TEST_CASE_FIXTURE(TextFile, "cells that are no finite numbers are refused with line and column") {
  CHECK_THROWS_TEXT(read("a,b\n1,2\n3,4 bar\n"), IoError,
                    says + "line 3, column 2 (b): \"4 bar\" is not a number.");
  CHECK_THROWS_TEXT(read("1,5x\n", {.header = false}), IoError,
                    says + "line 1, column 2: \"5x\" is not a number.");
  CHECK_THROWS_TEXT(read("a\n\x01"
                         "23456789012345678901234\n"),
                    IoError, says + "line 2, column 1 (a): \"?2345678901234567890...\" is not a number.");
  CHECK_THROWS_TEXT(read("a\n-inf\n"), IoError, says + "line 2, column 1 (a): \"-inf\" is not finite.");
  for (const std::string word : {"1e999", "0x10", "1,5", "+-1", "+", "e5", "--1", "1 2", "1_000"})
    CHECK_THROWS_AS(read("a\n\"" + word + "\"\n"), IoError);
}

TEST_CASE_FIXTURE(TextFile,
                  "ragged rows, missing columns and lines that cannot be read are refused by line") {
  CHECK_THROWS_TEXT(read("a,b\n1,2\n3\n"), IoError, says + "line 3 has 1 cells, line 1 has 2.");
  CHECK_THROWS_TEXT(read("a,b\n1,2\n3,4,5\n"), IoError, says + "line 3 has 3 cells, line 1 has 2.");
  CHECK_THROWS_TEXT(read("1 2\n1 2 3\n", {.separator = ' ', .header = false}), IoError,
                    says + "line 2 has 3 cells, line 1 has 2.");
  CHECK_THROWS_TEXT(read("a,b\n1,2\n", {.columns = {"speed"}}), IoError,
                    says + "line 1: no column \"speed\". There are: a, b.");
  CHECK_THROWS_TEXT(read("a,b\n1,2\n", {.columns = {"3"}}), IoError,
                    says + "line 1: no column \"3\". There are: a, b.");
  CHECK_THROWS_TEXT(read("a,a\n1,2\n", {.columns = {"a"}}), IoError,
                    says + "line 1: two columns are called \"a\". Name it by its number.");
  CHECK_SAME_BITS(read("a,a\n1,2\n", {.columns = {"2"}}).values, Tensor::from({2}, {1, 1}, f64));
  CHECK(read("a,a\n1,2\n", {.columns = {"1", "2"}}).names == std::vector<std::string>{"1", "2"});
  CHECK_THROWS_TEXT(
      read("a,a\n1,2\n"), IoError,
      says + "line 1: two columns are called \"a\". Name columns by their numbers, or give names.");
  CHECK_THROWS_TEXT(read("a\tb\n1\t2\n\t\n", {.separator = '\t'}), IoError,
                    says +
                        "line 3, column 1 (a): the value is missing (\"\"). Mend the file, or choose "
                        "Missing::drop_row or Missing::forward_fill.");
  CHECK_THROWS_TEXT(read("a,b\n1,2\n", {.names = {"x"}}), IoError,
                    says + "line 1 has 2 cells, 1 names were given.");
  CHECK_THROWS_TEXT(read("a,b\n\"1,2\n"), IoError, says + "line 2: a quote is not closed on its line.");
  CHECK_THROWS_TEXT(read("a,b\n\"1\"x,2\n"), IoError,
                    says + "line 2: there is something behind a closing quote.");
  CHECK_THROWS_TEXT(read(std::string("a\n1\0\n", 5)), IoError,
                    says + "line 2 holds a zero byte. Is this a text file?");
  CHECK_THROWS_TEXT(read("a\n" + std::string(1 << 21, '1')), IoError,
                    says + "line 2 is longer than 1048576 bytes. Is this a table?");
  CHECK_THROWS_TEXT(read(""), IoError, says + "the file holds no lines.");
  CHECK_THROWS_TEXT(read("\n \n"), IoError, says + "the file holds no lines.");
  CHECK_THROWS_TEXT(read("a,b\n"), IoError, says + "no rows.");
  CHECK_THROWS_TEXT(read_table(folder / "none"), IoError,
                    "read_table: " + (folder / "none") + ": no such file.");
}

TEST_CASE_FIXTURE(TextFile, "a constant column is refused when standardising, by file, lines and column") {
  const Table table = read("a,b\n1,7\n3,7\n2,7\n");
  CHECK_THROWS_TEXT(Standardiser::fit(table), IoError,
                    "Standardiser: " + path +
                        ": lines 2 to 4, column b: always 7. Leave it out, or choose Constant::keep.");
  const Standardiser kept = Standardiser::fit(table, Constant::keep);
  CHECK(kept.mean() == std::vector<double>{2, 7});
  CHECK_CLOSE(kept.deviation()[0], std::sqrt(2.0 / 3.0), tol::grad64);
  CHECK(kept.deviation()[1] == 1.0);
}

TEST_CASE_FIXTURE(TextFile, "any bytes are read or refused, whatever they are and wherever they end") {
  Rng rng(9, 0);
  const std::string good = "who,flow,\"load, kW\"\nann,1.5,-2e3\nbob,\"7\",NA\n\"c\"\"d\",+3,4\n";
  const std::string letters = "0123456789.,;\t \"\r\n-+eENAnaif?\xEF\xBB\xBF\x1F\x8B\x80";
  const TableOptions choices[] = {{},
                                  {.separator = ' ', .header = false},
                                  {.columns = {"2"}, .text = {"1"}, .missing = Missing::drop_row},
                                  {.header = false, .missing = Missing::forward_fill, .group = "1"}};
  int read_well = 0, refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = round % 2 ? good : "";
    if (text.empty()) {
      const std::int64_t length = rng.below(60);
      for (std::int64_t i = 0; i < length; ++i)
        text += letters[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(letters.size())))];
    }
    for (std::int64_t i = rng.below(4); i > 0 && !text.empty(); --i) {
      const auto at = static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(text.size())));
      text[at] = static_cast<char>(rng.below(256));
      if (rng.below(3) == 0) text.resize(at);
    }
    try {
      const Table table = read(text, choices[rng.below(4)]);
      CHECK(table.rows() >= 1);
      CHECK(table.lines.size() == static_cast<std::size_t>(table.rows()));
      ++read_well;
    } catch (const IoError& error) {
      CHECK(std::string(error.what()).rfind("read_table: ", 0) == 0);
      ++refused;
    }
  }
  CHECK(read_well > 100);
  CHECK(refused > 100);
}

#ifdef LINNET_ZLIB
TEST_CASE_FIXTURE(TextFile, "compressed tables are read the same") {
  const std::string text = "a,b\n1,2\n3,4\n";
  const gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()));
  gzclose(file);
  CHECK_SAME_BITS(read_table(path).values, Tensor::from({1, 2, 3, 4}, {2, 2}, f64));
}
#endif
