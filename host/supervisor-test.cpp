#include "host/supervisor.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <future>

using namespace valor;        // NOLINT(google-build-using-namespace)
using namespace valor::host;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;

namespace {

constexpr auto kDeadline = 20s;

struct QuietLog final : core::Log {
  void write(core::LogLevel, std::string_view, std::string_view) override {}
  void access(const core::AccessRecord&) override {}
  bool keeps(core::LogLevel) const override { return false; }
  bool keeps_access() const override { return false; }
};

// An exchange that only remembers what became of it.
class Exchange final : public core::Exchange, public net::TurnEnd {
 public:
  explicit Exchange(std::string url) { request_.url = std::move(url); }

  const core::Request& request() const override { return request_; }
  void set_listener(core::ExchangeListener* listener) override { listener_ = listener; }
  void set_plugin(std::string_view) override {}
  bool has_body() const override { return false; }
  std::optional<uint64_t> content_length() const override { return std::nullopt; }
  core::BodyPiece read_body() override { return {core::ReadStatus::kEnd, {}}; }
  void respond(const core::ResponseHead& head, std::string_view body) override {
    done(std::to_string(head.status) + " " + std::string(body));
  }
  void start_response(const core::ResponseHead&, std::optional<uint64_t>) override {}
  core::WriteStatus write(std::string_view) override {
    loop->at_end_of_turn(*this);
    return core::WriteStatus::kWait;
  }
  // As a connection does whose socket took everything at once.
  void on_turn_end() override { listener_->on_writable(); }
  void finish() override { done("finished"); }
  void abort() override { done("aborted"); }
  void reroute() override { done("rerouted"); }
  const void* batch() const override { return this; }

  net::EventLoop* loop = nullptr;  // that of its instance

  // Whose connection goes when this one is answered.
  Exchange* takes_along = nullptr;

  // What became of it; waits.
  std::string outcome() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kDeadline, [this] { return !outcome_.empty(); })) return "nothing";
    return outcome_;
  }
  bool pending() {
    std::lock_guard lock(mutex_);
    return outcome_.empty();
  }

 private:
  void done(std::string outcome) {
    if (takes_along != nullptr && takes_along->listener_ != nullptr) {
      std::exchange(takes_along->listener_, nullptr)->on_gone();
      takes_along->done("gone");
    }
    std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
    changed_.notify_all();
  }
  core::Request request_;
  core::ExchangeListener* listener_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string outcome_;
};

// Lets plug-in code wait until the test, or an interruption, lets it go on.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  int waiting = 0;
  void pass() {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait(lock, [this] { return open; });
  }
  void let_go() {
    std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
  bool somebody_waits() {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kDeadline, [this] { return waiting > 0; });
  }
};

// Does what the url of a request says; its config says how creation goes.
class ScriptedGuest final : public Guest {
 public:
  ScriptedGuest(GuestContext& context, std::shared_ptr<Gate> gate, bool can_interrupt)
      : context_(context), gate_(std::move(gate)), can_interrupt_(can_interrupt) {}

  void start() override {
    const std::string& config = context_.definition().config;
    if (config == "\"fail\"") return context_.start_failed("told to");
    if (config == "\"hang\"") {
      net::EventLoop::Outside outside(context_.loop());
      gate_->pass();
      return;
    }
    context_.ready();
  }
  void handle(Call& call) override {
    const std::string url = call.request().url;
    if (url == "never") return;
    if (url == "stream") {
      call.start_response({.status = 200, .headers = {}}, std::nullopt);
      (void)call.write("piece");
      return;
    }
    if (url == "break") return context_.broken({.detail = "told to break", .limit = "memory_mb", .limit_value = 7});
    const CallId id = call.id();
    if (url == "block") {
      net::EventLoop::Outside outside(context_.loop());
      gate_->pass();
    }
    if (Call* again = context_.find(id)) again->respond({.status = 200, .headers = {}}, context_.definition().config);
  }
  void body_ready(Call&) override {}
  void writable(Call& call) override {
    if (++pieces_ == 3) return call.finish();
    (void)call.write("piece");
  }
  void dropped(CallId, DropReason) override {}
  bool interrupt() override {
    if (can_interrupt_) gate_->let_go();
    return can_interrupt_;
  }

 private:
  GuestContext& context_;
  std::shared_ptr<Gate> gate_;
  bool can_interrupt_;
  int pieces_ = 0;
};

struct ScriptedKind final : Kind {
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  bool can_interrupt = true;
  std::unique_ptr<Guest> create(GuestContext& context) override {
    return std::make_unique<ScriptedGuest>(context, gate, can_interrupt);
  }
};

