#include "net/event-loop.h"

#include <doctest/doctest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <future>
#include <thread>

using namespace valor::net;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;

namespace {

// A loop on a thread of its own, stopped at the end of the scope.
struct Running {
  std::unique_ptr<EventLoop> loop = std::move(EventLoop::create()).value();
  std::thread thread;
  explicit Running(Worker* worker = nullptr) : thread([this, worker] { loop->run(worker); }) {}
  ~Running() {
    loop->stop();
    thread.join();
  }
};

struct Pipe {
  int fds[2];
  Pipe() { REQUIRE(pipe(fds) == 0); }
  ~Pipe() {
    close(fds[0]);
    close(fds[1]);
  }
  void put(char c) const { REQUIRE(write(fds[1], &c, 1) == 1); }
};

struct Reader : EventHandler {
  int fd;
  std::promise<char> got;
  explicit Reader(int fd) : fd(fd) {}
  void on_events(uint32_t) override {
    char c = 0;
    if (read(fd, &c, 1) == 1) got.set_value(c);
  }
};

template <class T>
T get(std::future<T>& future) {
  REQUIRE(future.wait_for(20s) == std::future_status::ready);
  return future.get();
}

}  // namespace

TEST_CASE("a posted task runs on the loop's thread") {
  Running running;
  std::promise<std::thread::id> done;
  auto ran_on = done.get_future();
  CHECK(running.loop->post([&] { done.set_value(std::this_thread::get_id()); }));
  CHECK(get(ran_on) == running.thread.get_id());
}

TEST_CASE("a closed loop takes no task but runs those that it has") {
  auto loop = std::move(EventLoop::create()).value();
  int ran = 0;
  CHECK(loop->post([&] { ++ran; }));
  {
    auto turn = loop->take_turn();
    loop->close();
  }
  CHECK(ran == 1);
  CHECK_FALSE(loop->post([&] { ++ran; }));
  CHECK(ran == 1);
}

TEST_CASE("timers run in the order of their time and can be cancelled") {
  Running running;
  std::promise<std::string> done;
  auto order = done.get_future();
  std::string seen;
  running.loop->post([&] {
    running.loop->start_timer(30, [&] { done.set_value(seen + "c"); });
    running.loop->start_timer(10, [&] { seen += "b"; });
    running.loop->start_timer(5, [&] { seen += "a"; });
    running.loop->cancel_timer(running.loop->start_timer(1, [&] { seen += "x"; }));
  });
  CHECK(get(order) == "abc");
}

TEST_CASE("while plug-in code runs, a stand-in handles the loop's events, tasks and timers") {
  struct Plugin : Worker {
    EventLoop* loop = nullptr;
    std::promise<void> inside;
    std::promise<void> release;
    bool once = true;
    bool work() override {
      if (!std::exchange(once, false)) return false;
      EventLoop::Outside outside(*loop);
      inside.set_value();
      release.get_future().wait();
      return false;
    }
    int wait_ms() override { return -1; }
  } plugin;
  auto loop = std::move(EventLoop::create()).value();
  plugin.loop = loop.get();
  Pipe pipe;
  Reader reader(pipe.fds[0]);
  CHECK(loop->watch(pipe.fds[0], EPOLLIN, reader) != 0);
  CHECK_FALSE(loop->stand_in());  // nobody is outside yet
  std::thread thread([&] { loop->run(&plugin); });
  loop->wake();
  auto inside = plugin.inside.get_future();
  get(inside);
  const uint64_t epoch = loop->outside_epoch();
  CHECK(epoch % 2 == 1);
  pipe.put('x');
  bool task_ran = false;
  loop->post([&] { task_ran = true; });
  CHECK(loop->stand_in());
  auto got = reader.got.get_future();
  CHECK(get(got) == 'x');
  CHECK(task_ran);
  CHECK(loop->outside_epoch() == epoch);
  plugin.release.set_value();
  loop->stop();
  thread.join();
  CHECK(loop->outside_epoch() == epoch + 1);
}

TEST_CASE("an event of a descriptor that is no longer watched reaches nobody") {
  auto loop = std::move(EventLoop::create()).value();
  Pipe one;
  Pipe two;
  Reader first(one.fds[0]);
  Reader second(two.fds[0]);
  const auto watch = loop->watch(one.fds[0], EPOLLIN, first);
  loop->unwatch(watch, one.fds[0]);
  const auto again = loop->watch(two.fds[0], EPOLLIN, second);
  CHECK(again != watch);
  loop->unwatch(watch, one.fds[0]);  // a stale name does nothing
  two.put('y');
  std::thread thread([&] { loop->run(nullptr); });
  auto got = second.got.get_future();
  CHECK(get(got) == 'y');
  loop->stop();
  thread.join();
}

TEST_CASE("the end of a turn calls each waiting object once, also one that asks while it is called") {
  struct End : TurnEnd {
    EventLoop& loop;
    int calls = 0;
    explicit End(EventLoop& loop) : loop(loop) {}
    void on_turn_end() override {
      if (++calls == 1) loop.at_end_of_turn(*this);
    }
  };
  auto loop = std::move(EventLoop::create()).value();
  End end(*loop);
  loop->at_end_of_turn(end);
  loop->at_end_of_turn(end);
  loop->end_turn();
  CHECK(end.calls == 2);
  loop->at_end_of_turn(end);
  loop->forget(end);
  loop->end_turn();
  CHECK(end.calls == 2);
}

TEST_CASE("residents are visited at a tick and when the loop is evacuated, and may leave then") {
  struct Guest : Resident {
    EventLoop& loop;
    std::atomic<int> ticks{0};
    bool evacuated = false;
    explicit Guest(EventLoop& loop) : loop(loop) {}
    void on_tick() override { ++ticks; }
    void on_evacuate() override {
      evacuated = true;
      loop.remove_resident(*this);
    }
  };
  Running running;
  Guest a(*running.loop);
  Guest b(*running.loop);
  running.loop->post([&] {
    running.loop->add_resident(a);
    running.loop->add_resident(b);
  });
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while ((a.ticks == 0 || b.ticks == 0) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(5ms);
  CHECK(a.ticks > 0);
  CHECK(b.ticks > 0);
  auto turn = running.loop->take_turn();
  running.loop->evacuate();
  CHECK(a.evacuated);
  CHECK(b.evacuated);
  CHECK_FALSE(running.loop->has_residents());
}
