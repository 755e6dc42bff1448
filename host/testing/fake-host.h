// A host for the tests of one guest: a real event loop on a thread of its own, and calls that are plain data instead of
// connections. The guest is created, called and destroyed on the loop's thread, inside its turn, as host/guest.h
// promises; the test looks at what came of it from its own thread.
#pragma once

#include <chrono>
#include <cstdlib>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/guest.h"
#include "net/event-loop.h"

namespace valor::host::testing {

class FakeHost;

/// How a call ended.
enum class Ending { kOpen, kResponded, kFinished, kAborted, kFailed, kDropped };

/// A request and what was answered. Read and change the fields through FakeHost::look() while the call is open.
class FakeCall final : public Call {
 public:
  // --- what the test sets before FakeHost::send() ---
  core::Request sent;
  bool with_body = false;
  std::optional<uint64_t> length;
  std::deque<std::string> pieces;  ///< of the body, still to be read
  bool body_ended = true;          ///< nothing follows `pieces`
  bool body_failed = false;
  uint64_t window = UINT64_MAX;  ///< bytes of the answer that may be written until write() says kWait

  // --- what came of it ---
  Ending ending = Ending::kOpen;
  core::ResponseHead head;
  std::optional<uint64_t> answer_length;
  std::string answer;
  core::Problem problem{.status = 0, .detail = {}};
  bool started = false;
  uint64_t written = 0;
  bool keep_answer = true;  ///< false: count only
  bool left = false;        ///< the client has, and the guest was not told yet: see FakeHost::drop()
  int writes_in_vain = 0;   ///< since then

  CallId id() const override { return id_; }
  const core::Request& request() const override { return sent; }
  bool has_body() const override { return with_body; }
  std::optional<uint64_t> content_length() const override { return length; }
  core::BodyPiece read_body() override {
    if (body_failed) return {core::ReadStatus::kFailed, {}};
    if (!pieces.empty()) {
      current_ = std::move(pieces.front());
      pieces.pop_front();
      return {core::ReadStatus::kData, current_};
    }
    waiting_for_body_ = !body_ended;
    return {body_ended ? core::ReadStatus::kEnd : core::ReadStatus::kWait, {}};
  }
  void respond(const core::ResponseHead& response, std::string_view body) override {
    head = response;
    answer_length = body.size();
    take(body);
    ending = Ending::kResponded;
  }
  void start_response(const core::ResponseHead& response, std::optional<uint64_t> body_length) override {
    head = response;
    answer_length = body_length;
    started = true;
  }
  bool response_started() const override { return started; }
  core::WriteStatus write(std::string_view data) override {
    if (left) {
      ++writes_in_vain;
      return core::WriteStatus::kGone;
    }
    take(data);
    waiting_to_write_ = written >= window;
    return waiting_to_write_ ? core::WriteStatus::kWait : core::WriteStatus::kReady;
  }
  void finish() override { ending = Ending::kFinished; }
  void abort() override { ending = Ending::kAborted; }
  void fail(core::Problem why) override {
    problem = std::move(why);
    ending = started ? Ending::kAborted : Ending::kFailed;
  }

  /// The answer's status, whichever way it was given; 0: none yet.
  int status() const {
    if (ending == Ending::kFailed) return problem.status;
    return started || ending == Ending::kResponded ? head.status : 0;
  }
  std::string header(std::string_view name) const { return std::string(head.headers.get(name).value_or("")); }

 private:
  friend class FakeHost;
  void take(std::string_view data) {
    written += data.size();
    if (keep_answer) answer += data;
  }
  CallId id_ = 0;
  std::string current_;
  bool handed_over_ = false;
  bool waiting_for_body_ = false;
  bool waiting_to_write_ = false;
};

class FakeHost final : public GuestContext, private net::Worker, private core::Log {
 public:
  explicit FakeHost(core::Definition definition, std::string location = "http://127.0.0.1:8080/test/")
      : definition_(std::move(definition)),
        location_(std::move(location)),
        loop_(std::move(net::EventLoop::create()).value()),
        thread_([this] { loop_->run(this); }) {}
  ~FakeHost() {
    destroy();
    loop_->stop();
    thread_.join();
  }

  // --- the test's thread ---

  /// Creates and starts the guest. Returns why it failed or broke down, or "" when it is ready.
  std::string start(Kind& kind) {
    run([&] {
      guest_ = kind.create(*this);
      guest_->start();
    });
    if (!until([&] { return ready_ || failed_ || breakdown; })) return "neither ready nor failed";
    auto turn = loop_->take_turn();
    if (breakdown) return breakdown->detail;
    return failed_ ? error_ : "";
  }

  /// Destroys the guest as the host does when it is removed.
  void destroy() {
    run([&] { guest_.reset(); });
  }

  /// A call to be filled in and sent. Lives as long as this host.
  FakeCall& prepare(std::string method, std::string url) {
    auto call = std::make_unique<FakeCall>();
    call->sent.method = std::move(method);
    call->sent.target = "/test" + (url.empty() || url[0] == '?' ? url : "/" + url);
    call->sent.url = std::move(url);
    call->sent.scheme = "http";
    call->sent.authority = "127.0.0.1:8080";
    call->sent.id = "id-1";
    std::lock_guard lock(jobs_mutex_);
    call->id_ = ++last_id_;
    calls_.push_back(std::move(call));
    return *calls_.back();
  }

