#include "plugins/builtin/registry.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "host/testing/fake-host.h"
#include "plugins/builtin/builtin-kind.h"

using namespace valor;                    // NOLINT(google-build-using-namespace)
using namespace valor::plugins::builtin;  // NOLINT(google-build-using-namespace)
using host::ControlError;
using host::ControlFailure;
using host::testing::Ending;
using host::testing::FakeCall;
using host::testing::FakeHost;
using nlohmann::json;

namespace {

host::PluginStatus status_of(core::Definition definition, uint64_t version = 1) {
  host::PluginStatus status;
  status.definition = std::move(definition);
  status.version = version;
  status.state = host::PluginState::kRunning;
  return status;
}

// Plug-ins as a list, answers on a thread of its own. A held control answers when it is let go.
class FakeControl final : public host::PluginControl {
 public:
  FakeControl() : thread_([this] { run(); }) {}
  ~FakeControl() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
      held_ = false;
    }
    wake_.notify_all();
    thread_.join();
  }

  void add(core::Definition definition, host::ControlCallback done) override {
    enqueue([this, definition, done] {
      if (definition.builtin == "broken") return done(ControlFailure{ControlError::kStartFailed, "it is broken"});
      if (definition.builtin == "late") return done(ControlFailure{ControlError::kStopping, "the server stops"});
      if (at(definition.name) != nullptr) return done(ControlFailure{ControlError::kExists, "the name is taken"});
      plugins_.push_back(status_of(definition));
      done(plugins_.back());
    });
  }
  void replace(core::Definition definition, host::ControlCallback done) override {
    enqueue([this, definition, done] {
      host::PluginStatus* old = at(definition.name);
      if (old == nullptr) return done(ControlFailure{ControlError::kNotFound, "there is none"});
      *old = status_of(definition, old->version + 1);
      done(*old);
    });
  }
  void remove(std::string name, host::ControlCallback done) override {
    enqueue([this, name, done] {
      host::PluginStatus* old = at(name);
      if (old == nullptr) return done(ControlFailure{ControlError::kNotFound, "there is none"});
      const host::PluginStatus last = *old;
      plugins_.erase(plugins_.begin() + (old - plugins_.data()));
      done(last);
    });
  }
  std::vector<host::PluginStatus> list() override {
    std::lock_guard lock(mutex_);
    return plugins_;
  }

  void hold(bool on) {
    {
      std::lock_guard lock(mutex_);
      held_ = on;
    }
    wake_.notify_all();
  }
  bool idle() {
    std::lock_guard lock(mutex_);
    return jobs_.empty() && !running_;
  }

 private:
  host::PluginStatus* at(const std::string& name) {
    for (auto& plugin : plugins_) {
      if (plugin.definition.name == name) return &plugin;
    }
    return nullptr;
  }
  void enqueue(std::function<void()> job) {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    wake_.notify_all();
  }
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stop_ || (!held_ && !jobs_.empty()); });
      if (jobs_.empty()) return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      running_ = true;
      // The lock stays: callbacks only post.
      job();
      running_ = false;
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::vector<host::PluginStatus> plugins_;
  bool stop_ = false;
  bool held_ = false;
  bool running_ = false;
  std::thread thread_;
};

core::Definition builtin_definition(std::string builtin = "registry", std::string config = "null") {
  core::Definition result;
  result.type = core::PluginType::kStatic;
  result.name = "_plugins";
  result.prefix = "_plugins";
  result.builtin = std::move(builtin);
  result.config = std::move(config);
  return result;
}

struct Running {
  FakeControl control;
  BuiltinKind kind;
  FakeHost host{builtin_definition(), "http://127.0.0.1:8080/_plugins/"};
  explicit Running(std::string token = "")
      : kind({.control = &control, .registry_enabled = true, .admin_token = std::move(token)}) {
    REQUIRE(host.start(kind) == "");
  }
  FakeCall& prepare(std::string method, std::string url, std::string body = "") {
    FakeCall& call = host.prepare(std::move(method), std::move(url));
    if (!body.empty()) {
      call.with_body = true;
      call.pieces.push_back(std::move(body));
      call.sent.headers.append("content-type", "application/json");
    }
    return call;
  }
  FakeCall& ask(std::string method, std::string url, std::string body = "") {
    FakeCall& call = prepare(std::move(method), std::move(url), std::move(body));
    host.send(call);
    REQUIRE(host.wait_for(call));
    return call;
  }
};

constexpr const char* kHello = R"({"type":"static","builtin":"health","name":"hello","prefix":"hi"})";

}  // namespace

