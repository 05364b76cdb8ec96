// SPDX-License-Identifier: Apache-2.0
#include "command_line.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "command_line_impl.h"
#include "fine_tune.h"
#include "linnet/version.h"

namespace linnet::tools {
// ---- what a value must look like ----------------------------------------------------------------------

namespace {

std::string number_from(const std::string& text, bool zero) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool good =
      !text.empty() && *end == '\0' && std::isfinite(value) && (zero ? value >= 0.0 : value > 0.0);
  return good ? ""
              : std::string("expected a number ") + (zero ? "of 0 or more" : "above 0") + ", got " + text;
}

}  // namespace

std::string whole_above_zero(const std::string& text) {
  bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  bool good = digits && text.find_first_not_of('0') != std::string::npos;
  return good ? "" : "expected a whole number above 0, got " + text;
}

std::string some_epochs(const std::string& text) {
  std::string wrong = whole_above_zero(text);
  return !wrong.empty() || text.size() <= 7 ? wrong : "expected at most 9999999, got " + text;
}

std::string finite_above_zero(const std::string& text) { return number_from(text, false); }
std::string finite_not_negative(const std::string& text) { return number_from(text, true); }

namespace {

/// CLI11 would turn -1 into the largest seed.
std::string not_negative(const std::string& text) {
  return text.starts_with('-') ? "expected a whole number, 0 or more, got " + text : "";
}

std::string class_ranges(const std::string& text) {
  return numbers_of_ranges(text).empty() ? "expected class numbers such as 0-4 or 1,3,5-9, got " + text : "";
}

}  // namespace

// ---- the subcommands ----------------------------------------------------------------------------------

void add_common(CLI::App& command, Common& common) {
  command.add_option("--threads", common.threads, "Threads to use (default: all cores)")
      ->check(CLI::Range(1, 256));
  command.add_option("--seed", common.seed, "Seed of everything that is random")
      ->check(not_negative)
      ->capture_default_str();
  command.add_flag("--json", common.json, "Print the figures as one JSON object on the last line");
}

