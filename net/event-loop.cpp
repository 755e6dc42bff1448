#include "net/event-loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace valor::net {

namespace {

constexpr int kEventsPerTurn = 128;
constexpr uint64_t kTickMs = 250;
// epoll data of the wake-up descriptor; a Watch is never 0.
constexpr uint64_t kWakeUp = 0;

EventLoop::Watch to_watch(uint32_t slot, uint32_t generation) {
  return (uint64_t{generation} << 32) | slot;
}

uint64_t monotonic_ms() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000 + static_cast<uint64_t>(time.tv_nsec) / 1'000'000;
}

}  // namespace

core::Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  std::unique_ptr<EventLoop> loop(new EventLoop);
  loop->epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  loop->wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeUp;
  if (loop->epoll_fd_ < 0 || loop->wake_fd_ < 0 ||
      epoll_ctl(loop->epoll_fd_, EPOLL_CTL_ADD, loop->wake_fd_, &event) != 0) {
    return core::Error{std::string("cannot create an event loop: ") + strerror(errno) +
                       "; raise the limit of open files (ulimit -n)"};
  }
  loop->scratch_ = std::make_unique_for_overwrite<char[]>(kScratchSize);
  loop->read_clock();
  return loop;
}

EventLoop::~EventLoop() {
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

void EventLoop::run(Worker* worker) {
  turn_.lock();
  bool more = false;
  while (!stopping_.load(std::memory_order_relaxed)) {
    const int timeout = more || !turn_ends_.empty() ? 0 : timeout_ms(worker);
    epoll_event events[kEventsPerTurn];
    turn_.unlock();
    const int count = epoll_wait(epoll_fd_, events, kEventsPerTurn, timeout);
    turn_.lock();
    read_clock();
    handle_events(events, count);
    run_tasks();
    run_timers();
    more = worker != nullptr && worker->work();
    end_turn();
  }
  turn_.unlock();
}

bool EventLoop::stand_in() {
  std::unique_lock turn(turn_, std::try_to_lock);
  if (!turn || outside_epoch_.load() % 2 == 0) return false;
  epoll_event events[kEventsPerTurn];
  const int count = epoll_wait(epoll_fd_, events, kEventsPerTurn, 0);
  read_clock();
  handle_events(events, count);
  run_tasks();
  run_timers();
  end_turn();
  return true;
}

void EventLoop::handle_events(const void* events, int count) {
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = static_cast<const epoll_event*>(events)[i];
    if (event.data.u64 == kWakeUp) {
      uint64_t value;
      (void)!read(wake_fd_, &value, sizeof value);
      // Before the tasks are taken: a signal that comes from now on is not lost.
      signalled_.store(false);
      continue;
    }
    const auto slot = static_cast<uint32_t>(event.data.u64);
    // Between epoll_wait and here, somebody else may have been the loop.
    if (slot >= slots_.size() || slots_[slot].generation != event.data.u64 >> 32) continue;
    if (slots_[slot].handler != nullptr) slots_[slot].handler->on_events(event.events);
  }
}

EventLoop::Watch EventLoop::watch(int fd, uint32_t events, EventHandler& handler) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_slots_.back();
  const Watch watch = to_watch(slot, slots_[slot].generation);
  epoll_event event{};
  event.events = events;
  event.data.u64 = watch;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) return 0;
  free_slots_.pop_back();
  slots_[slot].handler = &handler;
  return watch;
}