TEST_CASE("POST adds a plug-in, GET shows it alone and in the list") {
  Running registry;
  CHECK(json::parse(registry.ask("GET", "").answer) == json::parse(R"({"plugins":[]})"));
  const FakeCall& added = registry.ask("POST", "", kHello);
  CHECK(added.status() == 201);
  CHECK(added.header("location") == "/test/hello");
  CHECK(added.header("content-type") == "application/json");
  const json plugin = json::parse(added.answer);
  CHECK(plugin["name"] == "hello");
  CHECK(plugin["definition"]["prefix"] == "hi");
  CHECK(plugin["version"] == 1);
  CHECK(plugin["state"] == "running");
  CHECK(plugin["error"] == nullptr);
  CHECK(plugin["last_limit"] == nullptr);
  for (const char* count : {"requests", "failures", "in_flight", "restarts", "instances"}) CHECK(plugin[count] == 0);
  CHECK(json::parse(registry.ask("GET", "hello").answer) == plugin);
  CHECK(json::parse(registry.ask("GET", "").answer)["plugins"] == json::array({plugin}));
  CHECK(registry.ask("GET", "other").status() == 404);
  CHECK(registry.ask("GET", "hello/x").status() == 404);
  CHECK(registry.ask("GET", "%").status() == 400);
}

TEST_CASE("a status is told in full") {
  host::PluginStatus status = status_of(builtin_definition("health"), 7);
  status.state = host::PluginState::kFailed;
  status.error = "says \"no\"";
  status.requests = 5;
  status.failures = 4;
  status.in_flight = 3;
  status.restarts = 2;
  status.instances = 1;
  status.last_limit = {"timeout_ms", 30'000, 9, 784'111'777'123};
  const json shown = json::parse(to_json(status));
  CHECK(shown["version"] == 7);
  CHECK(shown["state"] == "failed");
  CHECK(shown["error"] == "says \"no\"");
  CHECK(shown["requests"] == 5);
  CHECK(shown["failures"] == 4);
  CHECK(shown["in_flight"] == 3);
  CHECK(shown["restarts"] == 2);
  CHECK(shown["instances"] == 1);
  CHECK(shown["last_limit"] ==
        json::parse(R"({"limit":"timeout_ms","value":30000,"count":9,"at":"1994-11-06T08:49:37.123Z"})"));
}

TEST_CASE("what cannot be added says why") {
  Running registry;
  CHECK(registry.ask("POST", "", kHello).status() == 201);
  CHECK(registry.ask("POST", "", kHello).status() == 409);
  CHECK(registry.ask("POST", "", R"({"type":"static","builtin":"broken","name":"b"})").status() == 422);
  const FakeCall& late = registry.ask("POST", "", R"({"type":"static","builtin":"late","name":"l"})");
  CHECK(late.status() == 503);
  CHECK(late.problem.retry_after_s == 1);
  const FakeCall& broken = registry.ask("POST", "", "{");
  CHECK(broken.status() == 400);
  CHECK(broken.header("content-type") == "application/problem+json");
  const FakeCall& unknown = registry.ask("POST", "", "{\"type\":\"static\",\n\"name\":\"x\",\"perfix\":\"y\"}");
  CHECK(unknown.status() == 400);
  CHECK(json::parse(unknown.answer)["detail"].get<std::string>().find("request body:2: ") != std::string::npos);
}

TEST_CASE("PUT replaces a plug-in and creates one that is not there") {
  Running registry;
  const FakeCall& created = registry.ask("PUT", "hello", "\n{\"type\":\"static\",\"builtin\":\"health\"}");
  CHECK(created.status() == 201);
  CHECK(created.header("location") == "/test/hello");
  CHECK(json::parse(created.answer)["name"] == "hello");
  const FakeCall& replaced = registry.ask("PUT", "hello", kHello);
  CHECK(replaced.status() == 200);
  CHECK(replaced.header("location") == "");
  CHECK(json::parse(replaced.answer)["version"] == 2);
  CHECK(registry.ask("PUT", "other", kHello).status() == 400);
  CHECK(registry.ask("PUT", "hello", "{}").status() == 400);
  CHECK(registry.ask("PUT", "hello", "[]").status() == 400);
  CHECK(registry.ask("PUT", "hello", R"({"name":7})").status() == 400);
}

TEST_CASE("DELETE answers when the plug-in is gone") {
  Running registry;
  registry.ask("POST", "", kHello);
  registry.control.hold(true);
  FakeCall& call = registry.prepare("DELETE", "hello");
  registry.host.send(call);
  CHECK(registry.host.look([&] { return call.ending; }) == Ending::kOpen);
  registry.control.hold(false);
  REQUIRE(registry.host.wait_for(call));
  CHECK(call.status() == 204);
  CHECK(registry.ask("DELETE", "hello").status() == 404);
}

TEST_CASE("the registry neither replaces nor removes itself") {
  Running registry;
  CHECK(registry.ask("DELETE", "_plugins").status() == 409);
  CHECK(registry.ask("PUT", "_plugins", kHello).status() == 409);
}

TEST_CASE("other methods are refused by name") {
  Running registry;
  const FakeCall& collection = registry.ask("DELETE", "");
  CHECK(collection.status() == 405);
  CHECK(collection.header("allow") == "GET, HEAD, POST");
  const FakeCall& item = registry.ask("POST", "hello", kHello);
  CHECK(item.status() == 405);
  CHECK(item.header("allow") == "GET, HEAD, PUT, DELETE");
}

