// Two real event loops, one for the caller and one for who answers; what happens on them is looked at inside their
// turns.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "loopback/transfer.h"

using namespace valor;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::chrono::seconds kPatience{20};

class Loop {
 public:
  Loop() : loop_(std::move(net::EventLoop::create()).value()), thread_([this] { loop_->run(nullptr); }) {}
  ~Loop() {
    loop_->stop();
    thread_.join();
  }
  net::EventLoop& operator*() { return *loop_; }
  /// Runs `function` on the loop and waits for it.
  void run(const std::function<void()>& function) {
    std::promise<void> done;
    REQUIRE(loop_->post([&] {
      function();
      done.set_value();
    }));
    done.get_future().wait();
  }
  bool until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      bool met = false;
      run([&] { met = condition(); });
      if (met) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

 private:
  std::unique_ptr<net::EventLoop> loop_;
  std::thread thread_;
};

/// One that takes exchanges and lets the test answer them.
struct Answerer final : net::Acceptor, core::ExchangeListener {
  explicit Answerer(Loop& where) : where(where) {}
  net::EventLoop& loop() override { return *where; }
  void accept(core::Exchange& taken) override {
    exchange = &taken;
    ++accepted;
    taken.set_plugin("answerer");
    taken.set_listener(this);
    if (on_accept) on_accept(taken);
  }
  void release() override { ++released; }
  void on_body_ready() override { ++body_ready; }
  void on_writable() override { ++writable; }
  void on_gone() override {
    ++gone;
    exchange = nullptr;
  }

  Loop& where;
  core::Exchange* exchange = nullptr;
  std::function<void(core::Exchange&)> on_accept;
  int accepted = 0, body_ready = 0, writable = 0, gone = 0;
  std::atomic<int> released{0};
};

struct Log final : core::Log {
  void write(core::LogLevel, std::string_view, std::string_view) override {}
  void access(const core::AccessRecord& record) override {
    std::lock_guard lock(mutex);
    lines.push_back(std::string(record.method) + " " + std::string(record.target) + " " +
                    std::to_string(record.status) + " " + std::string(record.plugin) + " from " +
                    std::string(record.caller));
  }
  bool keeps(core::LogLevel) const override { return true; }
  bool keeps_access() const override { return true; }
  std::string last() {
    std::lock_guard lock(mutex);
    return lines.empty() ? "" : lines.back();
  }
  std::mutex mutex;
  std::vector<std::string> lines;
};

struct Handler final : http::Handler {
  net::Acceptor* route(core::Request& request, net::EventLoop&, core::Problem& problem) override {
    ++routed;
    if (request.id.empty()) request.id = "id-1";
    request.url = request.target.substr(1);
    if (routes.empty()) {
      problem = {.status = 404, .detail = "nobody"};
      return nullptr;
    }
    net::Acceptor* next = routes.front().get();
    if (routes.size() > 1) routes.erase(routes.begin());
    return next;
  }
  std::optional<std::string> target_of(std::string_view, net::EventLoop&) override { return std::nullopt; }
  void identify(core::Request& request, net::EventLoop&) override { request.id = "id-2"; }

  std::vector<std::shared_ptr<net::Acceptor>> routes;  // each is used once, the last for ever
  int routed = 0;
};

struct Listener final : client::TransferListener {
  void on_head(core::ResponseHead received, std::optional<uint64_t> announced, std::string_view words) override {
    head = std::move(received);
    length = announced;
    reason = words;
  }
  core::WriteStatus on_data(std::string_view piece) override {
    data += piece;
    return data.size() >= window ? core::WriteStatus::kWait : core::WriteStatus::kReady;
  }
  core::BodyPiece read_body() override {
    if (body_at < body.size()) return {core::ReadStatus::kData, body[body_at++]};
    if (body_broken) return {core::ReadStatus::kFailed, {}};
    return {body_ended ? core::ReadStatus::kEnd : core::ReadStatus::kWait, {}};
  }
  void on_end() override { ended = true; }
  void on_failed(client::TransferFailure why) override { failure = why.message; }
  bool over() const { return ended || !failure.empty(); }

  core::ResponseHead head{.status = 0, .headers = {}};
  std::optional<uint64_t> length;
  std::string reason, data, failure;
  size_t window = SIZE_MAX;
  bool ended = false;
  std::vector<std::string> body;
  size_t body_at = 0;
  bool body_ended = true, body_broken = false;
};

