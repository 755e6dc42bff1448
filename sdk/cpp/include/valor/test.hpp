// Unit tests for plug-ins: handlers run in the test program, without a server, by a clock that the test moves.
//
//     valor::test::Instance instance(valor_plugin_v1, {.config = R"("Alice")"});
//     CHECK(instance.get("?who=Bob").body == "Alice says hello Bob!");
//
// `valor_plugin_v1` is what VLUGIN makes: compile the plug-in's source into the test program. Handlers can be named
// instead: valor::test::Instance instance(valor::test::handlers<on_request, on_create>).
//
// Time passes in leaps, and only when nothing else can happen: an hour of valor::sleep() takes no time. Work in threads
// is waited for in real time, but a sleep that runs beside it is over at once. Native only; for any test framework.
#pragma once

#if defined(__wasm__)
#error "valor/test.hpp is for native test programs; the plug-in itself is compiled to WASM without it"
#endif

#include <valor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <valor/test/host.hpp>
#include <valor/test/messages.hpp>
#include <valor/test/table.hpp>
#include <valor/vlugin.hpp>
#include <vector>

namespace valor::test {

/// For Instance: handlers, as VLUGIN takes them.
template <auto on_request, auto on_create = nullptr>
inline constexpr valor_entry handlers = &valor::detail::Plugin<on_request, on_create>::enter;

struct Options {
  std::string config = "null";  ///< JSON text
  std::string name = "test";
  std::string location = "http://127.0.0.1:8080/test/";
  std::function<FetchReply(const FetchCall&)> on_fetch = {};  ///< answers the plug-in's fetches; without it they fail
  std::chrono::milliseconds patience{10'000};  ///< of real time, until a call that waits for the plug-in gives up
};

class Instance;

/// A request on its way. Valid as long as its Instance.
class Exchange {
 public:
  /// What the client has got so far.
  Answer answer() const {
    const std::lock_guard lock(host_->mutex);
    return host_->requests.at(number_).answer;
  }

  /// The client sends a piece of a body that follows; its end; or breaks off within it.
  inline void push(std::string_view piece);
  inline void end_body();
  inline void break_body();
  /// The client takes so many bytes more.
  inline void take(uint64_t bytes);
  /// The client leaves. / The time limit passes.
  inline void leave() { drop(VALOR_DROP_CLIENT_GONE); }
  inline void time_out() { drop(VALOR_DROP_TIMEOUT); }
  /// Lets time pass until the answer has ended.
  inline Answer finish();

 private:
  friend class Instance;
  Exchange(Instance& instance, std::shared_ptr<internal::Host> host, uint64_t number)
      : instance_(instance), host_(std::move(host)), number_(number) {}
  inline void drop(uint32_t reason);
  template <class Change>
  void change_body(Change change);

  Instance& instance_;
  std::shared_ptr<internal::Host> host_;
  uint64_t number_;
};

/// One instance of a plug-in. Used on one thread, which is the instance's.
class Instance {
 public:
  explicit Instance(valor_entry entry, Options options = {})
      : guest_(entry(&internal::kTable)), options_(std::move(options)), host_(std::make_shared<internal::Host>()) {
    host_->config = options_.config;
    host_->name = options_.name;
    host_->location = options_.location;
    {
      internal::Hosts& hosts = internal::Hosts::all();
      const std::lock_guard lock(hosts.mutex);
      number_ = ++hosts.last;
      hosts.by_number.emplace(number_, host_);
    }
    self_ = guest_->create(number_);
    run_until([&] { return host_->created || !host_->error.empty(); });
  }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance() {
    guest_->destroy(self_);  // also after an abort, other than the server, so that a leak checker finds nothing
    internal::Hosts& hosts = internal::Hosts::all();
    const std::lock_guard lock(hosts.mutex);
    hosts.by_number.erase(number_);
  }

  /// Why the instance was not created, or gave up; empty when all is well.
  std::string error() const {
    return look([&] { return host_->error; });
  }
  bool aborted() const {
    return look([&] { return host_->aborted; });
  }
  /// What the plug-in has logged.
  std::vector<LogLine> log() const {
    return look([&] { return host_->log; });
  }
  /// The fetches that go on now.
  size_t open_fetches() const {
    return look([&] { return host_->fetches.size(); });
  }

  /// Sends a request and lets time pass until the answer has ended, or patience has.
  Answer send(Request request) { return begin(std::move(request)).finish(); }
  Answer get(std::string url) { return send({.url = std::move(url)}); }
  Answer post(std::string url, std::string body) {
    return send({.method = "POST", .url = std::move(url), .body = std::move(body)});
  }