core::Definition define(std::string name, std::string config = "1") {
  core::Definition definition;
  definition.name = definition.prefix = std::move(name);
  definition.config = std::move(config);
  return definition;
}

struct House {
  QuietLog log;
  ScriptedKind kind;
  Routes routes;
  std::unique_ptr<net::EventLoop> here = std::move(net::EventLoop::create()).value();
  std::unique_ptr<Supervisor> supervisor =
      std::move(Supervisor::create({.routes = routes,
                                    .log = log,
                                    .kind = [this](const core::Definition&) -> Kind& { return kind; },
                                    .base_url = "http://h/",
                                    .loops = {},
                                    .check_for_browsers = [](const core::Definition& definition) -> core::Status {
                                      if (definition.url == "missing.js") return core::Error{"it is missing"};
                                      return core::Nothing{};
                                    }}))
          .value();
  std::vector<std::unique_ptr<Exchange>> exchanges;

  ~House() {
    kind.gate->let_go();
    supervisor.reset();
  }

  template <class Begin>
  std::future<ControlResult> ask(Begin begin) {
    auto promise = std::make_shared<std::promise<ControlResult>>();
    auto future = promise->get_future();
    begin([promise](ControlResult result) { promise->set_value(std::move(result)); });
    return future;
  }
  std::future<ControlResult> add(core::Definition definition) {
    return ask([&](ControlCallback done) { supervisor->add(std::move(definition), std::move(done)); });
  }
  std::future<ControlResult> replace(core::Definition definition) {
    return ask([&](ControlCallback done) { supervisor->replace(std::move(definition), std::move(done)); });
  }
  std::future<ControlResult> remove(const std::string& name) {
    return ask([&](ControlCallback done) { supervisor->remove(name, std::move(done)); });
  }

  // Routes a request as the dispatcher would; nullptr when no place is free.
  Exchange* send(const std::string& target) {
    const auto table = routes.table();
    core::Match match;
    std::string scratch;
    REQUIRE(table->router.find(target, match, scratch));
    Instance* instance = table->plugins[match.id].reserve(*here);
    if (instance == nullptr) return nullptr;
    exchanges.push_back(std::make_unique<Exchange>(std::string(match.url)));
    Exchange* exchange = exchanges.back().get();
    auto self = std::static_pointer_cast<Instance>(instance->shared_from_this());
    exchange->loop = &self->loop();
    if (!self->loop().post([self, exchange] { self->accept(*exchange); })) {
      self->release();
      exchange->reroute();
    }
    return exchange;
  }
  // Whether the first plug-in gets to have that many instances running.
  bool instances_reach(uint32_t count) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (std::chrono::steady_clock::now() < end) {
      if (supervisor->list().front().instances == count) return true;
      std::this_thread::sleep_for(2ms);
    }
    return false;
  }
  // Until the plug-in answers with something else than having been given back.
  std::string answer(const std::string& target) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (std::chrono::steady_clock::now() < end) {
      Exchange* exchange = send(target);
      if (exchange != nullptr && exchange->outcome() != "rerouted") return exchange->outcome();
      std::this_thread::sleep_for(2ms);
    }
    return "nobody answered";
  }
};

template <class T>
T get(std::future<T> future) {
  REQUIRE(future.wait_for(kDeadline) == std::future_status::ready);
  return future.get();
}

ControlError error_of(const ControlResult& result) {
  REQUIRE(std::holds_alternative<ControlFailure>(result));
  return std::get<ControlFailure>(result).error;
}

PluginStatus status_of(const ControlResult& result) {
  REQUIRE(std::holds_alternative<PluginStatus>(result));
  return std::get<PluginStatus>(result);
}

}  // namespace

TEST_CASE("a plug-in answers once it was added") {
  House house;
  const PluginStatus status = status_of(get(house.add(define("a", "\"x\""))));
  CHECK(status.state == PluginState::kRunning);
  CHECK(status.instances == 1);
  CHECK(house.send("/a/any")->outcome() == "200 \"x\"");
  CHECK(house.supervisor->list().front().requests == 1);
}

TEST_CASE("a plug-in that fails to start is not added, and its name stays free") {
  House house;
  CHECK(error_of(get(house.add(define("a", "\"fail\"")))) == ControlError::kStartFailed);
  CHECK(house.supervisor->list().empty());
  CHECK(status_of(get(house.add(define("a")))).state == PluginState::kRunning);
}

TEST_CASE("names and mounts are taken once") {
  House house;
  (void)get(house.add(define("a")));
  CHECK(error_of(get(house.add(define("a")))) == ControlError::kExists);
  core::Definition other = define("b");
  other.prefix = "a";
  CHECK(error_of(get(house.add(other))) == ControlError::kExists);
  CHECK(error_of(get(house.replace(define("c")))) == ControlError::kNotFound);
  CHECK(error_of(get(house.remove("c"))) == ControlError::kNotFound);
}

