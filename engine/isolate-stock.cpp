#include "engine/isolate-stock.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace valor::engine {

namespace {

// The thread makes way for everybody who has something to do now.
constexpr int kNiceness = 10;
// Whoever took one starts a plug-in in it at first, which the making of the next would slow down.
constexpr std::chrono::milliseconds kPause{5};

}  // namespace

IsolateStock::~IsolateStock() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wanted_.notify_one();
  if (thread_.joinable()) thread_.join();
}

core::Result<std::unique_ptr<Isolate>> IsolateStock::take(const IsolateBlueprint& blueprint) {
  if (blueprint.memory_bytes == blueprint_.memory_bytes) {
    std::unique_ptr<Isolate> isolate;
    {
      std::lock_guard lock(mutex_);
      isolate = std::move(spare_);
      empty_ = true;
      if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    }
    wanted_.notify_one();
    if (isolate != nullptr) return isolate;
  }
  return Isolate::make(blueprint);
}

bool IsolateStock::filled() {
  std::lock_guard lock(mutex_);
  return spare_ != nullptr;
}

void IsolateStock::run() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_.wait(lock, [this] { return empty_ || ending_; });
    if (ending_ || wanted_.wait_for(lock, kPause, [this] { return ending_; })) return;
    empty_ = false;
    if (spare_ != nullptr) continue;
    lock.unlock();
    // Where this fails, whoever takes the next one fails too, and says so.
    auto made = Isolate::make(blueprint_);
    lock.lock();
    if (made) spare_ = std::move(made).value();
  }
}

}  // namespace valor::engine
