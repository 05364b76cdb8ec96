// SPDX-License-Identifier: Apache-2.0
// Forecasts a monthly series: reads a table, keeps the last years out, learns from the twelve months before,
// and compares with saying "as a year ago".
//
//   airline [--data DIR] [--smoke]
//
// Expect: on airline-passengers.csv (144 months, thousands of passengers) a root mean squared error of 16 for
// the next month of the last 35, where "as a year ago" has 42. Without that file a made-up series
// with the same trend and seasons is used; --smoke uses it too, trains less, and fails unless the network is
// the better one.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "linnet/linnet.h"

using namespace linnet;

namespace {

constexpr std::int64_t kYear = 12;

/// Passengers that grow by 0.9 % a month, more in summer.
std::string write_made_up_series() {
  std::ofstream file("made_up_passengers.csv");
  file << "\"Month\",\"Passengers\"\n";
  Rng noise(1, 0);
  for (int month = 0; month < 144; ++month) {
    const double season = 1.0 + 0.25 * std::sin(6.2832 * (month % 12 - 3) / 12.0);
    const double passengers = 110.0 * std::exp(0.009 * month) * season * (1.0 + 0.02 * noise.normal());
    file << '"' << 1949 + month / 12 << '-' << month % 12 + 1 << "\"," << passengers << '\n';
  }
  return "made_up_passengers.csv";
}

/// Empty when it is in none of the usual folders and nobody named one.
std::string find_series(const std::string& dir) {
  try {
    const std::string file = data::find_folder("timeseries", dir) + "/airline-passengers.csv";
    return std::filesystem::exists(file) ? file : "";
  } catch (const IoError&) {
    if (!dir.empty()) throw;
    return {};
  }
}

/// Growth of the logarithm from month to month, [months - 1, 1]: trend and seasons without the level.
Tensor growth_of(std::span<const double> months) {
  std::vector<float> growth;
  for (std::size_t i = 1; i < months.size(); ++i)
    growth.push_back(static_cast<float>(std::log(months[i]) - std::log(months[i - 1])));
  return Tensor::from(growth, {static_cast<std::int64_t>(growth.size()), 1});
}

double root_mean(double squares, std::size_t count) {
  return std::sqrt(squares / static_cast<double>(count));
}

int run(const std::string& dir, bool smoke) {
  std::string file = smoke ? "" : find_series(dir);
  if (file.empty()) {
    std::puts("airline-passengers.csv not used: a made-up series in its place.");
    file = write_made_up_series();
  }
  const data::Table table = data::read_table(file, {.columns = {"Passengers"}});
  const auto passengers = table.values.data<double>();

  // Row r is the growth from month r to r + 1. The last 36 rows are held out, of which 35 are the end of a
  // window; what the inputs are scaled by is of the windows for training alone.
  const Tensor growth = growth_of(passengers);
  const auto parts =
      data::split_by_time(data::Windows(growth, growth, {.length = kYear, .horizon = 1}), 0.33);
  const std::int64_t known = kYear + static_cast<std::int64_t>(parts.training.size());
  const auto scale = data::Standardiser::fit(data::TensorDataset(slice(growth, 0, 0, known), {}));
  const Tensor rows = scale(growth);
  const data::Windows windows(rows, rows, {.length = kYear, .horizon = 1});
  const data::Subset training(windows, parts.training);

  manual_seed(42);
  nn::Sequential model{nn::Flatten(), nn::Dense(kYear, 16), nn::Tanh(), nn::Dense(16, 1)};
  optim::Adam adam(model.parameters(), {.lr = 3e-3});
  train::Trainer trainer(model, adam, {.loss = mse, .show = train::Show::nothing});
  trainer.fit(training, {.epochs = smoke ? 60 : 100, .batch = 16});

  NoGrad no_grad;
  model.eval();
  double network = 0.0, year_ago = 0.0;
  for (const std::int64_t window : parts.held_out) {
    const auto month = static_cast<std::size_t>(windows.last_row(window)) + 1;
    const double said = model(windows.batch(std::span(&window, 1)).x).item();
    const double forecast = passengers[month - 1] * std::exp(said * scale.deviation()[0] + scale.mean()[0]);
    network += std::pow(forecast - passengers[month], 2);
    year_ago += std::pow(passengers[month - kYear] - passengers[month], 2);
  }
  network = root_mean(network, parts.held_out.size());
  year_ago = root_mean(year_ago, parts.held_out.size());
  std::printf("%zu months for training, %zu held out; rmse %.1f, as a year ago %.1f\n", parts.training.size(),
              parts.held_out.size(), network, year_ago);
  return network < year_ago ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::string dir;
    bool smoke = false;
    for (int i = 1; i < argc; ++i) {
      if (std::strcmp(argv[i], "--smoke") == 0)
        smoke = true;
      else if (std::strcmp(argv[i], "--data") == 0 && i + 1 < argc)
        dir = argv[++i];
      else
        fail<ValueError>("airline: unknown argument ", argv[i], ". Usage: airline [--data DIR] [--smoke]");
    }
    return run(dir, smoke);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