struct Setting {
  Setting() {
    handler.routes = {answerer};
    here.run([&] { client = std::make_unique<loopback::Client>(*here, shared, "caller"); });
  }
  ~Setting() {
    if (client == nullptr) return;
    here.run([&] {
      transfers.clear();
      client.reset();
    });
  }
  loopback::Transfer& start(Listener& listener, std::string method = "GET", std::string target = "/a?b",
                            uint8_t hops = 1) {
    here.run([&] {
      client::ClientRequest request;
      request.method = std::move(method);
      request.url = "http://127.0.0.1:8080" + target;
      request.headers = headers;
      request.has_body = !listener.body.empty() || !listener.body_ended || listener.body_broken;
      transfers.push_back(client->start(request, target, hops, listener));
    });
    return transfers.back();
  }

  Loop here, there;
  Log log;
  Handler handler;
  http::Shared shared{handler, log, {}, "valor"};
  std::shared_ptr<Answerer> answerer = std::make_shared<Answerer>(there);
  core::HeaderList headers;
  std::unique_ptr<loopback::Client> client;
  std::deque<loopback::Transfer> transfers;
};

void answer(core::Exchange& exchange) {
  exchange.respond({.status = 200, .headers = {}}, "fine");
}

}  // namespace

TEST_CASE_FIXTURE(Setting, "a whole answer arrives with the head that it would have from outside") {
  Listener listener;
  headers.append("x-own", "1");
  answerer->on_accept = [](core::Exchange& exchange) {
    const core::Request& request = exchange.request();
    core::ResponseHead head{.status = 201, .headers = {}};
    head.headers.append("set-cookie", "a=b");
    head.headers.append("set-cookie", "c=d");
    head.headers.append("connection", "close");
    head.headers.append("x-valor-plugin", "somebody");
    exchange.respond(head, request.method + " " + request.url + " " + request.authority + " " + request.scheme + " " +
                               std::string(request.headers.get("x-own").value_or("")) + " " +
                               std::to_string(request.hops));
  };
  start(listener);
  REQUIRE(here.until([&] { return listener.over(); }));
  CHECK(listener.failure == "");
  CHECK(listener.head.status == 201);
  CHECK(listener.reason == "Created");
  CHECK(listener.data == "GET a?b 127.0.0.1:8080 http 1 1");
  CHECK(listener.length == listener.data.size());
  CHECK(listener.head.headers.count("set-cookie") == 2);
  CHECK_FALSE(listener.head.headers.has("connection"));
  CHECK(listener.head.headers.get("x-valor-plugin") == "answerer");
  CHECK(listener.head.headers.get("x-correlation-id") == "id-1");
  CHECK(listener.head.headers.get("server") == "valor");
  CHECK(listener.head.headers.has("date"));
  CHECK(log.last() == "GET /a?b 201 answerer from caller");
}

TEST_CASE_FIXTURE(Setting, "what has no body gets none") {
  for (const auto& [method, status] :
       std::vector<std::pair<std::string, uint16_t>>{{"HEAD", 200}, {"GET", 204}, {"GET", 304}}) {
    CAPTURE(status);
    Listener listener;
    answerer->on_accept = [status = status](core::Exchange& exchange) {
      exchange.respond({.status = status, .headers = {}}, "a body");
    };
    start(listener, method);
    REQUIRE(here.until([&] { return listener.over(); }));
    CHECK(listener.head.status == status);
    CHECK(listener.data == "");
    CHECK(listener.head.headers.get("content-length").value_or("") == (method == "HEAD" ? "6" : ""));
  }
}

