// SPDX-License-Identifier: Apache-2.0
#pragma once
// report(): what each step of compression cost and what it gained, side by side.
//
//   compress::report({{"float", model}, {"int8", quantized}}, held_out).print();
//
// Every variant is exported in memory, with golden cases; its bytes are those of the file, its latency that
// of the runtime at batch 1. The first one is what the others are compared with. All but latency is the same
// for the same models and samples.

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "linnet/data/dataset.h"
#include "linnet/deploy/deploy.h"
#include "linnet/graph/graph_module.h"
#include "linnet/graph/trace.h"
#include "linnet/train/metric.h"

namespace linnet::compress {

/// A model under a name. It outlives the call of report() and is not changed.
struct Variant {
  Variant(std::string variant_name, const graph::GraphModule& model, deploy::Options options = {})
      : name(std::move(variant_name)),
        exported(std::move(options)),
        make([&model](const Shape&) { return copy(model); }) {}
  /// Any model of one input, traced.
  template <std::derived_from<nn::Module> Model>
  Variant(std::string variant_name, Model& model)
      : name(std::move(variant_name)), make([&model](const Shape& one) {
          return std::make_shared<graph::GraphModule>(graph::trace(model, one), model.state());
        }) {}
  Variant(std::string variant_name, graph::GraphModule& model)
      : Variant(std::move(variant_name), std::as_const(model)) {}

  std::string name;
  deploy::Options exported = {};  ///< as what its bytes are counted
  /// The model, given the shape of a batch of one sample.
  std::function<std::shared_ptr<graph::GraphModule>(const Shape& one)> make;

 private:
  static std::shared_ptr<graph::GraphModule> copy(const graph::GraphModule& model);
};

struct ReportRow {
  std::string name = {};
  std::int64_t bytes = 0;                    ///< of the `.linnet` file
  std::int64_t parameters = 0, nonzero = 0;  ///< all, and those that are not 0
  std::int64_t macs = 0;
  double latency_us = 0.0;       ///< median of rounds; NaN when it was not measured
  double speedup = 0.0;          ///< median over rounds of the first one's latency / this one's
  train::Estimate value = {};    ///< accuracy, 0 .. 1, or the root mean squared error
  train::Estimate change = {};   ///< against the first one, on the same samples
  std::string worst_layer = {};  ///< of a quantized model, by signal to quantization noise; else empty
  double worst_sqnr = 0.0;       ///< in decibel
  std::string note = {};         ///< a sentence, where something has to be said
};

struct Report {
  bool regression = false;
  std::int64_t samples = 0;
  std::vector<ReportRow> rows = {};

  std::string text() const;  ///< a table, and the notes below it
  std::string json() const;  ///< one object on one line
  std::string svg() const;   ///< accuracy against bytes
  void print() const;        ///< text() on standard output
  /// svg() for a name that ends in .svg, json() for .json, else text(). IoError when it cannot be written.
  void write(const std::string& path) const;
};

struct ReportOptions {
  /// In each every variant runs for some milliseconds, by turns; 0: latency is not measured.
  int rounds = 21;
};

/// ValueError for no variant, a name that comes twice, a dataset without labels or a model with several
/// inputs or outputs; GraphError for what the runtime cannot run.
Report report(const std::vector<Variant>& variants, const data::Dataset& dataset,
              const ReportOptions& options = {});

}  // namespace linnet::compress
