#include "host/supervisor.h"

#include <malloc.h>
#include <sys/epoll.h>

#include <algorithm>
#include <chrono>
#include <future>

namespace valor::host {

namespace {

// How often instances are looked at while plug-in code runs somewhere: rarely until one is found in the same piece of
// code twice. A request for an idle plug-in waits at most about twice the first on a loop that has just become busy
// with another, and at most the second from then on.
constexpr uint64_t kLookMs = 4;
constexpr uint64_t kTickMs = 2;
// A busy loop is visited this often even when none of its descriptors is ready: for its timers and its unsent output.
constexpr uint64_t kTicksPerVisit = 5;
// What a busy plug-in holds is looked at this often: it can cost a garbage collection.
constexpr uint64_t kProbeMs = 32;
// After this many ticks without any plug-in code the supervisor sleeps until there is some.
constexpr uint32_t kQuietTicks = 25;
constexpr uint64_t kReapMs = 20;
// What ended instances leave in the allocator's arenas goes back to the system this long after the first of them.
constexpr uint64_t kTrimMs = 500;
// For threads that have not ended when the supervisor is destroyed; they use it until they end.
constexpr uint64_t kLastPatienceMs = 5000;
// Who waits for all plug-ins to be created when the server starts waits no longer than this.
constexpr uint64_t kSettleMs = 3000;
constexpr uint64_t kFirstBackoffMs = 100;
constexpr uint64_t kLastBackoffMs = 30'000;
// From this many failed starts in a row on, requests are refused until the next attempt.
constexpr uint32_t kRefuseAfter = 3;

ControlFailure failure_of(const core::RegistryFailure& failure) {
  return {failure.reason == core::RegistryFailure::Reason::kNotFound ? ControlError::kNotFound : ControlError::kExists,
          failure.message};
}

const ControlFailure kStoppingFailure{ControlError::kStopping, "the server stops"};

}  // namespace

std::string_view to_string(PluginState state) {
  switch (state) {
    case PluginState::kStarting:
      return "starting";
    case PluginState::kRunning:
      return "running";
    case PluginState::kBrowser:
      return "browser";
    case PluginState::kFailed:
      return "failed";
  }
  return "";
}

core::Result<std::unique_ptr<Supervisor>> Supervisor::create(SupervisorOptions options) {
  auto loop = net::EventLoop::create();
  if (!loop) return loop.error();
  std::unique_ptr<Supervisor> supervisor(new Supervisor(std::move(options)));
  supervisor->loop_ = std::move(*loop);
  supervisor->thread_ = std::thread([self = supervisor.get()] { self->loop_->run(nullptr); });
  supervisor->loop_->post([self = supervisor.get()] { self->watch_over(); });
  return supervisor;
}

Supervisor::~Supervisor() {
  shut_down(kLastPatienceMs);
  loop_->stop();
  if (thread_.joinable()) thread_.join();
}

void Supervisor::run(std::function<void()> step) {
  loop_->post([this, step = std::move(step)] { take_step(step); });
}

void Supervisor::take_step(const std::function<void()>& step) {
  std::vector<std::shared_ptr<Instance>> to_stop;
  {
    std::lock_guard lock(mutex_);
    step();
    to_stop.swap(to_stop_);
  }
  // Stopping takes an instance's turn, and an instance may be waiting for mutex_ in its turn (list()).
  for (const auto& instance : to_stop) instance->stop();
}

// ---- the outside's wishes

void Supervisor::load(std::vector<core::Definition> definitions,
                      std::function<void(std::vector<std::string>)> settled) {
  run([this, definitions = std::move(definitions), settled = std::move(settled)]() mutable {
    settled_ = std::move(settled);
    for (const core::Definition& definition : definitions) unsettled_.push_back(definition.name);
    for (core::Definition& definition : definitions) {
      const std::string name = definition.name;
      auto version = registry_.add(definition);
      auto deployment = deploy(std::move(definition), Phase::kLoading, std::make_shared<PluginCounters>());
      const bool fine = std::holds_alternative<uint64_t>(version) && deployment.ok();
      if (!fine) {
        const std::string message =
            deployment.ok() ? std::get<core::RegistryFailure>(version).message : deployment.error().message;
        options_.log.write(core::LogLevel::kError, name, message);
        if (std::holds_alternative<uint64_t>(version)) registry_.remove(name);
        failed_.push_back(name);
        settle(name);
        continue;
      }
      Deployment& placed = **deployment;
      placed.version = std::get<uint64_t>(version);
      serving_[name] = std::move(*deployment);
      start_first(placed);
    }
    publish();
    if (unsettled_.empty()) settle({});
    loop_->start_timer(kSettleMs, [this] {
      take_step([this] {
        if (settled_) std::exchange(settled_, nullptr)(failed_);
      });
    });
  });
}

void Supervisor::add(core::Definition definition, ControlCallback done) {
  run([this, definition = std::move(definition), done = std::move(done)]() mutable {
    begin_add(std::move(definition), std::move(done));
  });
}

void Supervisor::replace(core::Definition definition, ControlCallback done) {
  run([this, definition = std::move(definition), done = std::move(done)]() mutable {
    begin_replace(std::move(definition), std::move(done));
  });
}

void Supervisor::remove(std::string name, ControlCallback done) {
  run([this, name = std::move(name), done = std::move(done)]() mutable { begin_remove(name, std::move(done)); });
}

std::vector<PluginStatus> Supervisor::list() {
  std::lock_guard lock(mutex_);
  std::vector<PluginStatus> all;
  for (const auto& [name, deployment] : serving_) all.push_back(status_of(*deployment));
  return all;
}

void Supervisor::begin_add(core::Definition definition, ControlCallback done) {
  if (stopping_) return done(kStoppingFailure);
  auto version = registry_.add(definition);
  if (auto* failure = std::get_if<core::RegistryFailure>(&version)) return done(failure_of(*failure));
  const std::string name = definition.name;
  auto deployment = deploy(std::move(definition), Phase::kAdding, std::make_shared<PluginCounters>());
  if (!deployment) {
    registry_.remove(name);
    return done(ControlFailure{ControlError::kStartFailed, deployment.error().message});
  }
  Deployment& placed = **deployment;
  placed.version = std::get<uint64_t>(version);
  placed.done = std::move(done);
  serving_[name] = std::move(*deployment);
  start_first(placed);
}

void Supervisor::begin_replace(core::Definition definition, ControlCallback done) {
  if (stopping_) return done(kStoppingFailure);
  if (auto failure = registry_.check_replace(definition)) return done(failure_of(*failure));
  const Deployment& old = *serving_.at(definition.name);
  if (old.phase == Phase::kAdding) {
    return done(ControlFailure{ControlError::kExists, "plug-in '" + definition.name + "' is just being added"});
  }
  auto deployment = deploy(std::move(definition), Phase::kReplacing, old.plugin->counters);
  if (!deployment) return done(ControlFailure{ControlError::kStartFailed, deployment.error().message});
  Deployment& placed = **deployment;
  placed.done = std::move(done);
  replacing_.push_back(std::move(*deployment));
  start_first(placed);
}

void Supervisor::begin_remove(const std::string& name, ControlCallback done) {
  auto found = serving_.find(name);
  if (found == serving_.end() || found->second->phase == Phase::kAdding) {
    return done(ControlFailure{ControlError::kNotFound, "there is no plug-in '" + name + "'"});
  }
  registry_.remove(name);
  std::unique_ptr<Deployment> deployment = std::move(found->second);
  serving_.erase(found);
  settle(name);
  deployment->done = std::move(done);
  publish();
  leave(std::move(deployment));
}

// ---- deployments

core::Result<std::unique_ptr<Supervisor::Deployment>> Supervisor::deploy(core::Definition definition, Phase phase,
                                                                         std::shared_ptr<PluginCounters> counters) {
  auto deployment = std::make_unique<Deployment>();
  deployment->phase = phase;
  std::string location = definition.location;
  if (location.empty()) location = options_.base_url + (definition.prefix.empty() ? "" : definition.prefix + "/");
  const uint32_t count = definition.place == core::Place::kBrowser ? 0 : definition.instances.max;
  deployment->plugin.reset(new Plugin{std::move(definition), location, options_.log, std::move(counters)});
  deployment->slots.resize(count);
  for (Slot& slot : deployment->slots) {
    if (auto filled = fill(*deployment, slot); !filled) return filled.error();
  }
  return deployment;
}

core::Status Supervisor::fill(Deployment& deployment, Slot& slot) {
  Kind& kind = options_.kind(deployment.plugin->definition);
  auto instance = Instance::create(next_instance_++, deployment.plugin, kind, *this);
  if (!instance) return instance.error();
  slot.instance = std::move(*instance);
  slot.ready = false;
  return core::Nothing{};
}

void Supervisor::start_first(Deployment& deployment) {
  const core::Definition& definition = deployment.plugin->definition;
  if (definition.place == core::Place::kBrowser) {
    const core::Status fit = options_.check_for_browsers ? options_.check_for_browsers(definition) : core::Nothing{};
    return fit ? first_ready(deployment) : start_failed(deployment, fit.error().message);
  }
  const uint32_t count = definition.instances.min;
  for (uint32_t i = 0; i < count; ++i) begin_instance(*deployment.slots[i].instance);
  if (count == 0) first_ready(deployment);
}

void Supervisor::begin_instance(Instance& instance) {
  if (instance.started()) return;
  Watcher& watcher = watchers_[instance.id()];
  watcher.instance = std::static_pointer_cast<Instance>(instance.shared_from_this());
  instance.loop().set_watcher(resting_, [this] {
    if (resting_.exchange(false)) loop_->post([this] { watch_over(); });
  });
  instance.start();
}

// All instances of the minimum run.
void Supervisor::first_ready(Deployment& deployment) {
  const std::string& name = deployment.plugin->definition.name;
  const Phase phase = deployment.phase;
  deployment.phase = Phase::kServing;
  deployment.error.clear();
  deployment.refusal.clear();
  if (phase == Phase::kLoading) settle(name);
  if (phase == Phase::kAdding) {
    publish();
    std::exchange(deployment.done, nullptr)(status_of(deployment));
  }
  if (phase != Phase::kReplacing) return;

  std::unique_ptr<Deployment> fresh = take(deployment);
  auto version = registry_.replace(deployment.plugin->definition);
  if (auto* failure = std::get_if<core::RegistryFailure>(&version)) {
    // The old one went, or the mount was taken, while the new one started.
    std::exchange(fresh->done, nullptr)(failure_of(*failure));
    leave(std::move(fresh));
    return;
  }
  fresh->version = std::get<uint64_t>(version);
  std::unique_ptr<Deployment> old = std::exchange(serving_.at(name), std::move(fresh));
  settle(name);
  publish();
  leave(std::move(old));
  std::exchange(deployment.done, nullptr)(status_of(deployment));
}

// An instance of a deployment that never served could not be created.
void Supervisor::start_failed(Deployment& deployment, const std::string& message) {
  const std::string name = deployment.plugin->definition.name;
  options_.log.write(core::LogLevel::kError, name, "could not be created: " + message);
  if (deployment.phase == Phase::kLoading) {
    deployment.phase = Phase::kServing;
    deployment.error = message;
    deployment.refusal = "the plug-in could not be created: " + message;
    for (Slot& slot : deployment.slots) {
      if (slot.instance->started()) to_stop_.push_back(slot.instance);
    }
    publish();
    failed_.push_back(name);
    settle(name);
    return;
  }
  if (deployment.phase == Phase::kAdding) registry_.remove(name);
  ControlCallback done = std::exchange(deployment.done, nullptr);
  leave(take(deployment));
  done(ControlFailure{ControlError::kStartFailed, message});
}

std::unique_ptr<Supervisor::Deployment> Supervisor::take(Deployment& deployment) {
  auto found = serving_.find(deployment.plugin->definition.name);
  if (found != serving_.end() && found->second.get() == &deployment) {
    std::unique_ptr<Deployment> taken = std::move(found->second);
    serving_.erase(found);
    return taken;
  }
  auto place = std::find_if(replacing_.begin(), replacing_.end(),
                            [&](const auto& candidate) { return candidate.get() == &deployment; });
  std::unique_ptr<Deployment> taken = std::move(*place);
  replacing_.erase(place);
  return taken;
}

void Supervisor::leave(std::unique_ptr<Deployment> deployment) {
  deployment->phase = Phase::kLeaving;
  Deployment& left = *deployment;
  leaving_.push_back(std::move(deployment));
  for (Slot& slot : left.slots) {
    slot.instance->retire();
    // An answer that never ends must not keep a plug-in for ever.
    loop_->start_timer(options_.drain_ms, [this, late = std::weak_ptr<net::Acceptor>(slot.instance)] {
      if (auto instance = late.lock()) static_cast<Instance&>(*instance).stop();
    });
  }
  reap();
}

void Supervisor::settle(const std::string& name) {
  std::erase(unsettled_, name);
  if (unsettled_.empty() && settled_) std::exchange(settled_, nullptr)(failed_);
}

void Supervisor::publish() {
  auto table = std::make_shared<RouteTable>();
  table->version = ++table_version_;
  for (const auto& [name, deployment] : serving_) {
    if (deployment->phase == Phase::kAdding) continue;
    RoutedPlugin routed{.plugin = deployment->plugin, .instances = {}, .refusal = deployment->refusal};
    for (const Slot& slot : deployment->slots) routed.instances.push_back(slot.instance);
    const core::Definition& definition = deployment->plugin->definition;
    if (!definition.location.empty()) table->site.add_mount(definition.location, definition.prefix);
    // Mounts are unique in the registry.
    (void)table->router.add(definition.prefix, static_cast<uint32_t>(table->plugins.size()));
    table->plugins.push_back(std::move(routed));
  }
  options_.routes.publish(std::move(table));
  // Loops that have nothing to do would keep the old table, and with it instances that are gone.
  auto forget = [](net::EventLoop& loop) { loop.post([&loop] { loop.local().reset(); }); };
  for (net::EventLoop* loop : options_.loops) forget(*loop);
  for (auto& [id, watcher] : watchers_) forget(watcher.instance->loop());
}

// ---- instances

void Supervisor::on_ready(uint64_t instance) {
  run([this, instance] { instance_ready(instance); });
}

void Supervisor::on_end(uint64_t instance, End end, std::string message) {
  run([this, instance, end, message = std::move(message)] { instance_ended(instance, end, message); });
}

void Supervisor::on_wanted(uint64_t instance) {
  run([this, instance] {
    auto [deployment, slot] = find_instance(instance);
    if (slot != nullptr && deployment->phase != Phase::kLeaving) begin_instance(*slot->instance);
  });
}

std::pair<Supervisor::Deployment*, Supervisor::Slot*> Supervisor::find_instance(uint64_t id) {
  auto in = [&](const std::unique_ptr<Deployment>& deployment) -> Slot* {
    for (Slot& slot : deployment->slots) {
      if (slot.instance->id() == id) return &slot;
    }
    return nullptr;
  };
  for (auto& [name, deployment] : serving_) {
    if (Slot* slot = in(deployment)) return {deployment.get(), slot};
  }
  for (auto* list : {&replacing_, &leaving_}) {
    for (auto& deployment : *list) {
      if (Slot* slot = in(deployment)) return {deployment.get(), slot};
    }
  }
  return {nullptr, nullptr};
}

void Supervisor::instance_ready(uint64_t id) {
  auto [deployment, slot] = find_instance(id);
  if (slot == nullptr) return;
  slot->ready = slot->was_ready = true;
  slot->failed_starts = 0;
  if (deployment->phase == Phase::kLeaving) return;
  if (deployment->phase == Phase::kServing) {
    if (!deployment->error.empty() || !deployment->refusal.empty()) {
      deployment->error.clear();
      deployment->refusal.clear();
      publish();
    }
    return;
  }
  const auto ready = std::count_if(deployment->slots.begin(), deployment->slots.end(),
                                   [](const Slot& candidate) { return candidate.ready; });
  if (ready >= static_cast<std::ptrdiff_t>(deployment->plugin->definition.instances.min)) first_ready(*deployment);
}

void Supervisor::instance_ended(uint64_t id, End end, const std::string& message) {
  if (auto watcher = watchers_.find(id); watcher != watchers_.end()) {
    if (watcher->second.watch != 0) loop_->unwatch(watcher->second.watch, watcher->second.instance->loop().poll_fd());
    ending_.push_back(std::move(watcher->second.instance));
    watchers_.erase(watcher);
    reap();
  }
  auto [deployment, slot] = find_instance(id);
  if (slot == nullptr || deployment->phase == Phase::kLeaving || stopping_) return;
  slot->ready = false;
  if (end == End::kRetired) return;
  if (deployment->phase != Phase::kServing) {
    start_failed(*deployment, message);
    return;
  }
  restart(*deployment, *slot, message, end == End::kBrokeDown);
}

void Supervisor::restart(Deployment& deployment, Slot& slot, const std::string& message, bool broke_down) {
  const std::string& name = deployment.plugin->definition.name;
  // Whether it was to run all the time; else the next request starts it.
  const bool wanted = &slot - deployment.slots.data() < deployment.plugin->definition.instances.min;
  if (!slot.was_ready && wanted && !deployment.error.empty()) return;  // failed while loading, and stopped
  if (auto filled = fill(deployment, slot); !filled) {
    deployment.error = filled.error().message;
    deployment.refusal = "the plug-in could not be restarted: " + deployment.error;
    options_.log.write(core::LogLevel::kError, name, deployment.refusal);
    publish();
    return;
  }
  if (broke_down) {
    deployment.plugin->counters->restarts.fetch_add(1);
    publish();
    begin_instance(*slot.instance);
    return;
  }
  ++slot.failed_starts;
  options_.log.write(core::LogLevel::kError, name, "could not be created: " + message);
  const uint64_t wait = std::min(kLastBackoffMs, kFirstBackoffMs << std::min<uint32_t>(slot.failed_starts - 1, 16));
  deployment.error = message;
  if (slot.failed_starts >= kRefuseAfter) deployment.refusal = "the plug-in could not be created: " + message;
  publish();
  loop_->start_timer(wait, [this, id = slot.instance->id(), wanted] {
    take_step([this, id, wanted] {
      auto [later, its_slot] = find_instance(id);
      if (its_slot == nullptr || later->phase != Phase::kServing || stopping_) return;
      if (!later->refusal.empty()) {
        later->refusal.clear();
        publish();
      }
      if (wanted) begin_instance(*its_slot->instance);
    });
  });
}

// Joins threads that have ended, and lets go of deployments that have left.
void Supervisor::reap() {
  if (stopping_) return;  // shut_down() joins from here on
  const size_t joined = std::erase_if(ending_, [](const std::shared_ptr<Instance>& instance) {
    if (!instance->finished()) return false;
    instance->join();
    return true;
  });
  if (joined > 0 && !trim_armed_) {
    trim_armed_ = true;
    loop_->start_timer(kTrimMs, [this] {
      trim_armed_ = false;
      malloc_trim(0);
    });
  }
  for (size_t i = 0; i < leaving_.size();) {
    Deployment& deployment = *leaving_[i];
    const bool gone = std::none_of(deployment.slots.begin(), deployment.slots.end(),
                                   [&](const Slot& slot) { return watchers_.contains(slot.instance->id()); });
    if (!gone) {
      ++i;
      continue;
    }
    ControlCallback done = std::exchange(deployment.done, nullptr);
    if (done) done(status_of(deployment));
    leaving_.erase(leaving_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (!ending_.empty() && !reap_armed_) {
    reap_armed_ = true;
    loop_->start_timer(kReapMs, [this] {
      take_step([this] {
        reap_armed_ = false;
        reap();
      });
    });
  }
}

// ---- watching

// The supervisor's thread; once a tick while plug-in code runs somewhere.
void Supervisor::watch_over() {
  bool busy = false;
  bool computing = false;
  for (auto& [id, watcher] : watchers_) {
    net::EventLoop& loop = watcher.instance->loop();
    const uint64_t epoch = loop.outside_epoch();
    const bool still = epoch % 2 == 1 && epoch == watcher.last_epoch;
    watcher.last_epoch = epoch;
    busy |= epoch % 2 == 1;
    computing |= still;
    if (!still) {
      watcher.busy_since_ms = 0;
      watcher.overrun_told = false;
      if (watcher.watch != 0) loop_->unwatch(std::exchange(watcher.watch, 0), loop.poll_fd());
      continue;
    }
    const uint64_t now = loop_->now_ms();
    if (watcher.busy_since_ms == 0) {
      watcher.busy_since_ms = now;
      watcher.probes = 0;
      watcher.watch = loop_->watch(loop.poll_fd(), EPOLLIN, watcher);
    }
    const uint64_t busy_ms = now - watcher.busy_since_ms;
    if (busy_ms / kTickMs % kTicksPerVisit == 0) loop.stand_in();
    if (busy_ms / kProbeMs != watcher.probes) {
      watcher.probes = busy_ms / kProbeMs;
      watcher.instance->probe();
    }
    if (busy_ms >= watcher.instance->definition().limits.timeout_ms && !watcher.overrun_told) {
      watcher.overrun_told = true;
      watcher.instance->overrun(busy_ms, now);
    }
  }
  quiet_ticks_ = busy ? 0 : quiet_ticks_ + 1;
  if (quiet_ticks_ > kQuietTicks) {
    quiet_ticks_ = 0;
    resting_ = true;
    // Plug-in code that began before it could see us resting is seen here.
    const bool begun = std::any_of(watchers_.begin(), watchers_.end(), [](const auto& entry) {
      return entry.second.instance->loop().outside_epoch() % 2 == 1;
    });
    // Who finds us resting wakes us, and then the next tick is theirs.
    if (!begun || !resting_.exchange(false)) return;
  }
  loop_->start_timer(computing ? kTickMs : kLookMs, [this] { watch_over(); });
}

PluginStatus Supervisor::status_of(const Deployment& deployment) const {
  const PluginCounters& counters = *deployment.plugin->counters;
  PluginStatus status;
  status.definition = deployment.plugin->definition;
  status.version = deployment.version;
  status.error = deployment.error;
  status.requests = counters.requests;
  status.failures = counters.failures;
  status.restarts = counters.restarts;
  status.last_limit = counters.limit_trip();
  for (const Slot& slot : deployment.slots) {
    status.in_flight += slot.instance->load();
    status.instances += slot.ready ? 1 : 0;
  }
  const core::Definition& definition = deployment.plugin->definition;
  const bool lazy = definition.instances.min == 0;
  status.state = !deployment.error.empty()                   ? PluginState::kFailed
                 : definition.place == core::Place::kBrowser ? PluginState::kBrowser
                 : status.instances > 0 || lazy              ? PluginState::kRunning
                                                             : PluginState::kStarting;
  return status;
}

// ---- the end

bool Supervisor::shut_down(uint64_t patience_ms) {
  std::vector<std::shared_ptr<Instance>> all;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    auto collect = [&](const std::unique_ptr<Deployment>& deployment) {
      for (const Slot& slot : deployment->slots) all.push_back(slot.instance);
    };
    for (auto& [name, deployment] : serving_) collect(deployment);
    for (auto& deployment : replacing_) collect(deployment);
    for (auto& deployment : leaving_) collect(deployment);
    all.insert(all.end(), ending_.begin(), ending_.end());
  }
  for (const auto& instance : all) instance->stop();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  bool complete = true;
  for (const auto& instance : all) {
    while (instance->started() && !instance->finished() && !instance->given_up() &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (!instance->started() || instance->finished()) {
      instance->join();
    } else {
      complete = false;
      instance->detach();
    }
  }
  return complete;
}

}  // namespace valor::host