namespace {

void add_fine_tuning_options(CLI::App& command, FineTuning& tuning) {
  CLI::Option* from = command.add_option("--from", tuning.from,
                                         "Start from the network of this checkpoint, not the recipe's");
  command
      .add_option("--freeze", tuning.freeze,
                  "Do not train parameters of such names, \"0.*\" or \"*\"; may be given several times")
      ->needs(from)
      ->allow_extra_args(false);
  command
      .add_flag("--new-head", tuning.new_head,
                "Replace the last layer by a new one for the classes of the data")
      ->needs(from);
}

void add_train_options(CLI::App& command, TrainArguments& arguments) {
  command
      .add_option(
          "RECIPE", arguments.recipe,
          "mnist-mlp, mnist-cnn, cifar10-cnn, mobilenet-v1-025, har-lstm, har-gru, har-conv or cmapss-lstm")
      ->required();
  command.add_option("--data", arguments.data, kDataHelp);
  command.add_option("--out", arguments.out, "Checkpoint file")->required();
  command.add_option("--epochs", arguments.epochs, "Epochs (default: the recipe's)")->check(some_epochs);
  command.add_option("--batch", arguments.batch, "Batch size (default: the recipe's)")
      ->check(whole_above_zero);
  command.add_option("--lr", arguments.lr, "Learning rate (default: the recipe's)")->check(finite_above_zero);
  command.add_option("--optimizer", arguments.optimizer,
                     "sgd, adam, adamw, amsgrad, nadam, rmsprop, adagrad or lion (default: the recipe's)");
  command.add_option("--limit", arguments.limit, "Use the first N training samples only")
      ->check(whole_above_zero);
  command.add_option("--classes", arguments.classes, "Only these classes, such as 5-9 or 1,3 (default: all)")
      ->check(class_ranges);
  command
      .add_option("--per-class", arguments.per_class, "Use the first N training samples of each class only")
      ->check(whole_above_zero);
  command.add_option("--history", arguments.history, "File that gets a JSON line an epoch");
  command
      .add_option("--checkpoint-every", arguments.checkpoint_every,
                  "Seconds between checkpoints within an epoch")
      ->check(finite_above_zero);
  command.add_flag("--resume", arguments.resume, "Go on from the checkpoint if there is one");
  add_fine_tuning_options(command, arguments.tuning);
}

void add_eval_options(CLI::App& command, EvalArguments& arguments) {
  command.add_option("FILE", arguments.file, "A .ckpt or .linnet file")->required();
  command.add_option("--data", arguments.data, kDataHelp);
}

void add_export_options(CLI::App& command, ExportArguments& arguments) {
  command.add_option("FILE", arguments.file, "A .ckpt file")->required();
  command.add_option("--format", arguments.format, "linnet")->capture_default_str();
  command
      .add_option("--layout", arguments.layout, "Weights in blocks for SIMD, or plain rows for scalar boards")
      ->check(CLI::IsMember({"blocked", "plain"}))
      ->capture_default_str();
  command.add_flag("--page-aligned", arguments.page_aligned,
                   "Weights at a page of their own, for boards that map the file");
  command
      .add_option("--golden-cases", arguments.golden_cases,
                  "Outputs of training to compare with on the board: 8 to 1024, or 0 for none")
      ->capture_default_str();
  command.add_option("--out", arguments.out, "File to write")->required();
  command.add_option("--ops-file", arguments.ops_file,
                     "Write the names of the ops for a selective build of the runtime");
}

void add_run_options(CLI::App& command, RunArguments& arguments) {
  command.add_option("FILE", arguments.file, "A .linnet file")->required();
  command.add_option("--input", arguments.input, "A .npy or .png file")->required();
  command.add_option("--out", arguments.out, "Write the output as .npy");
  command.add_option("--repeat", arguments.repeat, "Run N times for the latency")
      ->check(CLI::Range(1, 1000000));
}

void add_bench_options(CLI::App& command, BenchArguments& arguments) {
  command.add_option("WORKLOAD", arguments.workloads, "mlp, cnn, lstm, mobilenet (default: all)");
  command.add_option("--peer", arguments.peer,
                     "What to run beside it, by turns: libtorch, or one-thread for ourselves");
  command.add_option("--rounds", arguments.rounds, "Rounds a workload")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--seconds", arguments.seconds, "Seconds a round")
      ->check(finite_above_zero)
      ->capture_default_str();
}

void add_subcommands(Program& program) {
  add(program, "train", "Train a recipe and write a checkpoint", train, add_train_options);
  add(program, "eval", "Test accuracy of a checkpoint or a .linnet file", eval, add_eval_options);
  add(program, "export", "Write an inference build of a checkpoint", export_model, add_export_options);
  add_compression(program);
  add(program, "run", "Run a .linnet file on one input", run, add_run_options);
  add(program, "inspect", "What a checkpoint or .linnet file holds", inspect,
      [](CLI::App& command, InspectArguments& arguments) {
        command.add_option("FILE", arguments.file, "A .ckpt or .linnet file")->required();
      });
  add(program, "bench", "Training speed of the standard workloads, on one thread unless told", bench,
      add_bench_options);
  add(program, "info", "CPU, instruction set, matmul, cores, memory, temperature", info,
      [](CLI::App&, Common&) {});
}

/// The options were wrong: CLI11's text as one line.
int report_usage(const CLI::ParseError& error, const CLI::App& program) {
  if (error.get_exit_code() == 0) return program.exit(error);  // --help, --version
  std::fprintf(stderr, "linnet: %s. See linnet --help.\n", error.what());
  return kBadInput;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  Program program;
  program.words.assign(argv + std::min(argc, 1), argv + argc);
  program.app.set_version_flag("--version", LINNET_VERSION);
  program.app.require_subcommand(1);
  add_subcommands(program);
  try {
    program.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(error, program.app);
  }
  return 0;
}

}  // namespace linnet::tools
