// SPDX-License-Identifier: Apache-2.0
// After any failure at any moment of a save, loading finds the complete old or the complete new checkpoint.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "fault_fs.h"
#include "linnet/core/error.h"
#include "linnet/io/checkpoint.h"
#include "support/check_close.h"
#include "support/fixtures.h"

using namespace linnet;
using test::FaultFs;
using test::MemoryFs;
namespace fs = std::filesystem;

namespace {

/// Checkpoint number n; large enough for several writes.
State numbered(std::int64_t n) {
  return {{"n", n}, {"w", Tensor::full({70'000}, static_cast<double>(n))}, {"b", Tensor::full({3}, 0.5)}};
}

/// The number of a checkpoint that is complete.
std::int64_t number_of(const State& state) {
  const std::int64_t n = state["n"].integer();
  CHECK(state == numbered(n));
  return n;
}

struct CheckpointFolder {
  test::TemporaryFolder folder;
  std::string path = folder / "m.ckpt";
  long files() const { return std::distance(fs::directory_iterator(folder.path()), {}); }
  std::int64_t newest() const { return number_of(io::load_newest(path).value().state); }
};

int save_calls() {
  CheckpointFolder place;
  for (int n = 1; n <= 2; ++n) io::save(place.path, numbered(n));
  FaultFs counting;
  io::save(place.path, numbered(3), {.fs = &counting});
  return counting.calls();
}

/// Runs `work` in a process of its own; true when it ended by itself.
template <class Work>
bool survives(Work&& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      work();
    } catch (...) {
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status);
}

}  // namespace

TEST_CASE_FIXTURE(CheckpointFolder,
                  "the generations count up, the one before is kept, and no other file is left") {
  CHECK(io::save(path, numbered(1)) == 1);
  CHECK(files() == 1);
  CHECK(io::save(path, numbered(2)) == 2);
  CHECK(io::save(path, numbered(3)) == 3);
  CHECK(files() == 2);
  CHECK(number_of(io::load(path)) == 3);
  CHECK(number_of(io::load(path + ".prev")) == 2);
  CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));

  io::save(path, numbered(4), {.keep_previous = false});
  CHECK(number_of(io::load(path)) == 4);
  CHECK(number_of(io::load(path + ".prev")) == 2);
}

TEST_CASE_FIXTURE(CheckpointFolder,
                  "the generation does not come from the clock, and survives a damaged file") {
  for (int n = 1; n <= 3; ++n) io::save(path, numbered(n));
  fs::last_write_time(path, fs::file_time_type::min());
  CHECK(io::save(path, numbered(4)) == 4);
  fs::resize_file(path, 100);
  CHECK(io::save(path, numbered(5)) == 5);
}

TEST_CASE_FIXTURE(CheckpointFolder,
                  "a failing call at any place, once or from then on, leaves the old or the new checkpoint") {
  const int calls = save_calls();
  FaultFs sound;
  REQUIRE(calls > 20);
  for (const bool forever : {false, true})
    for (const int error : {EIO, ENOSPC, EXDEV})
      for (int at = 0; at < calls; ++at) {
        const test::TemporaryFolder place;
        const std::string file = place / "m.ckpt";
        for (int n = 1; n <= 2; ++n) io::save(file, numbered(n), {.fs = &sound});
        FaultFs failing(
            [&](int call, const std::string&) { return call == at || (forever && call > at) ? error : 0; });
        bool saved = true;
        try {
          io::save(file, numbered(3), {.fs = &failing});
        } catch (const IoError& failure) {
          saved = std::string(failure.what()).find("written, but") != std::string::npos;
        }
        CHECK(number_of(io::load(file)) == (saved ? 3 : 2));
        CHECK(number_of(io::load(file + ".prev")) <= 2);
        CHECK(io::save(file, numbered(4), {.fs = &sound}) >= 3);  // and now it works again
        CHECK(number_of(io::load(file)) == 4);
        CHECK(number_of(io::load(file + ".prev")) == (saved ? 3 : 2));
        CHECK(std::distance(fs::directory_iterator(place.path()), {}) == 2);
      }
}

TEST_CASE_FIXTURE(CheckpointFolder, "the messages of a failed save say what failed") {
  io::save(path, numbered(1));
  const auto failing = [&](const std::string& name, int nth, int error) {
    int seen = 0;
    FaultFs faulty(
        [&, nth](int, const std::string& call) { return call == name && seen++ == nth ? error : 0; });
    io::save(path, numbered(2), {.fs = &faulty});
  };
  const std::string says = "io::save: " + path + ": ", kept = " The old file, if any, is unchanged.";
  CHECK_THROWS_TEXT(failing("write", 3, ENOSPC), IoError,
                    says + "writing failed: No space left on device." + kept);
  CHECK_THROWS_TEXT(failing("fsync", 0, EIO), IoError, says + "flushing failed: Input/output error." + kept);
  CHECK_THROWS_TEXT(failing("link", 0, EIO), IoError,
                    says + "keeping the previous file failed: Input/output error." + kept);
  CHECK_THROWS_TEXT(failing("rename", 1, EIO), IoError, says + "renaming failed: Input/output error." + kept);
  CHECK(number_of(io::load(path)) == 1);
  CHECK_THROWS_TEXT(
      failing("fsync", 1, EIO), IoError,
      says +
          "written, but flushing the folder failed: Input/output error. After a power cut the old "
          "file may be back.");
  CHECK(number_of(io::load(path)) == 2);
}

TEST_CASE_FIXTURE(CheckpointFolder,
                  "a failed flush is not tried again: the system may have dropped what was not written") {
  io::save(path, numbered(1));
  FaultFs failing([](int, const std::string& name) { return name == "fsync" ? EIO : 0; });
  CHECK_THROWS_AS(io::save(path, numbered(2), {.fs = &failing}), IoError);
  CHECK(std::count(failing.names().begin(), failing.names().end(), "fsync") == 1);
}

TEST_CASE_FIXTURE(CheckpointFolder, "interrupted and short calls are carried on with") {
  for (const int fault : {EINTR, EAGAIN, FaultFs::kShort}) {
    FaultFs flaky([fault](int call, const std::string&) { return call % 2 == 0 && call < 300 ? fault : 0; });
    io::save(path, numbered(1), {.fs = &flaky});
    FaultFs again([fault](int call, const std::string&) { return call % 2 == 0 && call < 300 ? fault : 0; });
    CHECK(number_of(io::load(path, &again)) == 1);
  }
  FaultFs stuck([](int, const std::string& name) { return name == "write" ? EINTR : 0; });
  CHECK_THROWS_AS(io::save(path, numbered(2), {.fs = &stuck}), IoError);  // not forever
  CHECK(number_of(io::load(path)) == 1);
}

TEST_CASE_FIXTURE(
    CheckpointFolder,
    "a disk that becomes full in the middle of a write leaves the old file, and then works again") {
  io::save(path, numbered(1));
  for (int at = 0;; ++at) {
    int writes = 0;
    FaultFs full([&](int, const std::string& name) {
      return name == "write" && writes++ >= at ? FaultFs::kHalfThenFail : 0;
    });
    try {
      io::save(path, numbered(2), {.fs = &full});
      REQUIRE(at > 5);
      break;
    } catch (const IoError&) {
      CHECK(number_of(io::load(path)) == 1);
      CHECK(files() == 1);
    }
  }
  CHECK(number_of(io::load(path)) == 2);
}

TEST_CASE_FIXTURE(CheckpointFolder,
                  "where hard links do not exist the previous generation is kept by renaming") {
  FaultFs no_links([](int, const std::string& name) { return name == "link" ? EPERM : 0; });
  for (int n = 1; n <= 3; ++n) io::save(path, numbered(n), {.fs = &no_links});
  CHECK(number_of(io::load(path)) == 3);
  CHECK(number_of(io::load(path + ".prev")) == 2);

  int renames = 0;
  FaultFs failing([&](int, const std::string& name) {
    return name == "link" ? EPERM : name == "rename" && renames++ == 1 ? EIO : 0;
  });
  CHECK_THROWS_AS(io::save(path, numbered(4), {.fs = &failing}), IoError);
  CHECK(number_of(io::load(path)) == 3);  // put back

  renames = 0;
  FaultFs worse([&](int, const std::string& name) {
    return name == "link" ? EPERM : name == "rename" && renames++ >= 1 ? EIO : 0;
  });
  CHECK_THROWS_TEXT(
      io::save(path, numbered(4), {.fs = &worse}), IoError,
      "io::save: " + path + ": renaming failed: Input/output error. The old file is now " + path + ".prev.");
  CHECK(newest() == 3);
}

TEST_CASE("a process killed at any call of a save leaves the old or the new checkpoint") {
  const int calls = save_calls();
  for (int at = 0; at <= calls; ++at) {
    CheckpointFolder place;
    FaultFs sound;
    for (int n = 1; n <= 2; ++n) io::save(place.path, numbered(n), {.fs = &sound});
    const State next = numbered(3);
    const bool ended = survives([&] {
      FaultFs deadly([at](int call, const std::string&) { return call == at ? FaultFs::kKill : 0; });
      io::save(place.path, next, {.fs = &deadly});
    });
    CHECK(ended == (at >= calls));
    const std::int64_t found = number_of(io::load(place.path));
    CHECK((found == 2 || found == 3));
    CHECK(number_of(io::load(place.path + ".prev")) <= found);
    // The next save works and removes what was left behind.
    io::save(place.path, numbered(4), {.fs = &sound});
    CHECK(number_of(io::load(place.path)) == 4);
    CHECK(number_of(io::load(place.path + ".prev")) == found);
    CHECK(place.files() == 2);
  }
}

TEST_CASE_FIXTURE(CheckpointFolder,
                  "a process killed at a random moment of saving again and again leaves a good checkpoint") {
  io::save(path, numbered(0));
  std::int64_t before = 0;
  for (int round = 0; round < 40; ++round) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0)
      for (std::int64_t n = before + 1;; ++n) io::save(path, numbered(n));
    std::this_thread::sleep_for(std::chrono::microseconds(500 + 777 * round));
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    const std::int64_t found = number_of(io::load(path));
    CHECK(found >= before);
    before = found;
  }
  io::save(path, numbered(1));
  CHECK(files() == 2);
}

