#include "host/instance.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include "host/open-call.h"

namespace valor::host {

namespace {

constexpr size_t kFirstCalls = 16;
constexpr size_t kMaxSpare = 256;
// How exactly the supervisor can tell since when plug-in code runs.
constexpr uint64_t kTickSlackMs = 20;
// After this long with plug-in code, the loop looks for new requests again, also for other plug-ins. The clock is the
// kernel's, which ticks every few milliseconds and costs next to nothing.
constexpr int64_t kWorkSliceNs = 1'000'000;

int64_t coarse_ns() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

core::Result<std::shared_ptr<Instance>> Instance::create(uint64_t id, std::shared_ptr<Plugin> plugin, Kind& kind,
                                                         InstanceListener& listener) {
  auto loop = net::EventLoop::create();
  if (!loop) return loop.error();
  std::shared_ptr<Instance> instance(new Instance(id, std::move(plugin), kind, listener));
  instance->loop_ = std::move(*loop);
  instance->calls_.resize(kFirstCalls);
  return instance;
}

Instance::Instance(uint64_t id, std::shared_ptr<Plugin> plugin, Kind& kind, InstanceListener& listener)
    : id_(id), plugin_(std::move(plugin)), kind_(kind), listener_(listener) {}

Instance::~Instance() = default;

// ---- any thread

bool Instance::reserve() {
  const uint32_t limit = plugin_->definition.limits.queue;
  if (load_.fetch_add(1, std::memory_order_relaxed) < limit) {
    if (!started() && !wanted_.exchange(true)) listener_.on_wanted(id_);
    return true;
  }
  release();
  return false;
}

void Instance::release() {
  load_.fetch_sub(1, std::memory_order_relaxed);
}

// ---- the supervisor

void Instance::start() {
  if (started_.exchange(true)) return;
  thread_ = std::thread([self = std::static_pointer_cast<Instance>(shared_from_this())] { self->run(); });
}

void Instance::join() {
  if (thread_.joinable()) thread_.join();
}

void Instance::detach() {
  if (thread_.joinable()) thread_.detach();
}

void Instance::retire() {
  loop_->post([this] {
    retiring_ = true;
    // Ends in work(), or here when there never was a thread.
    if (!started_) end(InstanceListener::End::kRetired, {}, {});
  });
  if (!started_) {
    auto turn = loop_->take_turn();
    loop_->close();
  }
}

void Instance::stop() {
  auto turn = loop_->take_turn();
  if (state_ == State::kEnded) return;
  if (guest_ != nullptr) guest_->interrupt();
  end(InstanceListener::End::kRetired, {}, {.status = 503, .detail = "the server stops", .retry_after_s = 1});
}

void Instance::probe() {
  const auto turn = loop_->try_turn();
  if (turn && guest_ != nullptr && state_ != State::kEnded) guest_->probe();
}

void Instance::overrun(uint64_t milliseconds, uint64_t now_ms) {
  auto turn = loop_->take_turn();
  // An instance that is being created has a deadline of its own.
  if (state_ != State::kReady || loop_->outside_epoch() % 2 == 0) return;
  // The request that made it compute has reached its deadline too, give or take a tick.
  expire(now_ms + kTickSlackMs);
  const uint32_t limit = plugin_->definition.limits.timeout_ms;
  const bool stopped = guest_ != nullptr && guest_->interrupt();
  const std::string detail = "the plug-in did not pause for " + std::to_string(milliseconds) + " ms and was " +
                             (stopped ? "stopped" : "left behind, because native code cannot be stopped");
  plugin_->counters->limit_tripped("timeout_ms", limit, unix_ms());
  plugin_->log.write(core::LogLevel::kError, definition().name,
                     detail + " (limit timeout_ms: " + std::to_string(limit) + ")");
  end(InstanceListener::End::kBrokeDown, detail,
      {.status = 502, .detail = detail, .limit = "timeout_ms", .limit_value = limit});
}

// ---- requests

void Instance::accept(core::Exchange& exchange) {
  if (state_ == State::kEnded) {
    release();
    exchange.reroute();
    return;
  }
  OpenCall& call = open(exchange);
  waiting_.push_back(call.id_);
}

OpenCall& Instance::open(core::Exchange& exchange) {
  if (++open_ * 2 > calls_.size()) {
    std::vector<std::unique_ptr<OpenCall>> larger(calls_.size() * 2);
    for (auto& call : calls_) {
      if (call != nullptr) {
        // Ids are told apart modulo the old size, hence also modulo the doubled one.
        const size_t index = call->id_ % larger.size();
        larger[index] = std::move(call);
      }
    }
    calls_ = std::move(larger);
  }
  while (calls_[next_id_ % calls_.size()] != nullptr) ++next_id_;
  const CallId id = next_id_++;
  auto& place = calls_[id % calls_.size()];
  if (spare_.empty()) {
    place = std::make_unique<OpenCall>(*this);
  } else {
    place = std::move(spare_.back());
    spare_.pop_back();
  }
  OpenCall& call = *place;
  call.id_ = id;
  call.exchange_ = &exchange;
  call.deadline_ms_ = loop_->now_ms() + plugin_->definition.limits.timeout_ms;
  call.given_ = call.response_started_ = call.body_ready_ = call.writable_ = call.signalled_ = false;
  call.older_ = youngest_;
  call.younger_ = nullptr;
  (youngest_ != nullptr ? youngest_->younger_ : oldest_) = &call;
  youngest_ = &call;
  exchange.set_listener(&call);
  exchange.set_plugin(plugin_->definition.name);
  if (expiry_timer_ == 0) arm_expiry();
  return call;
}

void Instance::close_call(OpenCall& call) {
  (call.older_ != nullptr ? call.older_->younger_ : oldest_) = call.younger_;
  (call.younger_ != nullptr ? call.younger_->older_ : youngest_) = call.older_;
  if (call.given_) --given_;
  --open_;
  auto& place = calls_[call.id_ % calls_.size()];
  call.id_ = 0;
  call.exchange_ = nullptr;
  spare_.push_back(std::move(place));
  release();
}

Call* Instance::find(CallId id) {
  auto& call = calls_[id % calls_.size()];
  return call != nullptr && call->id_ == id ? call.get() : nullptr;
}

// ---- deadlines

void Instance::arm_expiry() {
  if (oldest_ == nullptr) return;
  const uint64_t now = loop_->now_ms();
  const uint64_t wait = oldest_->deadline_ms_ > now ? oldest_->deadline_ms_ - now : 0;
  expiry_timer_ = loop_->start_timer(wait, [this] { expire(loop_->now_ms()); });
}

// May run on a stand-in while the guest computes.
void Instance::expire(uint64_t now_ms) {
  loop_->cancel_timer(std::exchange(expiry_timer_, 0));
  const uint32_t limit = plugin_->definition.limits.timeout_ms;
  // Always the oldest anew: answering one call may end others of the same connection.
  while (oldest_ != nullptr && oldest_->deadline_ms_ <= now_ms) {
    OpenCall* call = oldest_;
    if (call->response_started_) {
      // Its answer is on its way, and no time-out applies any more. It moves behind all others.
      call->deadline_ms_ = now_ms + limit;
      if (call == youngest_) break;
      oldest_ = call->younger_;
      oldest_->older_ = nullptr;
      call->older_ = youngest_;
      call->younger_ = nullptr;
      youngest_->younger_ = call;
      youngest_ = call;
      continue;
    }
    plugin_->counters->limit_tripped("timeout_ms", limit, unix_ms());
    if (call->given_) dropped_.push_back({call->id_, DropReason::kTimeout});
    plugin_->log.write(core::LogLevel::kWarn, definition().name,
                       "did not answer request " + std::string(call->request().id) + " within timeout_ms (" +
                           std::to_string(limit) + " ms)");
    call->fail(
        {.status = 504, .detail = "the plug-in did not answer in time", .limit = "timeout_ms", .limit_value = limit});
  }
  arm_expiry();
}

// May run on a stand-in while the guest computes.
void Instance::start_timed_out() {
  if (state_ != State::kStarting || start_failed_) return;
  const uint32_t limit = plugin_->definition.limits.timeout_ms;
  plugin_->counters->limit_tripped("timeout_ms", limit, unix_ms());
  if (loop_->outside_epoch() % 2 == 1) guest_->interrupt();
  const std::string message = "it did not finish loading within timeout_ms (" + std::to_string(limit) + " ms)";
  end(InstanceListener::End::kStartFailed, message,
      {.status = 502,
       .detail = "the plug-in could not be created: " + message,
       .limit = "timeout_ms",
       .limit_value = limit});
}

// ---- the instance's thread

void Instance::run() {
  loop_->run(this);
  {
    auto turn = loop_->take_turn();
    guest_.reset();
  }
  finished_ = true;
}

int Instance::wait_ms() {
  // The guest is created by work(): the loop must not fall asleep before. And what connections wrote at the end of a
  // turn may have left something to tell it.
  const bool due = guest_ == nullptr || !signals_.empty() || !dropped_.empty() || (retiring_ && open_ == 0);
  return due ? 0 : guest_->wait_ms();
}

bool Instance::work() {
  if (state_ == State::kEnded) {
    loop_->stop();
    return false;
  }
  if (!guest_started_) {
    guest_started_ = true;
    guest_ = kind_.create(*this);
    loop_->start_timer(plugin_->definition.limits.timeout_ms, [this] { start_timed_out(); });
    guest_->start();
  }
  const bool more = run_guest();
  trim();
  if (state_ == State::kEnded) {
    loop_->stop();
    return false;
  }
  if (start_failed_) {
    end(InstanceListener::End::kStartFailed, start_error_,
        {.status = 502, .detail = "the plug-in could not be created: " + start_error_});
    return false;
  }
  if (broken_) {
    break_down();
    return false;
  }
  if (retiring_ && open_ == 0) {
    end(InstanceListener::End::kRetired, {}, {});
    return false;
  }
  return more;
}

// Gives the guest what is due. Returns true when there is more.
bool Instance::run_guest() {
  const int64_t began = coarse_ns();
  auto usable = [this] { return state_ != State::kEnded && !broken_ && !start_failed_; };
  const bool more = guest_->work();
  while (usable()) {
    notify_guest();
    if (!usable() || state_ != State::kReady) break;
    if (waiting_at_ == waiting_.size()) {
      waiting_.clear();
      waiting_at_ = 0;
      break;
    }
    if (one_at_a_time_ && given_ > 0) break;
    auto* call = static_cast<OpenCall*>(find(waiting_[waiting_at_++]));
    if (call == nullptr) continue;  // it ended while it waited
    call->given_ = true;
    ++given_;
    const void* batch = call->exchange_->batch();
    guest_->handle(*call);
    auto* next = waiting_at_ < waiting_.size() ? static_cast<OpenCall*>(find(waiting_[waiting_at_])) : nullptr;
    if (next == nullptr || next->exchange_->batch() != batch) loop_->end_turn();
    if (coarse_ns() - began > kWorkSliceNs) break;
  }
  const bool blocked = state_ != State::kReady || (one_at_a_time_ && given_ > 0);
  return more || !dropped_.empty() || !signals_.empty() || (waiting_at_ < waiting_.size() && !blocked);
}

// Gives back what a burst has left.
void Instance::trim() {
  if (waiting_at_ > kMaxSpare && waiting_at_ * 2 > waiting_.size()) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(waiting_at_));
    waiting_at_ = 0;
  }
  if (spare_.size() > kMaxSpare) spare_.resize(kMaxSpare);
}