  /// Sends a request and does what is due now; time stands still.
  Exchange begin(Request request) {
    const uint64_t number = add(request);
    request.headers.emplace_back("x-request-id", "id-" + std::to_string(number));
    valor_request_head head{};
    if (request.body || request.body_follows) head.flags |= VALOR_REQUEST_HAS_BODY;
    if (request.body) {
      head.flags |= VALOR_REQUEST_HAS_LENGTH;
      head.body_length = request.body->size();
    }
    const std::vector<uint64_t> block = internal::pack_head(head,
                                                            {{&valor_request_head::method, request.method},
                                                             {&valor_request_head::url, request.url},
                                                             {&valor_request_head::id, request.headers.back().second}},
                                                            request.headers);
    if (!aborted()) guest_->start(self_, number, block.data(), block.size() * sizeof(uint64_t));
    settle();
    return Exchange(*this, host_, number);
  }

  /// Lets time pass, and what is due in it happen.
  void advance(uint64_t milliseconds) {
    const uint64_t end = internal::clock + milliseconds * 1000;
    settle();
    while (true) {
      const uint64_t next = look([&] { return host_->timers.empty() ? UINT64_MAX : host_->timers.begin()->first; });
      if (next > end) break;
      internal::clock = std::max<uint64_t>(internal::clock, next);
      settle();
    }
    internal::clock = end;
  }

 private:
  friend class Exchange;

  template <class Function>
  auto look(Function function) const -> decltype(function()) {
    const std::lock_guard lock(host_->mutex);
    return function();
  }

  uint64_t add(const Request& request) {
    return look([&] {
      const uint64_t number = ++host_->last_number;
      internal::RequestState& state = host_->requests[number];
      state.window = request.window;
      state.inbound.ended = !request.body_follows;
      if (request.body && !request.body->empty()) state.inbound.pieces = {*request.body};
      return number;
    });
  }

  /// Does one thing that is due. Returns whether there was one.
  bool step() {
    std::unique_lock lock(host_->mutex);
    if (host_->aborted) return false;
    if (!host_->asked.empty()) {
      const uint64_t number = host_->asked.front();
      host_->asked.pop_front();
      const internal::FetchState* fetch = host_->find_fetch(number);
      if (!fetch) return true;
      const FetchCall call = fetch->call;
      lock.unlock();
      const FetchReply reply =
          options_.on_fetch ? options_.on_fetch(call) : FetchReply{.error = "this test has no on_fetch"};
      lock.lock();
      host_->reply(number, reply);
      return true;
    }
    const std::optional<internal::Completed> due = host_->take_due();
    if (!due) return false;
    lock.unlock();
    guest_->complete(self_, due->operation, due->status, due->size ? due->data.data() : nullptr, due->size);
    return true;
  }
  void settle() {
    while (step()) {
    }
  }

  /// Lets time pass until `done`, which is called under the lock.
  template <class Done>
  void run_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + options_.patience;
    while (std::chrono::steady_clock::now() < end) {
      if (look(done)) return;
      if (step()) continue;
      std::unique_lock lock(host_->mutex);
      if (host_->aborted || done()) return;
      if (!host_->ready.empty() || !host_->asked.empty()) continue;
      if (!host_->timers.empty()) {
        internal::clock = std::max<uint64_t>(internal::clock, host_->timers.begin()->first);
      } else {
        host_->changed.wait_until(lock, end);
      }
    }
  }

  const valor_guest* guest_;
  Options options_;
  std::shared_ptr<internal::Host> host_;
  uint64_t number_ = 0;
  void* self_ = nullptr;
};

template <class Change>
void Exchange::change_body(Change change) {
  instance_.look([&] {
    internal::RequestState& request = host_->requests.at(number_);
    change(request.inbound);
    host_->complete({std::exchange(request.inbound.reader, 0), VALOR_OK});
  });
  instance_.settle();
}

inline void Exchange::push(std::string_view piece) {
  change_body([&](internal::Inbound& body) {
    if (!piece.empty()) body.pieces.emplace_back(piece);
  });
}

inline void Exchange::end_body() {
  change_body([](internal::Inbound& body) { body.ended = true; });
}

inline void Exchange::break_body() {
  change_body([](internal::Inbound& body) { body.broken = true; });
}

inline void Exchange::take(uint64_t bytes) {
  instance_.look([&] {
    internal::RequestState& request = host_->requests.at(number_);
    request.window += std::min(bytes, UINT64_MAX - request.window);
    host_->complete({std::exchange(request.writer, 0), VALOR_OK});
  });
  instance_.settle();
}

inline void Exchange::drop(uint32_t reason) {
  const bool open = instance_.look([&] {
    internal::RequestState* request = host_->open_request(number_);
    if (request) host_->end_request(*request, number_);
    return request != nullptr;
  });
  instance_.settle();
  if (open && !instance_.aborted()) instance_.guest_->drop(instance_.self_, number_, reason);
  instance_.settle();
}

inline Answer Exchange::finish() {
  instance_.run_until([&] { return host_->requests.at(number_).answer.ended; });
  return answer();
}

}  // namespace valor::test