TEST_CASE(
    "power cut at any moment: whatever was not flushed may be lost or torn, the checkpoint is old or new") {
  using Unflushed = MemoryFs::Unflushed;
  for (int cut = 0;; ++cut) {
    MemoryFs disk;
    for (int n = 1; n <= 2; ++n) io::save("m.ckpt", numbered(n), {.fs = &disk});
    disk.cut_power_before(cut);
    io::save("m.ckpt", numbered(3), {.fs = &disk});
    for (const Unflushed data : {Unflushed::lost, Unflushed::kept, Unflushed::torn_512, Unflushed::torn_4096})
      for (std::size_t renames = 0; renames <= disk.unflushed_names(); ++renames) {
        const auto found = disk.after_crash(data, renames);
        const std::int64_t number = number_of(io::load("m.ckpt", found.get()));
        CHECK((number == 2 || number == 3));
        io::save("m.ckpt", numbered(4), {.fs = found.get()});
        CHECK(number_of(io::load("m.ckpt", found.get())) == 4);
        CHECK(number_of(io::load("m.ckpt.prev", found.get())) == number);
      }
    if (disk.changes() <= cut) {  // the whole save fitted in before the cut: now it is durable
      CHECK(number_of(io::load("m.ckpt", disk.after_crash(Unflushed::lost, 0).get())) == 3);
      REQUIRE(cut > 10);
      break;
    }
  }
}

