// SPDX-License-Identifier: Apache-2.0
#pragma once
// The events of a profile as a file. Private to core.

#include <cstdint>
#include <string>
#include <vector>

namespace linnet::profile {

inline constexpr int kLayerEvent = 3;  ///< after the values of Phase: the frame around the ops of a layer

struct Event {
  int name, layer;  ///< places in the list of texts
  int kind;         ///< a Phase, or kLayerEvent
  int thread;
  double begin, seconds;
  double flop, bytes;
  std::int64_t allocations;
};

void write_events(const std::string& file, const std::vector<std::string>& texts,
                  const std::vector<Event>& events);

}  // namespace linnet::profile
