// The queue of a loop, for those who may outlive the loop: another thread's objects that answer to one of this loop's.
#pragma once

#include <mutex>
#include <utility>

#include "net/event-loop.h"

namespace valor::net {

/// Thread-safe. Shared; whoever owns it closes it before the loop goes.
class Postbox {
 public:
  explicit Postbox(EventLoop& loop) : loop_(&loop) {}

  /// As EventLoop::post(); false also after close().
  bool post(Task task) {
    std::lock_guard lock(mutex_);
    return loop_ != nullptr && loop_->post(std::move(task));
  }
  void close() {
    std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }

 private:
  std::mutex mutex_;
  EventLoop* loop_;
};

}  // namespace valor::net