TEST_CASE("plug-ins of the start that fail are listed as failed and refuse, others serve") {
  House house;
  std::promise<std::vector<std::string>> promise;
  house.supervisor->load({define("a"), define("b", "\"fail\"")},
                         [&](std::vector<std::string> failed) { promise.set_value(std::move(failed)); });
  CHECK(get(promise.get_future()) == std::vector<std::string>{"b"});
  CHECK(house.answer("/a") == "200 1");
  const auto table = house.routes.table();
  CHECK(table->plugins[1].refusal.find("told to") != std::string::npos);
  CHECK(house.supervisor->list()[1].state == PluginState::kFailed);
  CHECK(house.supervisor->list()[1].error == "told to");
}

TEST_CASE("a plug-in for browsers only is listed and has no instance, unless its file is not fit") {
  House house;
  auto in_browsers = [](const std::string& name, const char* url) {
    core::Definition definition = define(name, "\"fail\"");
    definition.place = core::Place::kBrowser;
    definition.instances = {.min = 2, .max = 3};
    definition.url = url;
    return definition;
  };
  std::promise<std::vector<std::string>> promise;
  house.supervisor->load({in_browsers("a", "a.js"), in_browsers("b", "missing.js")},
                         [&](std::vector<std::string> failed) { promise.set_value(std::move(failed)); });
  CHECK(get(promise.get_future()) == std::vector<std::string>{"b"});
  const PluginStatus status = house.supervisor->list()[0];
  CHECK(status.state == PluginState::kBrowser);
  CHECK(status.instances == 0);
  CHECK(house.supervisor->list()[1].state == PluginState::kFailed);
  CHECK(house.routes.table()->plugins[0].instances.empty());
  CHECK(house.routes.table()->plugins[0].refusal.empty());
  CHECK(house.routes.table()->plugins[1].refusal.find("it is missing") != std::string::npos);

  CHECK(status_of(get(house.add(in_browsers("c", "c.js")))).state == PluginState::kBrowser);
  CHECK(error_of(get(house.add(in_browsers("d", "missing.js")))) == ControlError::kStartFailed);
  CHECK(house.supervisor->list().size() == 3);
  CHECK(error_of(get(house.replace(in_browsers("c", "missing.js")))) == ControlError::kStartFailed);
  CHECK(status_of(get(house.replace(define("c")))).state == PluginState::kRunning);
  CHECK(house.answer("/c") == "200 1");
  CHECK(status_of(get(house.replace(in_browsers("c", "c.js")))).version == 3);
  CHECK(house.send("/c") == nullptr);
  (void)status_of(get(house.remove("c")));
}

TEST_CASE("a request that is not answered in time gets 504, and the instance goes on") {
  House house;
  core::Definition definition = define("a");
  definition.limits.timeout_ms = 50;
  (void)get(house.add(definition));
  const std::string outcome = house.send("/a/never")->outcome();
  CHECK(outcome.starts_with("504 "));
  CHECK(outcome.find("\"limit\":\"timeout_ms\"") != std::string::npos);
  CHECK(house.answer("/a") == "200 1");
  const PluginStatus status = house.supervisor->list().front();
  CHECK(status.restarts == 0);
  CHECK(status.last_limit.limit == "timeout_ms");
}

TEST_CASE("a stream goes on as soon as the end of a turn made room, without waiting for an event") {
  House house;
  (void)get(house.add(define("a")));
  CHECK(house.send("/a/stream")->outcome() == "finished");
}

TEST_CASE("a 504 that closes the connection of the next overdue request harms nobody") {
  House house;
  core::Definition definition = define("a");
  definition.limits.timeout_ms = 100;
  (void)get(house.add(definition));
  Exchange* first = house.send("/a/never");
  first->takes_along = house.send("/a/never");
  Exchange* third = house.send("/a/never");
  CHECK(first->outcome().starts_with("504 "));
  CHECK(first->takes_along->outcome() == "gone");
  CHECK(third->outcome().starts_with("504 "));
  CHECK(house.answer("/a") == "200 1");
}

TEST_CASE("an instance that computes too long is interrupted and replaced; who waited behind it is given back") {
  House house;
  core::Definition definition = define("a");
  definition.limits.timeout_ms = 100;
  (void)get(house.add(definition));
  Exchange* stuck = house.send("/a/block");
  REQUIRE(house.kind.gate->somebody_waits());
  Exchange* behind = house.send("/a");
  CHECK(stuck->outcome().starts_with("504 "));
  const std::string fate = behind->outcome();
  CHECK((fate == "rerouted" || fate.starts_with("504 ")));
  CHECK(house.answer("/a") == "200 1");
  CHECK(house.supervisor->list().front().restarts == 1);
}

