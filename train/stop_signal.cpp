// SPDX-License-Identifier: Apache-2.0
#include "linnet/train/stop_signal.h"

#include <unistd.h>

namespace linnet::train {
namespace {

volatile sig_atomic_t received = 0;

void on_signal(int signal) {
  if (received != 0) _exit(128 + signal);
  received = signal;
}

}  // namespace

StopSignal::StopSignal(bool enabled) : enabled_(enabled) {
  if (!enabled_) return;
  received = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, &old_term_);
  sigaction(SIGINT, &action, &old_int_);
}

StopSignal::~StopSignal() {
  if (!enabled_) return;
  sigaction(SIGTERM, &old_term_, nullptr);
  sigaction(SIGINT, &old_int_, nullptr);
}

bool StopSignal::requested() const { return enabled_ && received != 0; }

}  // namespace linnet::train