TEST_CASE_FIXTURE(Setting, "an answer that is not read makes its writer wait") {
  Listener listener;
  listener.window = 1;
  answerer->on_accept = [](core::Exchange& exchange) { exchange.start_response({.status = 200, .headers = {}}, {}); };
  loopback::Transfer& transfer = start(listener);
  REQUIRE(there.until([&] { return answerer->accepted == 1; }));
  const std::string piece(64 * 1024, 'x');
  size_t written = 0;
  there.run([&] {
    while (answerer->exchange->write(piece) == core::WriteStatus::kReady) written += piece.size();
    written += piece.size();
  });
  CHECK(written < 1024 * 1024);
  REQUIRE(here.until([&] { return !listener.data.empty(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  here.run([&] { CHECK(listener.data.size() < 128 * 1024); });
  there.run([&] { CHECK(answerer->writable == 0); });

  here.run([&] {
    listener.window = SIZE_MAX;
    transfer.resume_download();
  });
  REQUIRE(there.until([&] { return answerer->writable == 1; }));
  there.run([&] { answerer->exchange->finish(); });
  REQUIRE(here.until([&] { return listener.over(); }));
  CHECK(listener.ended);
  CHECK(listener.data.size() == written);
}

TEST_CASE_FIXTURE(Setting, "small pieces in endless number come through") {
  Listener listener;
  answerer->on_accept = [](core::Exchange& exchange) { exchange.start_response({.status = 200, .headers = {}}, {}); };
  start(listener);
  REQUIRE(there.until([&] { return answerer->accepted == 1; }));
  size_t written = 0;
  while (written < 4 * 1024 * 1024) {
    bool wait = false;
    there.run([&] {
      for (int i = 0; i < 1000 && !wait; ++i) {
        wait = answerer->exchange->write("0123456789") == core::WriteStatus::kWait;
        written += 10;
      }
    });
    if (wait) REQUIRE(there.until([&] { return std::exchange(answerer->writable, 0) > 0; }));
  }
  there.run([&] { answerer->exchange->finish(); });
  REQUIRE(here.until([&] { return listener.over(); }));
  CHECK(listener.data.size() == written);
}

TEST_CASE_FIXTURE(Setting, "a request's body comes as fast as it is read") {
  Listener listener;
  listener.body.assign(64, std::string(64 * 1024, 'y'));
  start(listener, "POST");
  REQUIRE(there.until([&] { return answerer->accepted == 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  here.run([&] { CHECK(listener.body_at == 0); });
  size_t read = 0;
  bool first = true;
  while (true) {
    core::ReadStatus status{};
    there.run([&] {
      const core::BodyPiece piece = answerer->exchange->read_body();
      status = piece.status;
      read += piece.data.size();
    });
    if (status == core::ReadStatus::kEnd) break;
    REQUIRE(status != core::ReadStatus::kFailed);
    if (status == core::ReadStatus::kWait) {
      REQUIRE(there.until([&] { return std::exchange(answerer->body_ready, 0) > 0; }));
      if (std::exchange(first, false)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        here.run([&] { CHECK(listener.body_at <= 8); });
      }
    }
  }
  CHECK(read == 64 * 64 * 1024);
  there.run([&] { answer(*answerer->exchange); });
  REQUIRE(here.until([&] { return listener.ended; }));
}

TEST_CASE_FIXTURE(Setting, "a body that breaks off is no whole one") {
  Listener listener;
  listener.body = {"half of it"};
  listener.body_broken = true;
  start(listener, "POST");
  REQUIRE(there.until([&] { return answerer->accepted == 1; }));
  REQUIRE(there.until([&] { return answerer->exchange->read_body().status == core::ReadStatus::kFailed; }));
  there.run([&] { answer(*answerer->exchange); });
  // What listens lives as long as the transfer.
  REQUIRE(here.until([&] { return listener.over(); }));
}

TEST_CASE_FIXTURE(Setting, "who leaves is told of at any point") {
  for (const bool begun : {false, true}) {
    CAPTURE(begun);
    Listener listener;
    answerer->gone = answerer->accepted = 0;
    answerer->on_accept = [begun](core::Exchange& exchange) {
      if (begun) exchange.start_response({.status = 200, .headers = {}}, {});
    };
    start(listener);
    REQUIRE(there.until([&] { return answerer->accepted == 1; }));
    here.run([&] { transfers.pop_back(); });
    REQUIRE(there.until([&] { return answerer->gone == 1; }));
    CHECK(log.last() == (begun ? "GET /a?b 200 answerer from caller" : "GET /a?b 499 answerer from caller"));
    CHECK_FALSE(listener.over());
  }
}

TEST_CASE_FIXTURE(Setting, "an answer that breaks off fails after what came before") {
  Listener listener;
  answerer->on_accept = [](core::Exchange& exchange) {
    exchange.start_response({.status = 200, .headers = {}}, {});
    exchange.write("begun");
    exchange.abort();
  };
  start(listener);
  REQUIRE(here.until([&] { return listener.over(); }));
  CHECK(listener.failure == "the plug-in's answer broke off");
  CHECK(listener.data == "begun");
}

TEST_CASE_FIXTURE(Setting, "less than the announced length is no whole answer, and more is cut off") {
  for (const std::string text : {"abc", "abcdefgh"}) {
    Listener listener;
    answerer->on_accept = [text](core::Exchange& exchange) {
      exchange.start_response({.status = 200, .headers = {}}, 5);
      exchange.write(text);
      exchange.finish();
    };
    start(listener);
    REQUIRE(here.until([&] { return listener.over(); }));
    CHECK(listener.ended == (text.size() > 5));
    CHECK(listener.data == text.substr(0, 5));
  }
}

TEST_CASE_FIXTURE(Setting, "what nobody answers is refused as from outside") {
  Listener listener;
  handler.routes.clear();
  start(listener);
  REQUIRE(here.until([&] { return listener.over(); }));
  CHECK(listener.head.status == 404);
  CHECK(listener.head.headers.get("content-type") == "application/problem+json");
  CHECK(listener.head.headers.get("x-correlation-id") == "id-1");
  CHECK(listener.data.find("nobody") != std::string::npos);
  CHECK(log.last() == "GET /a?b 404  from caller");
}

TEST_CASE_FIXTURE(Setting, "the server's limits hold") {
  shared.limits.request_line_bytes = 100;
  shared.limits.header_bytes = 1000;
  shared.limits.header_count = 4;
  shared.limits.body_bytes = 10;
  const auto status = [&](const std::string& target, std::string method = "GET", std::string body = {}) {
    Listener listener;
    if (!body.empty()) listener.body = {std::move(body)};
    start(listener, std::move(method), target);
    REQUIRE(here.until([&] { return listener.over(); }));
    return listener.head.status;
  };
  answerer->on_accept = answer;
  CHECK(status("/a") == 200);
  CHECK(status("/" + std::string(100, 'a')) == 414);
  headers.append("x-a", std::string(1000, 'a'));
  CHECK(status("/a") == 431);
  headers.clear();
  for (int i = 0; i < 4; ++i) headers.append("x-a", "1");
  CHECK(status("/a") == 431);
  headers.clear();
  answerer->on_accept = [](core::Exchange& exchange) { (void)exchange.read_body(); };
  CHECK(status("/a", "POST", "more than ten bytes") == 413);
  there.run([&] { CHECK(answerer->gone == 1); });
  CHECK(log.last() == "POST /a 413  from caller");
}

TEST_CASE_FIXTURE(Setting, "a request that goes round in circles ends with 508") {
  Listener deep;
  Listener deeper;
  answerer->on_accept = answer;
  start(deep, "GET", "/a", loopback::kMaxHops);
  start(deeper, "GET", "/a", loopback::kMaxHops + 1);
  REQUIRE(here.until([&] { return deep.over() && deeper.over(); }));
  CHECK(deep.head.status == 200);
  CHECK(deeper.head.status == 508);
}

TEST_CASE_FIXTURE(Setting, "a request that an instance gave back goes to the next") {
  Listener listener;
  auto ended = std::make_shared<Answerer>(there);
  ended->on_accept = [](core::Exchange& exchange) { exchange.reroute(); };
  headers.append("x-own", "kept");
  listener.body = {"kept too"};
  answerer->on_accept = [](core::Exchange& exchange) { (void)exchange.read_body(); };
  handler.routes = {ended, ended, answerer};
  start(listener, "POST");
  REQUIRE(there.until([&] { return answerer->body_ready == 1; }));
  there.run([&] {
    CHECK(answerer->exchange->request().headers.get("x-own") == "kept");
    CHECK(answerer->exchange->read_body().data == "kept too");
    answer(*answerer->exchange);
  });
  REQUIRE(here.until([&] { return listener.ended; }));
  CHECK(listener.data == "fine");
}

TEST_CASE_FIXTURE(Setting, "when no instance takes it, it ends with 503") {
  Listener listener;
  there.run([&] { (*there).close(); });
  start(listener);
  REQUIRE(here.until([&] { return listener.over(); }));
  CHECK(listener.head.status == 503);
  CHECK(answerer->released == handler.routed);
}

TEST_CASE("an answer to a caller whose loop is gone ends with the caller") {
  Setting setting;
  Listener listener;
  setting.answerer->on_accept = [](core::Exchange& exchange) {
    exchange.start_response({.status = 200, .headers = {}}, {});
  };
  setting.start(listener);
  REQUIRE(setting.there.until([&] { return setting.answerer->accepted == 1; }));
  // As when an instance is given up with everything on it: nobody cancels.
  net::EventLoop& closed = *setting.here;
  setting.here.run([&] { setting.handler.routes.clear(); });
  {
    auto turn = closed.take_turn();
    closed.close();
  }
  setting.there.run([&] { setting.answerer->exchange->write("to nobody"); });
  CHECK(setting.there.until([&] { return setting.answerer->gone == 1; }));
  auto turn = closed.take_turn();
  setting.transfers.clear();
  setting.client.reset();
}

TEST_CASE_FIXTURE(Setting, "a flood waits for its turn, and what is deeper does not wait for it") {
  constexpr size_t kFlood = 1000;
  std::vector<Listener> listeners(kFlood);
  std::vector<core::Exchange*> open;
  answerer->on_accept = [&](core::Exchange& exchange) { open.push_back(&exchange); };
  for (Listener& listener : listeners) start(listener);
  Listener deeper;
  start(deeper, "GET", "/a", 2);
  REQUIRE(there.until([&] { return open.size() == 257; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  size_t most = 0;
  const auto all_over = [&] {
    there.run([&] {
      most = std::max(most, open.size());
      for (core::Exchange* exchange : std::exchange(open, {})) answer(*exchange);
    });
    bool over = true;
    here.run([&] {
      for (Listener& listener : listeners) over = over && listener.ended;
    });
    return over && deeper.ended;
  };
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!all_over() && std::chrono::steady_clock::now() < deadline) continue;
  CHECK(all_over());
  CHECK(most == 257);
}
