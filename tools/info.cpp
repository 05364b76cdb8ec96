// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <fstream>
#include <thread>

#include "commands.h"
#include "linnet/core/isa.h"
#include "linnet/core/parallel.h"
#include "linnet/version.h"

namespace linnet::tools {
namespace {

/// "model name" of /proc/cpuinfo on x86, the board's name on ARM.
std::string cpu_name() {
  std::string line;
  std::ifstream board("/proc/device-tree/model");
  if (std::getline(board, line, '\0') && !line.empty()) return line;
  std::ifstream cpuinfo("/proc/cpuinfo");
  while (std::getline(cpuinfo, line))
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

/// Degrees Celsius, where the board has a sensor.
Figure temperature() {
  std::ifstream sensor("/sys/class/thermal/thermal_zone0/temp");
  double thousandths = 0.0;
  if (sensor >> thousandths) return thousandths / 1000.0;
  return nullptr;
}

std::int64_t memory_bytes() { return std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE); }

}  // namespace

void info(const Common& common) {
  if (common.threads > 0) set_num_threads(common.threads);
  common.print({{"version", LINNET_VERSION},
                {"cpu", cpu_name()},
                {"simd", std::string(name(active_isa()))},
                {"matmul", matmul_uses_blas() ? "OpenBLAS" : "own"},
                {"cores", std::int64_t{std::thread::hardware_concurrency()}},
                {"threads", std::int64_t{num_threads()}},
                {"memory_bytes", memory_bytes()},
                {"temperature_c", temperature()}});
}

}  // namespace linnet::tools
