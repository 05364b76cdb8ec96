// SPDX-License-Identifier: Apache-2.0
// Options of prune, cluster, distil, quantize and report.
#include "command_line_impl.h"

namespace linnet::tools {
namespace {

std::string a_share(const std::string& text) {
  const std::string wrong = finite_not_negative(text);
  return wrong.empty() && std::stod(text) < 1.0 ? "" : "expected a number of 0 or more, below 1, got " + text;
}

constexpr const char* kReportHelp = "File that gets the report: .json, .svg or text; several";

void add_shared(CLI::App& command, CompressionArguments& arguments, const char* file, const char* epochs) {
  command.add_option(file, arguments.file, "A .ckpt file")->required();
  command.add_option("--data", arguments.data, kDataHelp);
  command.add_option("--out", arguments.out, "Checkpoint file")->required();
  command.add_option("--epochs", arguments.epochs, epochs)->check(some_epochs);
  command.add_option("--batch", arguments.batch, "Batch size (default: the recipe's)")
      ->check(whole_above_zero);
  command
      .add_option("--lr", arguments.lr, "Learning rate at the start (default: as docs/compression.md says)")
      ->check(finite_above_zero);
  command.add_option("--weight-decay", arguments.weight_decay, "Weight decay (default: the recipe's)")
      ->check(finite_above_zero);
  command.add_option("--limit", arguments.limit, "Use the first N training samples only")
      ->check(whole_above_zero);
  command.add_option("--baseline", arguments.baseline, "Compare with this checkpoint (default: FILE)");
  command.add_option("--report", arguments.reports, kReportHelp)->allow_extra_args(false);
  command
      .add_option("--max-drop", arguments.max_drop,
                  "Fail when more points of accuracy are lost (of regression: when the error grows by more)")
      ->check(finite_not_negative);
  command
      .add_option("--checkpoint-every", arguments.checkpoint_every,
                  "Seconds between checkpoints within an epoch")
      ->check(finite_above_zero);
  command.add_flag("--resume", arguments.resume, "Go on from the checkpoint if there is one");
}

constexpr const char* kTuneHelp = "Epochs of fine-tuning (default: none)";
constexpr const char* kLayersHelp = "Only weights of such names, \"0.*\" (default: all)";

void add_prune_options(CLI::App& command, PruneArguments& arguments) {
  add_shared(command, arguments, "FILE", kTuneHelp);
  CLI::Option* sparsity =
      command.add_option("--sparsity", arguments.sparsity, "Share of the weights (channels) that go")
          ->check(a_share);
  CLI::Option* threshold =
      command.add_option("--threshold", arguments.threshold, "Weights go whose absolute value is below it")
          ->check(finite_above_zero)
          ->excludes(sparsity);
  CLI::Option* n_of_m = command
                            .add_option("--n-of-m", arguments.n_of_m,
                                        "Keep the N largest of every M weights of a row, such as 2:4")
                            ->excludes(sparsity)
                            ->excludes(threshold);
  CLI::Option* block =
      command.add_option("--block", arguments.block, "Blocks of weights of a row stay or go together: 1x4")
          ->excludes(n_of_m);
  command.add_option("--layers,--pattern", arguments.layers, kLayersHelp);
  command
      .add_option("--scope", arguments.scope,
                  "Of what the sparsity is a share: layer or global (default: global; of --structured layer)")
      ->check(CLI::IsMember({"layer", "global"}))
      ->needs(sparsity);
  CLI::Option* structured = command
                                .add_flag("--structured", arguments.structured,
                                          "Remove whole units and channels: smaller and faster")
                                ->needs(sparsity)
                                ->excludes(threshold)
                                ->excludes(n_of_m)
                                ->excludes(block);
  CLI::Option* schedule = command
                              .add_option("--schedule", arguments.schedule,
                                          "constant: at once; polynomial: more and more while training")
                              ->check(CLI::IsMember({"constant", "polynomial"}))
                              ->needs(sparsity)
                              ->excludes(structured)
                              ->capture_default_str();
  command
      .add_option("--initial-sparsity", arguments.initial_sparsity, "Sparsity that polynomial begins with")
      ->check(a_share)
      ->needs(schedule);
  command.add_option("--frequency", arguments.frequency, "Steps between two prunings of polynomial")
      ->check(whole_above_zero)
      ->needs(schedule)
      ->capture_default_str();
  command
      .add_option("--criterion", arguments.criterion, "Which channels go first, by l1 or batch-norm scale")
      ->check(CLI::IsMember({"l1", "batch-norm"}))
      ->needs(structured)
      ->capture_default_str();
  command.add_option("--multiple", arguments.multiple, "Layers keep a multiple of so many channels")
      ->check(whole_above_zero)
      ->needs(structured);
}

void add_cluster_options(CLI::App& command, ClusterArguments& arguments) {
  add_shared(command, arguments, "FILE", kTuneHelp);
  command.add_option("--clusters", arguments.clusters, "Values that the weights of a layer share, 2 to 256")
      ->required()
      ->check(CLI::Range(2, 256));
  command.add_option("--start", arguments.start, "Where k-means begins")
      ->check(CLI::IsMember({"linear", "density", "kmeans++"}))
      ->capture_default_str();
  command.add_option("--layers,--pattern", arguments.layers, kLayersHelp);
}

void add_distil_options(CLI::App& command, DistilArguments& arguments) {
  add_shared(command, arguments, "TEACHER", "Epochs (default: the student's)");
  command.add_option("--student", arguments.student, "Recipe of the network that learns")->required();
  command.add_option("--temperature", arguments.temperature, "By which the outputs of both are divided")
      ->check(finite_above_zero)
      ->capture_default_str();
  command.add_option("--alpha", arguments.alpha, "Share of the teacher in the loss, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
}

void add_quantize_options(CLI::App& command, QuantizeArguments& arguments) {
  add_shared(command, arguments, "FILE", "Epochs of --qat (default: 1)");
  command.add_option("--mode", arguments.mode, "static, dynamic, weight-int8, weight-int4 or f16")
      ->check(CLI::IsMember({"static", "dynamic", "weight-int8", "weight-int4", "f16"}))
      ->capture_default_str();
  CLI::Option* calibrate =
      command.add_option("--calibrate", arguments.calibrate, "Training samples that ranges are taken from")
          ->check(whole_above_zero)
          ->capture_default_str();
  command.add_option("--keep-float", arguments.keep_float, "Layers of such names stay float; several")
      ->allow_extra_args(false);
  CLI::Option* sensitive =
      command
          .add_option("--sensitive", arguments.sensitive, "Keep up to N layers float, those that lose most")
          ->check(CLI::Range(1, 1000));
  command.add_flag("--qat", arguments.qat, "Train on with the rounding in the network")
      ->excludes(sensitive)
      ->excludes(calibrate);
}

void add_report_options(CLI::App& command, ReportArguments& arguments) {
  command.add_option("FILE", arguments.files, "Checkpoints, the first is what others are compared with")
      ->required();
  command.add_option("--data", arguments.data, kDataHelp);
  command.add_option("--report", arguments.reports, kReportHelp)->allow_extra_args(false);
}

}  // namespace

void add_compression(Program& program) {
  add(program, "prune", "Set weights of a checkpoint to 0, or remove channels", prune, add_prune_options);
  add(program, "cluster", "Let the weights of a checkpoint share few values", cluster, add_cluster_options);
  add(program, "distil", "Train a recipe's network on what a checkpoint says", distil, add_distil_options);
  add(program, "quantize", "Turn a checkpoint into one of integers", quantize, add_quantize_options);
  add(program, "report", "Bytes, latency and accuracy of checkpoints side by side", report,
      add_report_options);
}

}  // namespace linnet::tools