TEST_CASE_FIXTURE(CheckpointFolder,
                  "resuming takes the newest good generation and says when it is not the newest") {
  CHECK_FALSE(io::load_newest(path).has_value());
  for (int n = 1; n <= 2; ++n) io::save(path, numbered(n));
  io::Loaded loaded = io::load_newest(path).value();
  CHECK(number_of(loaded.state) == 2);
  CHECK(loaded.generation == 2);
  CHECK(loaded.path == path);
  CHECK(loaded.note.empty());

  const auto size = fs::file_size(path);
  fs::resize_file(path, size - 1);
  const std::string damage = "io::load: " + path + ": truncated: " + std::to_string(size - 1) + " of " +
                             std::to_string(size) + " bytes.";
  loaded = io::load_newest(path).value();
  CHECK(number_of(loaded.state) == 1);
  CHECK(loaded.generation == 1);
  CHECK(loaded.path == path + ".prev");
  CHECK(loaded.note == damage + " Using " + path + ".prev instead (generation 1).");
  // Loading reads exactly the named file, but names the other.
  CHECK_THROWS_TEXT(io::load(path), IoError, damage + " " + path + ".prev is good (generation 1).");

  fs::resize_file(path + ".prev", 10);
  CHECK_THROWS_AS(io::load_newest(path), IoError);
  CHECK_THROWS_TEXT(io::load(path), IoError, damage);
}