  /// Hands the call to the guest and returns when handle() has returned.
  void send(FakeCall& call) {
    run([&] {
      call.handed_over_ = true;
      guest_->handle(call);
    });
  }

  /// Sends a request without a body and waits for the end of its answer.
  FakeCall& get(std::string url, std::string method = "GET") {
    FakeCall& call = prepare(std::move(method), std::move(url));
    send(call);
    wait_for(call);
    return call;
  }

  bool wait_for(FakeCall& call) {
    return until([&] { return call.ending != Ending::kOpen; });
  }

  /// More of the request's body arrives; `last`: nothing follows.
  void body(FakeCall& call, std::string piece, bool last) {
    run([&] {
      if (!piece.empty()) call.pieces.push_back(std::move(piece));
      call.body_ended = last;
      if (std::exchange(call.waiting_for_body_, false) && call.ending == Ending::kOpen) guest_->body_ready(call);
    });
  }

  /// The client breaks the request's body off.
  void break_body(FakeCall& call) {
    run([&] {
      call.body_failed = true;
      if (std::exchange(call.waiting_for_body_, false) && call.ending == Ending::kOpen) guest_->body_ready(call);
    });
  }

  /// The client takes `bytes` more of the answer.
  void allow(FakeCall& call, uint64_t bytes) {
    run([&] {
      call.window = call.window > UINT64_MAX - bytes ? UINT64_MAX : call.window + bytes;
      if (call.ending == Ending::kOpen && std::exchange(call.waiting_to_write_, false)) guest_->writable(call);
    });
  }

  /// The client leaves.
  void drop(FakeCall& call, DropReason reason = DropReason::kClientGone) {
    run([&] {
      if (call.ending != Ending::kOpen) return;
      call.ending = Ending::kDropped;
      guest_->dropped(call.id(), reason);
    });
  }

  /// Runs `function` on the loop's thread, where the guest is called, and waits for it.
  void run(const std::function<void()>& function) {
    std::promise<void> done;
    {
      std::lock_guard lock(jobs_mutex_);
      jobs_.push_back([&] {
        function();
        done.set_value();
      });
    }
    loop_->wake();
    done.get_future().wait();
  }

  /// Evaluates `function` inside the turn, also while plug-in code runs.
  template <class Function>
  auto look(Function function) {
    auto turn = loop_->take_turn();
    return function();
  }

  /// Waits until `condition`, evaluated inside the turn, holds. Returns false after 20 seconds.
  bool until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!look(condition)) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  // What the guest reported; read inside the turn.
  bool one_at_a_time = false;
  std::optional<Breakdown> breakdown;
  std::string log_text;

  Guest& guest() { return *guest_; }

  // --- GuestContext ---

  const core::Definition& definition() const override { return definition_; }
  const std::string& location() const override { return location_; }
  net::EventLoop& loop() override { return *loop_; }
  core::Log& log() override { return *this; }
  Call* find(CallId id) override {
    std::lock_guard lock(jobs_mutex_);
    for (auto& call : calls_) {
      if (call->id() == id && call->ending == Ending::kOpen) return call.get();
    }
    return nullptr;
  }
  size_t open_calls() const override {
    std::lock_guard lock(jobs_mutex_);
    size_t open = 0;
    for (auto& call : calls_) open += call->handed_over_ && call->ending == Ending::kOpen ? 1 : 0;
    return open;
  }
  void set_one_at_a_time(bool on) override { one_at_a_time = on; }
  void ready() override { ready_ = true; }
  void start_failed(std::string message) override {
    failed_ = true;
    error_ = std::move(message);
  }
  void broken(Breakdown why) override { breakdown = std::move(why); }
  [[noreturn]] void lost(Breakdown) override { std::abort(); }

 private:
  bool work() override {
    std::deque<std::function<void()>> jobs;
    {
      std::lock_guard lock(jobs_mutex_);
      jobs.swap(jobs_);
    }
    for (auto& job : jobs) job();
    return guest_ != nullptr && guest_->work();
  }
  int wait_ms() override { return guest_ != nullptr ? guest_->wait_ms() : -1; }

  void write(core::LogLevel, std::string_view source, std::string_view message) override {
    std::lock_guard lock(log_mutex_);
    log_text.append(source).append(": ").append(message).append("\n");
  }
  void access(const core::AccessRecord&) override {}
  bool keeps(core::LogLevel) const override { return true; }
  bool keeps_access() const override { return false; }

  core::Definition definition_;
  std::string location_;
  bool ready_ = false;
  bool failed_ = false;
  std::string error_;
  std::unique_ptr<Guest> guest_;
  mutable std::mutex jobs_mutex_;
  std::mutex log_mutex_;
  std::deque<std::function<void()>> jobs_;
  std::deque<std::unique_ptr<FakeCall>> calls_;
  CallId last_id_ = 0;
  std::unique_ptr<net::EventLoop> loop_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace valor::host::testing