// Tells the guest what happened to calls that it has. Lists may grow while plug-in code runs.
void Instance::notify_guest() {
  for (size_t i = 0; i < dropped_.size() && !broken_; ++i) guest_->dropped(dropped_[i].id, dropped_[i].reason);
  dropped_.clear();
  std::vector<CallId> signals;
  signals.swap(signals_);
  for (const CallId id : signals) {
    if (broken_ || state_ == State::kEnded) return;
    auto* call = static_cast<OpenCall*>(find(id));
    if (call == nullptr) continue;
    call->signalled_ = false;
    if (std::exchange(call->body_ready_, false)) guest_->body_ready(*call);
    call = static_cast<OpenCall*>(find(id));
    if (call != nullptr && std::exchange(call->writable_, false)) guest_->writable(*call);
  }
}

// ---- the guest's word

void Instance::ready() {
  if (state_ != State::kStarting) return;
  state_ = State::kReady;
  // A request that came while the plug-in was being created has its full time from here.
  for (OpenCall* call = oldest_; call != nullptr; call = call->younger_) {
    call->deadline_ms_ = loop_->now_ms() + plugin_->definition.limits.timeout_ms;
  }
  listener_.on_ready(id_);
}

void Instance::start_failed(std::string message) {
  start_error_ = std::move(message);
  start_failed_ = true;
}

