// One running instance of the plug-in, as the SDK keeps it: its number at the host, the coroutines that run in it, and
// the way back to its thread from other threads. Handlers do not see it; they see a Context.
//
// Coroutines run on the thread of the instance only. When their request is gone (answered otherwise, client left, timed
// out), or the instance ends, they are destroyed at the co_await where they wait: destructors run, nothing else does.
#pragma once

#include <valor.h>

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#if !defined(__wasm__)
#include <mutex>
#endif

#if defined(__cpp_exceptions)
#define VALOR_DETAIL_EXCEPTIONS 1
#else
#define VALOR_DETAIL_EXCEPTIONS 0
#endif

namespace valor::detail {

#if defined(__wasm__)
struct Mutex {
  void lock() {}
  void unlock() {}
};
#else
using Mutex = std::mutex;
#endif

class Lock {
 public:
  explicit Lock(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

/// The host's functions.
#if defined(__wasm__)
inline constexpr const valor_host* host = &valor_imports;  // known to the compiler: calls become calls of the imports
#else
// Set before anything else runs and never changed; hidden, so that no other plug-in's copy of the SDK shares it.
__attribute__((visibility("hidden"))) inline const valor_host* host = nullptr;
#endif

/// Something that the host completes later. Its address is its operation number, so it must not move while it waits.
class Operation {
 public:
  uint64_t number() const { return reinterpret_cast<uintptr_t>(this); }
  static Operation* of(uint64_t number) { return reinterpret_cast<Operation*>(static_cast<uintptr_t>(number)); }
  /// `data`: see valor_guest::complete.
  virtual void complete(int32_t status, const void* data, size_t size) = 0;

 protected:
  ~Operation() = default;
};

/// Something to be done on the instance's thread.
class Job {
 public:
  virtual ~Job() = default;
  virtual void run() = 0;
};

class Instance;

/// A chain of coroutines that wait for each other, seen from its outermost one.
struct Root {
  Root(Instance& its_instance, uint64_t its_request) : instance(its_instance), request(its_request) {}
  Instance& instance;
  uint64_t request;  ///< 0: none (on_create)
  std::coroutine_handle<> frame;
  Root* next = nullptr;
  Root* previous = nullptr;
  bool doomed = false;

  /// What it was started for fails. `message` is for the log, or for the operator who wants the instance.
  void fail(std::string_view message) const;
};

class Instance : private Operation {
 public:
  explicit Instance(uint64_t number) : number_(number) {}
  virtual ~Instance() = default;
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  uint64_t number() const { return number_; }

  // --- any thread ---

  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// Runs `job` on the instance's thread, soon. Once the instance has ended, it is destroyed unrun.
  void post(std::unique_ptr<Job> job) {
    const Lock lock(mutex_);
    if (closed_) return;
    jobs_.push_back(std::move(job));
    if (jobs_.size() == 1) host->sleep(number_, 0, Operation::number());
  }

  // --- the instance's thread ---

  void add(Root& root) {
    root.next = roots_;
    if (roots_) roots_->previous = &root;
    roots_ = &root;
  }

  void remove(Root& root) {
    (root.previous ? root.previous->next : roots_) = root.next;
    if (root.next) root.next->previous = root.previous;
    if (root.doomed) std::erase(doomed_, &root);
  }

  /// Destroys the coroutines of `root` when the present call from the host ends. They must be suspended by then.
  void doom(Root& root) {
    if (root.doomed) return;
    root.doomed = true;
    doomed_.push_back(&root);
  }

  void doom_request(uint64_t request) {
    for (Root* root = roots_; root; root = root->next) {
      if (root->request == request) doom(*root);
    }
  }

  /// The end of each call from the host.
  void settle() {
    while (!doomed_.empty()) doomed_.back()->frame.destroy();
  }

  /// The instance ends: destroys what runs in it.
  void close() {
    std::vector<std::unique_ptr<Job>> dropped;
    {
      const Lock lock(mutex_);
      closed_ = true;
      dropped.swap(jobs_);
    }
    while (roots_) roots_->frame.destroy();
  }

 private:
  void complete(int32_t, const void*, size_t) override {
    std::vector<std::unique_ptr<Job>> jobs;
    {
      const Lock lock(mutex_);
      jobs.swap(jobs_);
    }
    for (std::unique_ptr<Job>& job : jobs) job->run();
  }

  const uint64_t number_;
  std::atomic<uint32_t> references_{1};
  Root* roots_ = nullptr;
  std::vector<Root*> doomed_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Job>> jobs_;
  bool closed_ = false;
};

/// A share in an instance's memory, for other threads.
class InstancePointer {
 public:
  InstancePointer() = default;
  explicit InstancePointer(Instance& instance) : instance_(&instance) { instance.retain(); }
  InstancePointer(InstancePointer&& other) noexcept : instance_(std::exchange(other.instance_, nullptr)) {}
  InstancePointer& operator=(InstancePointer&& other) noexcept {
    std::swap(instance_, other.instance_);
    return *this;
  }
  ~InstancePointer() {
    if (instance_) instance_->release();
  }
  explicit operator bool() const { return instance_ != nullptr; }
  Instance* operator->() const { return instance_; }
  Instance& operator*() const { return *instance_; }

 private:
  Instance* instance_ = nullptr;
};

inline void fail_request(uint64_t instance, uint64_t request, std::string_view message) {
  host->fail(instance, request, message.data(), message.size());
}

inline void Root::fail(std::string_view message) const {
  if (request) return fail_request(instance.number(), request, message);
  host->create_fail(instance.number(), message.data(), message.size());
}

#if VALOR_DETAIL_EXCEPTIONS
/// What the exception says that is being handled now.
inline std::string exception_text() {
  try {
    throw;
  } catch (const std::exception& error) {
    return std::string("uncaught exception: ") + error.what();
  } catch (...) {
    return "uncaught exception that is not a std::exception";
  }
}
#endif

/// Calls `function`. Returns false and its words when it throws.
template <class Function>
bool guarded(Function&& function, std::string& error) {
#if VALOR_DETAIL_EXCEPTIONS
  try {
    function();
    return true;
  } catch (...) {
    error = exception_text();
    return false;
  }
#else
  (void)error;
  function();
  return true;
#endif
}

}  // namespace valor::detail
