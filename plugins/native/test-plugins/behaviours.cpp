// One plug-in, one behaviour of the SDK for each path.
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <valor/vlugin.hpp>

namespace {

struct Counter {
  int requests = 0;
  int alive = 0;
};

/// Counts coroutines that are somewhere between their beginning and their end.
class Alive {
 public:
  explicit Alive(Counter& counter) : counter_(counter) { ++counter_.alive; }
  ~Alive() { --counter_.alive; }

 private:
  Counter& counter_;
};

valor::Task<int> after_a_nap(int value) {
  co_await valor::sleep(1);
  co_return value;
}

valor::Task<int> sum_of(int depth) {
  if (depth == 0) co_return 0;
  co_return co_await after_a_nap(1) + co_await sum_of(depth - 1);
}

valor::Task<> thrower() {
  co_await valor::sleep(1);
  throw std::runtime_error("thrown in a task");
}

valor::Task<valor::Response> on_request(valor::Request request, valor::Context& context) {
  Counter& counter = context.state<Counter>();
  ++counter.requests;
  const std::string_view path = request.path();
  if (path == "alive") co_return std::to_string(counter.alive);
  const Alive alive(counter);

  if (path == "") co_return "root";
  if (path == "describe") {
    std::string text(request.method());
    text.append(" ").append(request.url()).append(" ").append(request.id());
    for (const valor::Header header : request.headers()) {
      text.append("\n").append(header.name).append("=").append(header.value);
    }
    text.append("\nagent ").append(request.header("User-Agent").value_or("none"));
    text.append("\nlength ").append(std::to_string(request.body().length().value_or(0)));
    co_return text;
  }
  if (path == "context") co_return context.name() + " " + context.location() + " " + context.config();
  if (path == "count") co_return std::to_string(counter.requests);
  if (path == "text") co_return co_await request.text();
  if (path == "short-text") co_return co_await request.text(10);
  if (path == "read-twice") {
    const std::string first = co_await request.text();
    const std::string second = co_await request.text();
    co_return first + "|" + second;
  }
  if (path == "bytes") {
    uint64_t bytes = 0;
    while (const auto piece = co_await request.body().read()) bytes += piece->size();
    co_return std::to_string(bytes);
  }
  if (path == "echo") {
    co_return valor::Response::stream([request = std::move(request)](valor::Writer& writer) -> valor::Task<> {
      while (const auto piece = co_await request.body().read()) co_await writer.write(*piece);
    }).header("content-type", "application/octet-stream");
  }
  if (path == "download") {
    const uint64_t size = std::stoull(request.query("size").value_or("0"));
    co_return valor::Response::stream([size](valor::Writer writer) -> valor::Task<> {
      const std::string piece(1000, 'x');
      for (uint64_t left = size; left > 0; left -= std::min<uint64_t>(left, piece.size())) {
        co_await writer.write(std::string_view(piece).substr(0, left));
      }
    }).length(size);
  }
  if (path == "endless") {
    co_return valor::Response::stream([&counter](valor::Writer& writer) -> valor::Task<> {
      const Alive stream(counter);
      while (true) co_await writer.write("tick\n");
    });
  }
  if (path == "sleep") {
    const uint64_t began = valor::monotonic_microseconds();
    co_await valor::sleep(30);
    co_return valor::monotonic_microseconds() - began >= 30'000 ? "slept" : "woke too early";
  }
  if (path == "sleep-long") {
    co_await valor::sleep(3'600'000);
    co_return "an hour later";
  }
  if (path == "nested") co_return std::to_string(co_await sum_of(20));
  if (path == "in-thread") {
    const std::thread::id here = std::this_thread::get_id();
    const bool elsewhere = co_await valor::in_thread([here] { return std::this_thread::get_id() != here; });
    co_return elsewhere&& std::this_thread::get_id() == here ? "there and back" : "lost";
  }
  if (path == "in-thread-throws") {
    co_await valor::in_thread([] { throw std::runtime_error("thrown in a thread"); });
    co_return "unreachable";
  }
  if (path == "already-complete") {
    valor::Completion<std::unique_ptr<int>> done;
    done.set(std::make_unique<int>(5));
    done.set(std::make_unique<int>(6));
    co_return std::to_string(**std::make_unique<std::unique_ptr<int>>(co_await done));
  }
  if (path == "never-complete") {
    valor::Completion<int> done;
    co_return std::to_string(co_await done);
  }
  if (path == "throw") throw std::runtime_error("thrown in a handler");
  if (path == "throw-in-task") {
    co_await thrower();
    co_return "unreachable";
  }
  if (path == "catch") {
    std::string caught;
    try {
      co_await thrower();
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    co_return "caught: " + caught;
  }
  if (path == "throw-in-stream") {
    co_return valor::Response::stream([](valor::Writer& writer) -> valor::Task<> {
      co_await writer.write("begun");
      throw std::runtime_error("thrown in a stream");
    });
  }
  if (path == "status-99") co_return valor::Response(99);
  if (path == "status-204") co_return valor::Response(204);
  if (path == "line-break") co_return valor::Response("text").header("x-bad", "a\r\nset-cookie: b");
  if (path == "bad-name") co_return valor::Response("text").header("no token", "value");
  if (path == "json") co_return valor::Response::json(R"({"ok":true})").header("x-more", "1").header("x-more", "2");
  if (path == "raw-bytes") co_return valor::Response(std::vector<uint8_t>{0, 255, 10});
  if (path == "query") co_return request.query("q").value_or("absent");
  if (path == "random") {
    uint64_t a = 0;
    uint64_t b = 0;
    co_return valor::random_bytes(&a, sizeof(a)) && valor::random_bytes(&b, sizeof(b)) && a != b ? "different" : "same";
  }
  if (path == "log") {
    context.log(valor::LogLevel::kWarn, "a line from the plug-in");
    co_return "logged";
  }
  if (path == "block") {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    co_return "unblocked";
  }
  co_return valor::Response(404, "no such behaviour");
}

void on_create(valor::Context& context) {
  context.set_state<Counter>();
}

}  // namespace

VLUGIN(on_request, on_create)