TEST_CASE_FIXTURE(CheckpointFolder, "a damaged file never takes the place of the good generation before it") {
  for (int n = 1; n <= 2; ++n) io::save(path, numbered(n));
  auto bytes = test::read_bytes(path);
  bytes[bytes.size() / 2] ^= 4;  // as a failing SD card would
  test::write_bytes(path, bytes);
  CHECK(newest() == 1);
  FaultFs failing([](int, const std::string& name) { return name == "rename" ? EIO : 0; });
  CHECK_THROWS_AS(io::save(path, numbered(3), {.fs = &failing}),
                  IoError);  // a fault while recovering from one
  CHECK(newest() == 1);
  io::save(path, numbered(3));
  CHECK(number_of(io::load(path)) == 3);
  CHECK(number_of(io::load(path + ".prev")) == 1);
}

TEST_CASE_FIXTURE(CheckpointFolder, "a file that is there but cannot be looked at is not taken for none") {
  io::save(path, numbered(1));
  FaultFs failing([](int, const std::string& name) { return name == "status_of" ? EACCES : 0; });
  CHECK_THROWS_AS(io::load_newest(path, &failing), IoError);
}

TEST_CASE_FIXTURE(
    CheckpointFolder,
    "temporary files of dead writers are removed, those of living ones and others' files stay") {
  const std::string pid = std::to_string(::getpid());
  for (const std::string& dead : {std::string("999999999"), std::string("1"), pid}) {
    test::write_bytes(folder / (".m.ckpt." + dead + ".0123456789abcdef.tmp"), {1});
    test::write_bytes(folder / (".m.ckpt." + dead + ".0123456789abcdef.prev.tmp"), {1});
  }
  test::write_bytes(folder / ".m.ckpt.2.0123456789abcdef.prev.tmp", {1});
  const std::vector<std::string> stay{".m.ckpt.3.0123456789abcdef.tmp", ".m.ckpt.3.0123456789abcdef.prev.tmp",
                                      ".other.999999999.0123456789abcdef.tmp", ".m.ckpt.tmp",
                                      ".m.ckpt.notes.txt"};
  for (const std::string& name : stay) test::write_bytes(folder / name, {1});
  const int living = ::open((folder / stay[0]).c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::flock(living, LOCK_EX | LOCK_NB) == 0);
  io::save(path, numbered(1));
  ::close(living);
  for (const std::string& name : stay) CHECK(fs::exists(folder / name));
  CHECK(files() == 1 + static_cast<long>(stay.size()));
}

TEST_CASE_FIXTURE(CheckpointFolder,
                  "where files cannot be locked, saving works and no temporary file is removed") {
  const fs::path left = folder / ".m.ckpt.7.0123456789abcdef.tmp";
  test::write_bytes(left, {1});
  FaultFs lockless([](int, const std::string& name) { return name == "lock" ? ENOLCK : 0; });
  io::save(path, numbered(4), {.fs = &lockless});
  CHECK(number_of(io::load(path)) == 4);
  CHECK(fs::exists(left));
}

TEST_CASE_FIXTURE(CheckpointFolder,
                  "a new temporary file that another process takes for abandoned is made again") {
  int locked = 0;
  FaultFs contended(
      [&](int, const std::string& name) { return name == "lock" && locked++ < 3 ? EWOULDBLOCK : 0; });
  io::save(path, numbered(5), {.fs = &contended});
  CHECK(locked > 3);
  CHECK(number_of(io::load(path)) == 5);
  CHECK(files() == 1);
}

TEST_CASE_FIXTURE(CheckpointFolder,
                  "two writers of one file do not mix: each moment has one complete checkpoint") {
  io::save(path, numbered(0));
  std::vector<std::thread> writers;
  for (int writer = 1; writer <= 2; ++writer)
    writers.emplace_back([this, writer] {
      for (int i = 0; i < 20; ++i) io::save(path, numbered(writer));
    });
  for (int i = 0; i < 40; ++i) number_of(io::load(path));
  for (std::thread& writer : writers) writer.join();
  CHECK(number_of(io::load(path)) > 0);
  CHECK(files() == 2);
}
