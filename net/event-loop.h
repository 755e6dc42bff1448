// An event loop: one thread, one epoll set, and a *turn lock* that says who is the loop right now.
//
// Everything a loop owns (connections, timers, the calls of an instance) is touched only *inside its turn*, that is,
// while the turn lock is held. The loop's own thread holds it whenever it works, and lets go of it in two places: while
// it sleeps in epoll_wait, and while it runs plug-in code (Outside). Because plug-in code may compute for seconds, some
// other thread can then take the turn and do the loop's I/O in its place (stand_in): read, route, answer other people's
// requests, enforce deadlines. So a busy plug-in holds back nobody else, and no connection has to move for that.
//
// Two rules keep this simple:
//  1. Event handlers, timers and posted tasks never run plug-in code. They queue work; Worker::work() runs it, and only
//     the loop's own thread calls work().
//  2. Code that plug-in code calls back into (postMessage, the native ABI) takes the turn again with Inside.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/result.h"
#include "net/task.h"

namespace valor::net {

/// Hears of readiness on a file descriptor. Called inside the turn, possibly by a stand-in thread.
class EventHandler {
 public:
  /// `events`: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR, ...
  virtual void on_events(uint32_t events) = 0;

 protected:
  ~EventHandler() = default;
};

/// What is to be done at the end of a turn, once however often it was asked for (EventLoop::at_end_of_turn).
class TurnEnd {
 public:
  /// May destroy the object.
  virtual void on_turn_end() = 0;

 protected:
  ~TurnEnd() = default;

 private:
  friend class EventLoop;
  bool queued_ = false;
};

/// Something that lives on one loop at a time, such as a connection. Called inside the turn.
class Resident {
 public:
  /// Comes about four times a second, for coarse deadlines.
  virtual void on_tick() = 0;
  /// The loop ends: move to another one or close.
  virtual void on_evacuate() = 0;

 protected:
  ~Resident() = default;

 private:
  friend class EventLoop;
  Resident* previous_ = nullptr;
  Resident* next_ = nullptr;
};

/// What the loop's own thread does after the events of each turn.
class Worker {
 public:
  /// Does what is due; called inside the turn. Returns true when there is more to do at once.
  virtual bool work() = 0;
  /// How long work() can wait without an event, in milliseconds; -1: for ever.
  virtual int wait_ms() = 0;

 protected:
  ~Worker() = default;
};

class EventLoop {
 public:
  /// Fails when the system gives no more file descriptors.
  static core::Result<std::unique_ptr<EventLoop>> create();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // --- the loop's own thread ---

  /// Runs until stop(). `worker` is borrowed and may be null.
  void run(Worker* worker);

  // --- inside the turn ---

  /// Names a watched descriptor; 0 names none. Never used twice, so an event that was already fetched for a descriptor
  /// that is gone is recognised.
  using Watch = uint64_t;
  /// Watches `fd` (borrowed, level-triggered). 0 when the system refuses.
  Watch watch(int fd, uint32_t events, EventHandler& handler);
  void change(Watch watch, int fd, uint32_t events);
  void unwatch(Watch watch, int fd);

  using TimerId = uint64_t;
  /// Calls `function` once, inside the turn, at least `milliseconds` from now.
  TimerId start_timer(uint64_t milliseconds, std::function<void()> function);
  /// Does nothing for a timer that has run or was cancelled.
  void cancel_timer(TimerId timer);

  /// Milliseconds of the monotonic clock when the current turn began.
  uint64_t now_ms() const { return now_ms_; }
  /// Seconds since 1970 when the current turn began.
  int64_t unix_seconds() const { return unix_seconds_; }

  /// Has `end` called once before the loop sleeps again.
  void at_end_of_turn(TurnEnd& end);
  void forget(TurnEnd& end);
  /// Calls now what waits for the end of the turn.
  void end_turn();

  /// Enters something that lives on this loop and is to be told of time passing and of the loop's end.
  void add_resident(Resident& resident);
  void remove_resident(Resident& resident);
  bool has_residents() const { return first_resident_ != nullptr; }

  /// A place for what its user keeps for each loop (server/dispatcher.h does).
  std::shared_ptr<void>& local() { return local_; }

