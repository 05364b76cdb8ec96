// SPDX-License-Identifier: Apache-2.0
#pragma once
// Our own small thread pool. Work is cut into tiles by its shape, never by the number of threads, so
// results do not depend on it.

#include <cstdint>
#include <memory>
#include <type_traits>

namespace linnet {

/// Threads that parallel_for may use, the caller included. Default: the number of cores, or LINNET_THREADS.
/// May change between calls. ValueError outside 1..256.
void set_num_threads(int threads);
int num_threads();

/// A callable that lives at least as long as the call it is passed to.
class TileBody {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, TileBody>) TileBody(F&& body)
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(body)))),
        call_([](void* object, std::int64_t tile) {
          (*static_cast<std::remove_reference_t<F>*>(object))(tile);
        }) {}
  void operator()(std::int64_t tile) const { call_(object_, tile); }

 private:
  void* object_;
  void (*call_)(void*, std::int64_t);
};

/// Runs body(0) .. body(tiles - 1), each exactly once, and returns when all are done. `work` is the rough
/// number of scalar operations of the whole loop: small loops stay on the calling thread. The first
/// exception thrown by a tile is rethrown here after the others have finished. Nested calls run inline.
void parallel_for(std::int64_t tiles, std::int64_t work, TileBody body);

}  // namespace linnet