TEST_CASE("native code that cannot be interrupted is left behind, and its requests are answered all the same") {
  House house;
  house.kind.can_interrupt = false;
  core::Definition definition = define("a");
  definition.limits.timeout_ms = 100;
  (void)get(house.add(definition));
  Exchange* stuck = house.send("/a/block");
  REQUIRE(house.kind.gate->somebody_waits());
  CHECK(stuck->outcome().starts_with("504 "));
  CHECK(house.answer("/a") == "200 1");
  CHECK_FALSE(house.supervisor->shut_down(50));
  house.kind.gate->let_go();
}

TEST_CASE("a plug-in that does not finish loading in time is not added") {
  House house;
  core::Definition definition = define("a", "\"hang\"");
  definition.limits.timeout_ms = 100;
  CHECK(error_of(get(house.add(definition))) == ControlError::kStartFailed);
}

TEST_CASE("an instance that breaks answers 502 with the limit, and is replaced") {
  House house;
  (void)get(house.add(define("a")));
  const std::string outcome = house.send("/a/break")->outcome();
  CHECK(outcome.starts_with("502 "));
  CHECK(outcome.find("\"limit\":\"memory_mb\",\"limit_value\":7") != std::string::npos);
  CHECK(house.answer("/a") == "200 1");
  CHECK(house.supervisor->list().front().restarts == 1);
}

TEST_CASE("no more requests than the queue holds are let in") {
  House house;
  core::Definition definition = define("a");
  definition.limits.queue = 2;
  (void)get(house.add(definition));
  Exchange* first = house.send("/a/block");
  REQUIRE(first != nullptr);
  REQUIRE(house.send("/a") != nullptr);
  CHECK(house.send("/a") == nullptr);
  house.kind.gate->let_go();
  CHECK(first->outcome() == "200 1");
  CHECK(house.answer("/a") == "200 1");
}

TEST_CASE("a replacement takes over when it is ready, and the old version finishes what it has") {
  House house;
  (void)get(house.add(define("a", "\"old\"")));
  Exchange* old = house.send("/a/block");
  REQUIRE(house.kind.gate->somebody_waits());
  const PluginStatus status = status_of(get(house.replace(define("a", "\"new\""))));
  CHECK(status.version == 2);
  CHECK(house.answer("/a") == "200 \"new\"");
  CHECK(old->pending());
  house.kind.gate->let_go();
  CHECK(old->outcome() == "200 \"old\"");
}

TEST_CASE("a replacement that fails to start leaves the old version in place") {
  House house;
  (void)get(house.add(define("a", "\"old\"")));
  CHECK(error_of(get(house.replace(define("a", "\"fail\"")))) == ControlError::kStartFailed);
  CHECK(house.answer("/a") == "200 \"old\"");
  CHECK(house.supervisor->list().front().version == 1);
}

TEST_CASE("removing ends when the last request has been answered") {
  House house;
  (void)get(house.add(define("a")));
  Exchange* last = house.send("/a/block");
  REQUIRE(house.kind.gate->somebody_waits());
  auto removed = house.remove("a");
  CHECK(removed.wait_for(50ms) == std::future_status::timeout);
  CHECK(house.supervisor->list().empty());
  house.kind.gate->let_go();
  CHECK(last->outcome() == "200 1");
  CHECK(std::holds_alternative<PluginStatus>(get(std::move(removed))));
}

TEST_CASE("with a minimum of 0 the first request starts an instance, and further ones come up to the maximum") {
  House house;
  core::Definition definition = define("a");
  definition.instances = {.min = 0, .max = 2};
  CHECK(status_of(get(house.add(definition))).instances == 0);
  CHECK(house.answer("/a") == "200 1");
  CHECK(house.instances_reach(1));
  Exchange* busy = house.send("/a/block");
  REQUIRE(house.kind.gate->somebody_waits());
  CHECK(house.answer("/a") == "200 1");
  CHECK(house.instances_reach(2));
  house.kind.gate->let_go();
  CHECK(busy->outcome() == "200 1");
}

TEST_CASE("a stopped supervisor answers open requests and takes no more plug-ins") {
  House house;
  (void)get(house.add(define("a")));
  Exchange* open = house.send("/a/never");
  while (house.supervisor->list().front().in_flight == 0) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(20ms);
  CHECK(house.supervisor->shut_down(2000));
  CHECK(open->outcome().starts_with("503 "));
  CHECK(error_of(get(house.add(define("b")))) == ControlError::kStopping);
}