void Instance::broken(Breakdown breakdown) {
  if (broken_) return;
  breakdown_ = std::move(breakdown);
  broken_ = true;
}

void Instance::lost(Breakdown breakdown) {
  loop_->seize_turn();
  given_up_ = true;
  breakdown_ = std::move(breakdown);
  if (state_ != State::kEnded) break_down();
  loop_->let_go();
  while (true) pause();
}

void Instance::break_down() {
  if (!breakdown_.limit.empty()) {
    plugin_->counters->limit_tripped(breakdown_.limit, breakdown_.limit_value, unix_ms());
  }
  std::string message = breakdown_.detail;
  if (!breakdown_.stack.empty()) message += "\n" + breakdown_.stack;
  plugin_->log.write(core::LogLevel::kError, definition().name, message);
  const bool starting = state_ == State::kStarting;
  end(starting ? InstanceListener::End::kStartFailed : InstanceListener::End::kBrokeDown, message,
      {.status = 502,
       .detail = starting ? "the plug-in could not be created: " + breakdown_.detail : breakdown_.detail,
       .limit = breakdown_.limit,
       .limit_value = breakdown_.limit_value,
       .stack = breakdown_.stack});
}

// Inside the turn, on any thread. The guest is destroyed by its own thread.
void Instance::end(InstanceListener::End end, const std::string& message, const core::Problem& problem) {
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  // What the guest was given fails; what it never saw goes to another instance.
  const bool replaced = end != InstanceListener::End::kStartFailed;
  while (oldest_ != nullptr) {
    OpenCall& call = *oldest_;
    if (call.given_ || !replaced) {
      call.fail(problem);
    } else {
      call.close().reroute();
    }
  }
  loop_->close();
  loop_->evacuate();
  loop_->local().reset();
  loop_->stop();
  listener_.on_end(id_, end, message);
}

}  // namespace valor::host
