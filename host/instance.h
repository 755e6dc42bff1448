// A running instance of a plug-in: one thread, one event loop, one guest, and the calls that are open at it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "host/guest.h"
#include "host/plugin.h"
#include "net/acceptor.h"

namespace valor::host {

class OpenCall;

/// What becomes of an instance. Told once each, on any thread.
class InstanceListener {
 public:
  virtual void on_ready(uint64_t instance) = 0;
  /// It could not be created, or broke down, or was asked to retire and has. No request will be taken any more.
  enum class End { kStartFailed, kBrokeDown, kRetired };
  virtual void on_end(uint64_t instance, End end, std::string message) = 0;
  /// A request is on its way to an instance that has not been started (Instances::min 0, or below max).
  virtual void on_wanted(uint64_t instance) = 0;

 protected:
  ~InstanceListener() = default;
};

/// Created dormant: it queues requests, and its thread begins with start().
class Instance final : public net::Acceptor, public net::Worker, public GuestContext {
 public:
  /// `id` is unique in the process. `kind` and `listener` outlive the instance.
  static core::Result<std::shared_ptr<Instance>> create(uint64_t id, std::shared_ptr<Plugin> plugin, Kind& kind,
                                                        InstanceListener& listener);
  ~Instance() override;

  // --- any thread ---

  uint64_t id() const { return id_; }
  Plugin& plugin() const { return *plugin_; }
  net::EventLoop& loop() override { return *loop_; }
  /// Requests waiting or running.
  uint32_t load() const { return load_.load(std::memory_order_relaxed); }
  bool started() const { return started_.load(std::memory_order_relaxed); }
  /// Reserves a place in the queue unless `limits.queue` requests are there already.
  bool reserve();
  void release() override;

  // --- the supervisor ---

  /// Starts the thread. Once.
  void start();
  /// Takes no new requests, finishes those that it has, and ends.
  void retire();
  /// Ends now: open requests get 502.
  void stop();
  /// For an instance whose plug-in code has run for a while: has its guest look at its limits.
  void probe();
  /// For an instance whose plug-in code has run without pause for `milliseconds`: ends it, by force if need be.
  /// `now_ms` is the monotonic clock.
  void overrun(uint64_t milliseconds, uint64_t now_ms);
  /// Whether the thread has ended; join() does not wait then.
  bool finished() const { return finished_.load(); }
  /// Whether the thread will never end.
  bool given_up() const { return given_up_.load(); }
  void join();
  /// Lets the thread run on without us; for native code that does not return.
  void detach();

  // --- net::Acceptor, net::Worker ---

  void accept(core::Exchange& exchange) override;
  bool work() override;
  int wait_ms() override;

  // --- GuestContext ---

  const core::Definition& definition() const override { return plugin_->definition; }
  const std::string& location() const override { return plugin_->location; }
  core::Log& log() override { return plugin_->log; }
  Call* find(CallId id) override;
  size_t open_calls() const override { return given_; }
  void set_one_at_a_time(bool on) override { one_at_a_time_ = on; }
  void ready() override;
  void start_failed(std::string message) override;
  void broken(Breakdown breakdown) override;
  [[noreturn]] void lost(Breakdown breakdown) override;

 private:
  friend class OpenCall;

  enum class State {
    kStarting,  ///< dormant, or the guest is being created
    kReady,
    kEnded,  ///< takes nothing any more
  };

  Instance(uint64_t id, std::shared_ptr<Plugin> plugin, Kind& kind, InstanceListener& listener);

  void run();
  void end(InstanceListener::End end, const std::string& message, const core::Problem& problem);
  bool run_guest();
  void notify_guest();
  void trim();
  OpenCall& open(core::Exchange& exchange);
  void close_call(OpenCall& call);
  void break_down();
  void expire(uint64_t now_ms);
  void start_timed_out();
  void arm_expiry();

  const uint64_t id_;
  const std::shared_ptr<Plugin> plugin_;
  Kind& kind_;
  InstanceListener& listener_;
  std::unique_ptr<net::EventLoop> loop_;
  std::thread thread_;
  std::atomic<uint32_t> load_{0};
  std::atomic<bool> started_{false};
  std::atomic<bool> wanted_{false};
  std::atomic<bool> finished_{false};
  std::atomic<bool> given_up_{false};

  // All below: inside the turn.
  State state_ = State::kStarting;
  bool guest_started_ = false;
  bool retiring_ = false;
  bool one_at_a_time_ = false;
  std::unique_ptr<Guest> guest_;
  std::string start_error_;
  bool start_failed_ = false;
  bool broken_ = false;
  Breakdown breakdown_;

  // Calls by id: at index id % size, which stays free for nobody else while the call is open.
  std::vector<std::unique_ptr<OpenCall>> calls_;
  std::vector<std::unique_ptr<OpenCall>> spare_;
  CallId next_id_ = 1;
  size_t given_ = 0;  // open calls that the guest knows
  size_t open_ = 0;   // all open calls

  // Oldest first, which is also the order of deadlines.
  OpenCall* oldest_ = nullptr;
  OpenCall* youngest_ = nullptr;
  net::EventLoop::TimerId expiry_timer_ = 0;

  std::vector<CallId> waiting_;  // not yet given to the guest, from waiting_at_ on
  size_t waiting_at_ = 0;
  std::vector<CallId> signals_;  // body_ready or writable is due
  struct Dropped {
    CallId id;
    DropReason reason;
  };
  std::vector<Dropped> dropped_;
};

}  // namespace valor::host
