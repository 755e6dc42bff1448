// What a kind of plug-in (plugins/*) implements, and what it may use: a Guest is one running instance of a plug-in, on
// a thread of its own.
//
// Every call to a guest is made on the instance's thread, inside the turn of its loop (net/event-loop.h), unless noted.
// Around code of the plug-in itself the guest lets go of the turn (net::EventLoop::Outside); in calls that the plug-in
// makes it takes it back (net::EventLoop::Inside). A guest keeps CallIds, never Call pointers, across those borders:
// while plug-in code ran, the client may have left or a deadline may have passed, and find() then returns nullptr.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/definition.h"
#include "core/exchange.h"
#include "core/log.h"
#include "core/problem.h"
#include "net/event-loop.h"

namespace valor::host {

/// Names a call within its instance; never used twice, never 0.
using CallId = uint64_t;

enum class DropReason {
  kClientGone,  ///< the client closed the connection
  kTimeout,     ///< limits.timeout_ms passed; the client got 504
};

/// One request at one instance. Lives until its answer ends or it is dropped.
class Call {
 public:
  virtual CallId id() const = 0;
  virtual const core::Request& request() const = 0;

  virtual bool has_body() const = 0;
  virtual std::optional<uint64_t> content_length() const = 0;
  /// kWait is followed by Guest::body_ready.
  virtual core::BodyPiece read_body() = 0;

  /// Answers with a whole body. The call is dead afterwards, as after finish(), abort() and fail().
  virtual void respond(const core::ResponseHead& head, std::string_view body) = 0;
  /// Begins an answer in pieces; from here on no timeout applies to the call. See core::Exchange::start_response.
  virtual void start_response(const core::ResponseHead& head, std::optional<uint64_t> length) = 0;
  virtual bool response_started() const = 0;
  /// kWait is followed by Guest::writable.
  virtual core::WriteStatus write(std::string_view data) = 0;
  virtual void finish() = 0;
  virtual void abort() = 0;
  /// Answers with an error (core/problem.h; the plug-in's name is filled in), or aborts when the answer has begun.
  virtual void fail(core::Problem problem) = 0;

 protected:
  ~Call() = default;
};

/// Why an instance cannot go on. In-flight requests get 502 with these words; the instance is replaced.
struct Breakdown {
  std::string detail;
  std::string limit = {};  ///< "memory_mb" where that tripped
  uint64_t limit_value = 0;
  std::string stack = {};  ///< of the code that crashed, a line for each frame
};

/// What the host offers to a guest. Lives longer than the guest. Inside the turn unless noted.
class GuestContext {
 public:
  virtual const core::Definition& definition() const = 0;
  /// Public URL of the mount, with a slash at the end: "http://127.0.0.1:8080/hi/".
  virtual const std::string& location() const = 0;
  virtual net::EventLoop& loop() = 0;
  /// Any thread.
  virtual core::Log& log() = 0;

  /// nullptr when the call has ended.
  virtual Call* find(CallId id) = 0;
  /// Requests that the guest was given and that have not ended.
  virtual size_t open_calls() const = 0;
  /// While true, the guest is given no further request as long as one is open (core/correlation.h).
  virtual void set_one_at_a_time(bool on) = 0;

  /// start() has succeeded: requests may come.
  virtual void ready() = 0;
  /// start() has failed. `message` is for the operator. The guest is destroyed soon.
  virtual void start_failed(std::string message) = 0;
  /// The guest is unusable. It is given nothing more and destroyed soon.
  virtual void broken(Breakdown breakdown) = 0;
  /// Like broken(), for a guest whose code cannot return because what runs it has failed for good. On the instance's
  /// thread, from wherever that is, inside the turn or not. Gives the thread up with everything on it; never returns.
  [[noreturn]] virtual void lost(Breakdown breakdown) = 0;

 protected:
  ~GuestContext() = default;
};

class Guest {
 public:
  virtual ~Guest() = default;

  /// Creates the instance; ends, now or later, in GuestContext::ready() or start_failed().
  virtual void start() = 0;
  /// A request. Answer it now or later.
  virtual void handle(Call& call) = 0;
  /// After read_body() said kWait.
  virtual void body_ready(Call& call) = 0;
  /// After write() said kWait.
  virtual void writable(Call& call) = 0;
  /// The call ended without the guest's doing.
  virtual void dropped(CallId id, DropReason reason) = 0;

  /// What is due besides requests (timers, tasks). Returns true when there is more to do at once.
  virtual bool work() { return false; }
  /// How long work() can wait, in milliseconds; -1: until something happens.
  virtual int wait_ms() { return -1; }

  /// Any thread, the turn held by the caller: plug-in code has run for a while, and what its limits count should be
  /// looked at soon.
  virtual void probe() {}
  /// Any thread, the turn held by the caller: stop plug-in code that runs now, as soon as possible. Returns false when
  /// that is impossible (native code); the thread is then abandoned until it returns by itself.
  virtual bool interrupt() { return false; }
};

/// A type of plug-in. Thread-safe; lives as long as the server.
class Kind {
 public:
  virtual ~Kind() = default;
  /// On the instance's thread. Does no work yet that can fail; start() does.
  virtual std::unique_ptr<Guest> create(GuestContext& context) = 0;
};

}  // namespace valor::host
