// V8 ends the process where it cannot go on: an array beyond its largest size, a heap that overflows in one go. For a
// server of many plug-ins that is too much. While a guard lives, such an end on its thread calls a function instead,
// which must give the thread up and never return; the other threads go on. A failed internal check of V8 still ends the
// process, because nobody knows then what is left in order.
#pragma once

#include <functional>

namespace valor::engine {

class FatalGuard {
 public:
  /// For the calling thread; one at a time. `give_up` is called on that thread and must not return.
  explicit FatalGuard(std::function<void()> give_up);
  /// On the same thread.
  ~FatalGuard();
  FatalGuard(const FatalGuard&) = delete;
  FatalGuard& operator=(const FatalGuard&) = delete;

 private:
  std::function<void()> give_up_;
};

}  // namespace valor::engine
