// One isolate made ahead, so that a plug-in that starts need not wait until V8 has read the startup snapshot.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "core/result.h"
#include "engine/isolate.h"

namespace valor::engine {

class IsolateStock {
 public:
  /// The isolate in stock is one for `blueprint`. Nothing is made before the first take().
  explicit IsolateStock(IsolateBlueprint blueprint) : blueprint_(std::move(blueprint)) {}
  /// Waits for the isolate that is being made. Those that were taken live on.
  ~IsolateStock();
  IsolateStock(const IsolateStock&) = delete;
  IsolateStock& operator=(const IsolateStock&) = delete;

  /// An isolate for `blueprint`, to be moved into: the one in stock where it fits, which is then made anew, else one
  /// that is made at once. Any thread.
  core::Result<std::unique_ptr<Isolate>> take(const IsolateBlueprint& blueprint);

  /// Whether the next take() need not wait.
  bool filled();

 private:
  void run();

  const IsolateBlueprint blueprint_;
  std::mutex mutex_;  // all below
  std::condition_variable wanted_;
  std::thread thread_;
  std::unique_ptr<Isolate> spare_;
  bool empty_ = false;  // the thread is to make one
  bool ending_ = false;
};

}  // namespace valor::engine