TEST_CASE("a definition comes as JSON of 1 MiB at most") {
  Running registry;
  FakeCall& text = registry.prepare("POST", "", kHello);
  text.sent.headers.set("content-type", "text/plain");
  registry.host.send(text);
  CHECK(text.status() == 415);
  CHECK(registry.ask("POST", "").status() == 415);

  FakeCall& declared = registry.prepare("POST", "", kHello);
  declared.length = 1024 * 1024 + 1;
  registry.host.send(declared);
  CHECK(declared.status() == 413);

  FakeCall& streamed = registry.prepare("POST", "", std::string(600'000, ' '));
  streamed.body_ended = false;
  registry.host.send(streamed);
  CHECK(streamed.status() == 0);
  registry.host.body(streamed, std::string(600'000, ' '), false);
  CHECK(streamed.status() == 413);

  FakeCall& exact = registry.prepare("POST", "", kHello + std::string(1024 * 1024 - strlen(kHello), ' '));
  registry.host.send(exact);
  REQUIRE(registry.host.wait_for(exact));
  CHECK(exact.status() == 201);
}

TEST_CASE("a definition may come in pieces, and a body that breaks off is no definition") {
  Running registry;
  FakeCall& call = registry.prepare("POST", "", std::string(kHello).substr(0, 10));
  call.body_ended = false;
  registry.host.send(call);
  registry.host.body(call, std::string(kHello).substr(10), true);
  REQUIRE(registry.host.wait_for(call));
  CHECK(call.status() == 201);

  FakeCall& broken = registry.prepare("POST", "", "{");
  broken.body_ended = false;
  registry.host.send(broken);
  registry.host.break_body(broken);
  CHECK(broken.status() == 400);
}

TEST_CASE("with a token, requests without it get 401 and with a wrong one 403") {
  Running registry("secret");
  const FakeCall& absent = registry.ask("GET", "");
  CHECK(absent.status() == 401);
  CHECK(absent.header("www-authenticate") == "Bearer realm=\"valor\"");
  FakeCall& wrong = registry.prepare("GET", "");
  wrong.sent.headers.append("authorization", "Bearer wrong");
  registry.host.send(wrong);
  CHECK(wrong.status() == 403);
  FakeCall& right = registry.prepare("GET", "");
  right.sent.headers.append("authorization", "Bearer secret");
  right.sent.authority = "valor.example";
  registry.host.send(right);
  CHECK(right.status() == 200);
}

TEST_CASE("without a token, a web page of another origin changes nothing") {
  Running registry;
  FakeCall& forged = registry.prepare("POST", "", kHello);
  forged.sent.headers.append("origin", "http://evil.example");
  registry.host.send(forged);
  CHECK(forged.status() == 403);
  FakeCall& rebound = registry.prepare("POST", "", kHello);
  rebound.sent.authority = "evil.example:8080";
  registry.host.send(rebound);
  CHECK(rebound.status() == 403);
  CHECK(registry.control.list().empty());
}

TEST_CASE("an answer that comes after the registry is gone, or after its client, reaches nobody") {
  Running registry;
  registry.control.hold(true);
  FakeCall& left = registry.prepare("POST", "", kHello);
  registry.host.send(left);
  registry.host.drop(left);
  registry.control.hold(false);
  while (!registry.control.idle()) std::this_thread::yield();
  CHECK(registry.ask("GET", "hello").status() == 200);

  registry.control.hold(true);
  FakeCall& orphan = registry.prepare("PUT", "other", R"({"type":"static","builtin":"health"})");
  registry.host.send(orphan);
  registry.host.destroy();
  registry.control.hold(false);
  while (!registry.control.idle()) std::this_thread::yield();
  registry.host.run([] {});
  CHECK(orphan.ending == Ending::kOpen);
}

TEST_CASE("health answers its mount and nothing else") {
  BuiltinKind kind({});
  FakeHost host(builtin_definition("health"));
  REQUIRE(host.start(kind) == "");
  const FakeCall& call = host.get("");
  CHECK(call.status() == 200);
  CHECK(call.answer == R"({"status":"ok"})");
  CHECK(call.header("content-type") == "application/json");
  CHECK(host.get("?verbose").status() == 200);
  CHECK(host.get("", "HEAD").status() == 200);
  CHECK(host.get("x").status() == 404);
  const FakeCall& post = host.get("", "POST");
  CHECK(post.status() == 405);
  CHECK(post.header("allow") == "GET, HEAD");
}

TEST_CASE("an unknown built-in, an unwanted registry and a useless path or config are refused by name") {
  BuiltinKind kind({});
  CHECK(FakeHost(builtin_definition("helth")).start(kind) ==
        "there is no built-in plug-in called \"helth\"; known are health, registry, proxy, files and browser");
  CHECK(FakeHost(builtin_definition("registry")).start(kind).starts_with("the registry is switched off"));
  CHECK(FakeHost(builtin_definition("health", R"({"a":1})")).start(kind) ==
        "config.a: unknown; this plug-in takes no configuration");
  core::Definition with_path = builtin_definition("health");
  with_path.path = "/tmp";
  CHECK(FakeHost(with_path).start(kind) == "path: belongs to the built-in plug-in \"files\" only");
}
