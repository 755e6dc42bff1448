// The supervisor starts, replaces, restarts and ends instances, and watches over them: while one computes, it does the
// I/O of that instance's loop; when one computes for too long, it ends it. One thread; everything about the life of
// plug-ins happens there.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/registry.h"
#include "host/instance.h"
#include "host/plugin-control.h"
#include "host/routes.h"
#include "net/event-loop.h"

namespace valor::host {

struct SupervisorOptions {
  Routes& routes;                                      ///< where routes are published; outlives the supervisor
  core::Log& log;                                      ///< outlives the supervisor
  std::function<Kind&(const core::Definition&)> kind;  ///< kinds outlive the supervisor
  std::string base_url;                                ///< "http://127.0.0.1:8080/"
  std::vector<net::EventLoop*> loops;                  ///< further loops that keep routes (I/O threads)
  /// Whether a plug-in that is not to run here is fit for browsers; may be empty.
  std::function<core::Status(const core::Definition&)> check_for_browsers = {};
  uint64_t drain_ms = 30'000;  ///< how long a plug-in that was removed or replaced may finish its requests
};

class Supervisor final : public PluginControl, private InstanceListener {
 public:
  static core::Result<std::unique_ptr<Supervisor>> create(SupervisorOptions options);
  ~Supervisor();

  /// Registers plug-ins at the start of the server; one that cannot be created stays as failed. `settled` is called on
  /// the supervisor's thread when every one of them runs or has failed, or after three seconds, with the names of those
  /// that failed.
  void load(std::vector<core::Definition> definitions, std::function<void(std::vector<std::string>)> settled);

  /// Ends all instances: those that are idle at once, others with 503 for what they have. Blocks until their threads
  /// have ended; gives up on native code that does not return within `patience_ms`. Returns whether all ended.
  bool shut_down(uint64_t patience_ms);

  void add(core::Definition definition, ControlCallback done) override;
  void replace(core::Definition definition, ControlCallback done) override;
  void remove(std::string name, ControlCallback done) override;
  std::vector<PluginStatus> list() override;

 private:
  enum class Phase { kLoading, kAdding, kReplacing, kServing, kLeaving };

  struct Slot {
    std::shared_ptr<Instance> instance;
    bool ready = false;
    bool was_ready = false;      // some instance in this slot has been
    uint32_t failed_starts = 0;  // in a row
  };

  // One version of a plug-in with its instances.
  struct Deployment {
    std::shared_ptr<Plugin> plugin;
    uint64_t version = 0;
    Phase phase = Phase::kLoading;
    std::string error;    // why it failed, as operators see it
    std::string refusal;  // RoutedPlugin::refusal
    std::vector<Slot> slots;
    ControlCallback done;
  };

  // The supervisor's view of one instance as something that may be busy.
  struct Watcher final : net::EventHandler {
    std::shared_ptr<Instance> instance;
    uint64_t last_epoch = 0;
    uint64_t busy_since_ms = 0;  // 0: not seen busy
    net::EventLoop::Watch watch = 0;
    uint64_t probes = 0;  // since then
    bool overrun_told = false;
    void on_events(uint32_t) override { instance->loop().stand_in(); }
  };

  explicit Supervisor(SupervisorOptions options) : options_(std::move(options)) {}

  void on_ready(uint64_t instance) override;
  void on_end(uint64_t instance, End end, std::string message) override;
  void on_wanted(uint64_t instance) override;

  // Runs `step` on the supervisor's thread with mutex_ held.
  void run(std::function<void()> step);
  void take_step(const std::function<void()>& step);

  // On the supervisor's thread, with mutex_ held.
  void begin_add(core::Definition definition, ControlCallback done);
  void begin_replace(core::Definition definition, ControlCallback done);
  void begin_remove(const std::string& name, ControlCallback done);
  core::Result<std::unique_ptr<Deployment>> deploy(core::Definition definition, Phase phase,
                                                   std::shared_ptr<PluginCounters> counters);
  core::Status fill(Deployment& deployment, Slot& slot);
  void start_first(Deployment& deployment);
  void begin_instance(Instance& instance);
  void instance_ready(uint64_t id);
  void instance_ended(uint64_t id, End end, const std::string& message);
  void first_ready(Deployment& deployment);
  void start_failed(Deployment& deployment, const std::string& message);
  void restart(Deployment& deployment, Slot& slot, const std::string& message, bool broke_down);
  void leave(std::unique_ptr<Deployment> deployment);
  std::unique_ptr<Deployment> take(Deployment& deployment);
  void settle(const std::string& name);
  void publish();
  void reap();
  void watch_over();
  PluginStatus status_of(const Deployment& deployment) const;
  std::pair<Deployment*, Slot*> find_instance(uint64_t id);

  const SupervisorOptions options_;
  std::unique_ptr<net::EventLoop> loop_;
  std::thread thread_;
  std::atomic<bool> resting_{false};
  std::atomic<uint64_t> next_instance_{1};

  std::mutex mutex_;  // all below; the supervisor's thread writes, list() reads
  bool stopping_ = false;
  core::Registry registry_;
  std::map<std::string, std::unique_ptr<Deployment>> serving_;  // by name; also those that are loading or being added
  std::vector<std::unique_ptr<Deployment>> replacing_;          // new versions that are not ready
  std::vector<std::unique_ptr<Deployment>> leaving_;
  std::vector<std::shared_ptr<Instance>> ending_;   // their threads are to be joined
  std::vector<std::shared_ptr<Instance>> to_stop_;  // at the end of the step
  bool reap_armed_ = false;
  std::vector<std::string> unsettled_;
  std::vector<std::string> failed_;
  std::function<void(std::vector<std::string>)> settled_;
  uint64_t table_version_ = 0;

  std::map<uint64_t, Watcher> watchers_;  // by instance; the supervisor's thread only
  uint32_t quiet_ticks_ = 0;
  bool trim_armed_ = false;  // the supervisor's thread only
};

}  // namespace valor::host
