// V8's own tasks for one isolate: garbage-collection steps, finalisers, finished WebAssembly compilations. V8 posts
// them from any thread; they run on the isolate's thread when it gets to them.
#pragma once

#include <node.h>
#include <v8-platform.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace valor::engine {

class TaskQueue final : public v8::TaskRunner {
 public:
  /// From here on `wake` is called, on the posting thread, when the isolate's thread should call run_due() soon. That
  /// thread looks by itself for what came before.
  void set_wake(std::function<void()> wake);

  /// Runs what was due when it was called. Isolate's thread. Returns whether anything ran.
  bool run_due();
  /// Milliseconds until run_due() has something to do: 0 now, -1 nothing in sight. Isolate's thread.
  int wait_ms();
  /// Drops all tasks, also those that are posted from now on; `wake` is not called again.
  void close();

  bool IdleTasksEnabled() override { return false; }
  bool NonNestableTasksEnabled() const override { return true; }
  bool NonNestableDelayedTasksEnabled() const override { return true; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Delayed {
    Clock::time_point due;
    std::unique_ptr<v8::Task> task;
    bool operator<(const Delayed& other) const { return due > other.due; }
  };

  void PostTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation& location) override;
  void PostNonNestableTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation& location) override;
  void PostDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_in_seconds,
                           const v8::SourceLocation& location) override;
  void PostNonNestableDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_in_seconds,
                                      const v8::SourceLocation& location) override;

  std::mutex mutex_;
  std::function<void()> wake_;
  bool closed_ = false;
  std::vector<std::unique_ptr<v8::Task>> tasks_;
  std::vector<Delayed> delayed_;  // a heap, the next one first
  std::atomic<bool> any_{false};  // whether there are tasks of either kind; spares the usual turn the lock
};

/// What the node platform asks for when an isolate schedules its tasks itself.
class TaskQueueDelegate final : public node::IsolatePlatformDelegate {
 public:
  explicit TaskQueueDelegate(std::shared_ptr<TaskQueue> queue) : queue_(std::move(queue)) {}
  std::shared_ptr<v8::TaskRunner> GetForegroundTaskRunner() override { return queue_; }
  bool IdleTasksEnabled() override { return false; }

 private:
  std::shared_ptr<TaskQueue> queue_;
};

}  // namespace valor::engine
