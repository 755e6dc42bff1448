// Calls a function from a thread of its own unless the watch is gone in time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace valor::plugins::wasm {

class StopWatch {
 public:
  StopWatch(std::chrono::milliseconds time, std::function<void()> late)
      : thread_([this, time, late = std::move(late)] {
          std::unique_lock lock(mutex_);
          if (!done_.wait_for(lock, time, [this] { return over_; })) late();
        }) {}
  ~StopWatch() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    done_.notify_one();
    thread_.join();
  }
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace valor::plugins::wasm
