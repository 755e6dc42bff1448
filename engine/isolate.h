// One world of JavaScript or WebAssembly: a V8 isolate, with the Web platform from the startup snapshot or bare, its
// context, its timers and V8's tasks, and its limits.
//
// Made on any thread; the one that moves in keeps it: there it is used and destroyed, and stays entered for the rest of
// its life. Only terminate() may be called from elsewhere. It knows nothing about turns (net/event-loop.h): whoever
// calls a function marked "runs plug-in code" lets go of the turn around it.
#pragma once

#include <node.h>
#include <v8.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/log.h"
#include "core/result.h"
#include "engine/lazy-scripts.h"
#include "engine/memory-limit.h"
#include "engine/snapshot.h"
#include "engine/task-queue.h"
#include "engine/wasm-memory.h"

namespace valor::engine {

/// What has to be known to make an isolate.
struct IsolateBlueprint {
  node::MultiIsolatePlatform* platform;      ///< borrowed
  std::shared_ptr<const Snapshot> snapshot;  ///< nullptr: V8's own, without the Web platform and its hooks
  std::shared_ptr<LazyScripts> lazy;         ///< of the Web platform
  uint64_t memory_bytes;
};

/// What makes it that of one instance.
struct IsolateTenant {
  core::Log* log;              ///< borrowed
  std::string name;            ///< of the plug-in
  std::string location;        ///< its public URL
  std::string config;          ///< JSON text
  std::function<void()> wake;  ///< any thread: the isolate's thread should call run_due() soon
  void* owner = nullptr;       ///< for native functions of whoever creates the isolate
};

/// An exception or a promise rejection that nobody caught.
struct UncaughtError {
  std::string text;   ///< what and where, several lines; of those beyond kMaxUncaught only how many there were
  uint32_t activity;  ///< on behalf of what it happened: Isolate::begin_activity
};

class Isolate {
 public:
  /// Errors that are put into words between two calls of take_uncaught(); code that throws without end fills memory
  /// else.
  static constexpr size_t kMaxUncaught = 100;

  /// Fails when the snapshot does not fit this program.
  static core::Result<std::unique_ptr<Isolate>> make(const IsolateBlueprint& blueprint);
  /// On the thread on which it is used from here on, before anything else. Its time begins. Once.
  void move_in(IsolateTenant tenant);
  /// On that thread; on any when nobody moved in.
  ~Isolate();
  Isolate(const Isolate&) = delete;
  Isolate& operator=(const Isolate&) = delete;

  /// The owner of `isolate`; nullptr for others, for example while a snapshot is built.
  static Isolate* from(v8::Isolate* isolate) { return static_cast<Isolate*>(isolate->GetData(kDataSlot)); }

  v8::Isolate* v8() const { return isolate_; }
  /// Needs a HandleScope.
  v8::Local<v8::Context> context() const { return context_.Get(isolate_); }
  const IsolateTenant& tenant() const { return tenant_; }
  LazyScripts& lazy() const { return *blueprint_.lazy; }

  /// A function that the platform's JavaScript registered with natives.setHooks. Empty when it did not, or is not
  /// there.
  v8::Local<v8::Function> hook(const char* name) const;

  // --- runs plug-in code ---

  /// Calls `function` with undefined as receiver. An exception becomes an uncaught error. Empty then, and when the code
  /// was stopped.
  v8::MaybeLocal<v8::Value> call(v8::Local<v8::Function> function, int count, v8::Local<v8::Value>* arguments);
  /// Runs the microtasks, then looks for promises that were rejected without a handler. After every call from outside.
  void checkpoint();
  /// V8's tasks and the timers that are due, each with a checkpoint. Returns whether more is due already.
  bool run_due();

  // --- does not ---

  /// Milliseconds until run_due() has something to do; -1: nothing in sight.
  int wait_ms();

  /// What runs from now on, and all that follows from it through promises and timers, happens on behalf of `activity`;
  /// 0: of nothing in particular.
  void begin_activity(uint32_t activity);
  uint32_t current_activity() const;
  /// Like begin_activity(), with a value that goes along.
  void begin_activity(uint32_t activity, v8::Local<v8::Value> state);
  /// The value that went along; empty when there is none.
  v8::Local<v8::Value> activity_state() const;

  /// Errors since the last call.
  std::vector<UncaughtError> take_uncaught();
  void add_uncaught(v8::Local<v8::Value> exception, v8::Local<v8::Message> message);

  /// Any thread: stops the code that runs, for good; the isolate can only be destroyed after that.
  void terminate();
  bool terminated() const { return terminated_.load(); }
  /// Any thread: has the memory limit looked at between two steps of the code that runs (MemoryLimit::check).
  void request_memory_check();
  /// Whether code can no longer run: terminated, or a limit tripped.
  bool dead() const { return terminated() || memory_->tripped(); }
  const MemoryLimit& memory() const { return *memory_; }

  // --- services for native functions ---

  /// Calls the hook onTimer(id) once, at least `milliseconds` from now. A timer with this id is replaced.
  void set_timer(uint32_t id, double milliseconds);
  void clear_timer(uint32_t id);
  /// Milliseconds since the isolate was created.
  double now_ms() const;
  /// The same as of `monotonic_ms`, a reading of the monotonic clock in whole milliseconds; not below 0.
  double ms_since_start(uint64_t monotonic_ms) const;
  /// Milliseconds since 1970 when the isolate was created.
  double time_origin_ms() const { return time_origin_ms_; }
  void log(core::LogLevel level, std::string_view text) const { tenant_.log->write(level, tenant_.name, text); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr uint32_t kDataSlot = 0;

  explicit Isolate(IsolateBlueprint blueprint) : blueprint_(std::move(blueprint)) {}
  static void on_promise_reject(v8::PromiseRejectMessage message);
  static void on_message(v8::Local<v8::Message> message, v8::Local<v8::Value> exception);
  void report_rejections();
  bool keeps_uncaught(uint32_t activity);
  void run_timers();
  void check_wasm_memory();

  struct Timer {
    Clock::time_point due;
    uint32_t activity;
  };

  const IsolateBlueprint blueprint_;
  IsolateTenant tenant_{};
  bool occupied_ = false;
  std::shared_ptr<MemoryLimit> memory_;
  WasmMemory wasm_memory_;
  std::shared_ptr<TaskQueue> tasks_;
  std::unique_ptr<TaskQueueDelegate> delegate_;
  v8::Isolate* isolate_ = nullptr;
  v8::Global<v8::Context> context_;
  v8::Global<v8::Object> hooks_;
  v8::Global<v8::Function> on_timer_;
  v8::Global<v8::Function> on_unhandled_rejection_;
  // Promise, reason and activity in turn. In the heap, so that it counts what is rejected a million times.
  v8::Global<v8::Array> rejections_;
  std::vector<UncaughtError> uncaught_;
  uint64_t suppressed_ = 0;            // errors since take_uncaught() that are only counted
  std::set<uint32_t> suppressed_for_;  // on behalf of what they happened
  std::unordered_map<uint32_t, Timer> timers_;
  std::set<std::pair<Clock::time_point, uint32_t>> timer_order_;
  Clock::time_point start_ = Clock::now();
  double time_origin_ms_ = 0;

  std::atomic<bool> terminated_{false};
  std::mutex terminate_mutex_;  // guards isolate_ against terminate() while it is disposed of
};

}  // namespace valor::engine