  /// A buffer that whoever is inside the turn may use until it lets go of the turn. 64 KiB.
  static constexpr size_t kScratchSize = 64 * 1024;
  char* scratch() { return scratch_.get(); }

  // --- any thread ---

  /// Runs `task` inside the turn, soon. Returns false, and destroys the task unrun, when the loop is closed.
  bool post(Task task);
  /// Makes run() return soon.
  void stop();
  /// Makes the loop's thread call Worker::work() soon.
  void wake();

  // --- the end of a loop, inside the turn ---

  /// Lets no further task in and runs those that are queued.
  void close();
  /// Asks every resident to leave (Resident::on_evacuate).
  void evacuate();

  // --- plug-in code ---

  /// Lets go of the turn for the time of a scope, around a call into plug-in code.
  class Outside {
   public:
    explicit Outside(EventLoop& loop) : loop_(loop) { loop_.leave(); }
    ~Outside() { loop_.enter(); }
    Outside(const Outside&) = delete;
    Outside& operator=(const Outside&) = delete;

   private:
    EventLoop& loop_;
  };
  /// Takes the turn back for the time of a scope, in a call from plug-in code (on any thread). Does not nest.
  class Inside {
   public:
    explicit Inside(EventLoop& loop) : loop_(loop) {
      loop_.turn_.lock();
      loop_.inside_thread_.store(pthread_self(), std::memory_order_relaxed);
    }
    ~Inside() {
      loop_.inside_thread_.store(0, std::memory_order_relaxed);
      loop_.turn_.unlock();
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    EventLoop& loop_;
  };

  /// Takes the turn on the loop's own thread wherever that is: inside, outside, or in a call from plug-in code. For
  /// code that never goes back to where it came from; let_go() ends the turn.
  void seize_turn();
  void let_go() { turn_.unlock(); }

  // --- a thread that watches over loops (host/supervisor) ---

  /// Odd while plug-in code runs; changes with every entry and exit. The same odd value twice means: busy since then.
  uint64_t outside_epoch() const { return outside_epoch_.load(); }
  /// Readable when the loop has events to handle.
  int poll_fd() const { return epoll_fd_; }
  /// Handles events, timers and posted tasks in the place of the loop's thread, if that is outside and the turn is
  /// free. Returns false when it was not.
  bool stand_in();
  /// Takes the turn for the time of a scope, from any thread that is not inside.
  std::unique_lock<std::mutex> take_turn() { return std::unique_lock<std::mutex>(turn_); }
  /// The same where it is free.
  std::unique_lock<std::mutex> try_turn() { return std::unique_lock<std::mutex>(turn_, std::try_to_lock); }
  /// `wake_watcher` is called by the loop's thread when plug-in code begins while `resting` is true. Before run().
  void set_watcher(std::atomic<bool>& resting, std::function<void()> wake_watcher);

 private:
  EventLoop() = default;
  void enter();
  void leave();
  void read_clock();
  void handle_events(const void* events, int count);
  void run_timers();
  void run_tasks();
  void tick();
  int timeout_ms(Worker* worker) const;
  void signal();

  struct Slot {
    EventHandler* handler = nullptr;
    uint32_t generation = 1;
  };

  int epoll_fd_ = -1;
  int wake_fd_ = -1;

  std::mutex turn_;
  std::atomic<pthread_t> inside_thread_{0};  // holds the turn through Inside
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::map<std::pair<uint64_t, TimerId>, std::function<void()>> timers_;
  std::map<TimerId, uint64_t> timer_due_;
  TimerId next_timer_ = 1;
  std::vector<TurnEnd*> turn_ends_;
  uint64_t now_ms_ = 0;
  int64_t unix_seconds_ = 0;
  std::unique_ptr<char[]> scratch_;
  Resident* first_resident_ = nullptr;
  Resident* next_to_visit_ = nullptr;
  TimerId tick_timer_ = 0;
  std::shared_ptr<void> local_;

  std::mutex tasks_mutex_;
  std::vector<Task> tasks_;
  bool closed_ = false;
  std::atomic<bool> signalled_{false};
  std::atomic<bool> stopping_{false};

  alignas(64) std::atomic<uint64_t> outside_epoch_{0};
  std::atomic<bool>* watcher_resting_ = nullptr;
  std::function<void()> wake_watcher_;
};

}  // namespace valor::net