void EventLoop::change(Watch watch, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = watch;
  epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::unwatch(Watch watch, int fd) {
  const auto slot = static_cast<uint32_t>(watch);
  if (slot >= slots_.size() || slots_[slot].generation != watch >> 32) return;
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  slots_[slot].handler = nullptr;
  // 0 would make slot 0 look like the wake-up descriptor.
  if (++slots_[slot].generation == 0) slots_[slot].generation = 1;
  free_slots_.push_back(slot);
}

EventLoop::TimerId EventLoop::start_timer(uint64_t milliseconds, std::function<void()> function) {
  const TimerId timer = next_timer_++;
  const uint64_t due = monotonic_ms() + milliseconds;
  timers_.emplace(std::pair(due, timer), std::move(function));
  timer_due_.emplace(timer, due);
  // A stand-in that starts a timer does not end the sleep that the loop's thread may fall into; nor need it: the thread
  // computes its time-out anew when it comes back.
  return timer;
}

void EventLoop::cancel_timer(TimerId timer) {
  auto due = timer_due_.find(timer);
  if (due == timer_due_.end()) return;
  timers_.erase(std::pair(due->second, timer));
  timer_due_.erase(due);
}

void EventLoop::run_timers() {
  while (!timers_.empty() && timers_.begin()->first.first <= now_ms_) {
    auto function = std::move(timers_.begin()->second);
    timer_due_.erase(timers_.begin()->first.second);
    timers_.erase(timers_.begin());
    function();
  }
}

bool EventLoop::post(Task task) {
  bool first;
  {
    std::lock_guard lock(tasks_mutex_);
    if (closed_) return false;
    first = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  if (first) signal();
  return true;
}

void EventLoop::run_tasks() {
  std::vector<Task> tasks;
  {
    std::lock_guard lock(tasks_mutex_);
    if (tasks_.empty()) return;
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) task();
}

void EventLoop::close() {
  {
    std::lock_guard lock(tasks_mutex_);
    closed_ = true;
  }
  run_tasks();
}

void EventLoop::stop() {
  stopping_ = true;
  signal();
}

void EventLoop::wake() {
  signal();
}

void EventLoop::signal() {
  if (signalled_.exchange(true)) return;
  const uint64_t one = 1;
  (void)!write(wake_fd_, &one, sizeof one);
}

void EventLoop::at_end_of_turn(TurnEnd& end) {
  if (end.queued_) return;
  end.queued_ = true;
  turn_ends_.push_back(&end);
}

void EventLoop::forget(TurnEnd& end) {
  if (!end.queued_) return;
  end.queued_ = false;
  std::replace(turn_ends_.begin(), turn_ends_.end(), &end, static_cast<TurnEnd*>(nullptr));
}

void EventLoop::end_turn() {
  // Whoever is called may ask for another call; by index, because the list may grow.
  for (size_t i = 0; i < turn_ends_.size(); ++i) {
    TurnEnd* end = turn_ends_[i];
    if (end == nullptr) continue;
    turn_ends_[i] = nullptr;
    end->queued_ = false;
    end->on_turn_end();
  }
  turn_ends_.clear();
}

void EventLoop::add_resident(Resident& resident) {
  resident.next_ = first_resident_;
  resident.previous_ = nullptr;
  if (first_resident_ != nullptr) first_resident_->previous_ = &resident;
  first_resident_ = &resident;
  if (tick_timer_ == 0) tick_timer_ = start_timer(kTickMs, [this] { tick(); });
}

void EventLoop::remove_resident(Resident& resident) {
  if (next_to_visit_ == &resident) next_to_visit_ = resident.next_;
  if (resident.previous_ != nullptr) {
    resident.previous_->next_ = resident.next_;
  } else if (first_resident_ == &resident) {
    first_resident_ = resident.next_;
  } else {
    return;
  }
  if (resident.next_ != nullptr) resident.next_->previous_ = resident.previous_;
  resident.previous_ = resident.next_ = nullptr;
}

void EventLoop::tick() {
  tick_timer_ = 0;
  for (Resident* resident = first_resident_; resident != nullptr; resident = next_to_visit_) {
    next_to_visit_ = resident->next_;
    resident->on_tick();
  }
  next_to_visit_ = nullptr;
  if (first_resident_ != nullptr && tick_timer_ == 0) tick_timer_ = start_timer(kTickMs, [this] { tick(); });
}

void EventLoop::evacuate() {
  for (Resident* resident = first_resident_; resident != nullptr; resident = next_to_visit_) {
    next_to_visit_ = resident->next_;
    resident->on_evacuate();
  }
  next_to_visit_ = nullptr;
}

int EventLoop::timeout_ms(Worker* worker) const {
  int timeout = worker != nullptr ? worker->wait_ms() : -1;
  if (!timers_.empty()) {
    const uint64_t now = monotonic_ms();
    const uint64_t due = timers_.begin()->first.first;
    const int left = due > now ? static_cast<int>(std::min<uint64_t>(due - now, 3'600'000)) : 0;
    timeout = timeout < 0 ? left : std::min(timeout, left);
  }
  return timeout;
}

void EventLoop::read_clock() {
  now_ms_ = monotonic_ms();
  timespec time;
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  unix_seconds_ = time.tv_sec;
}

void EventLoop::seize_turn() {
  const bool outside = outside_epoch_.load() % 2 == 1;
  if (outside && inside_thread_.load(std::memory_order_relaxed) != pthread_self()) turn_.lock();
}

void EventLoop::set_watcher(std::atomic<bool>& resting, std::function<void()> wake_watcher) {
  watcher_resting_ = &resting;
  wake_watcher_ = std::move(wake_watcher);
}

void EventLoop::leave() {
  outside_epoch_.fetch_add(1);
  turn_.unlock();
  // After the epoch in the single order of all such operations: either the watcher sees the odd epoch before it rests,
  // or it is seen resting here.
  if (watcher_resting_ != nullptr && watcher_resting_->load()) wake_watcher_();
}

void EventLoop::enter() {
  turn_.lock();
  outside_epoch_.fetch_add(1);
}

}  // namespace valor::net
