// valor::all() and valor::race().
#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <valor/test.hpp>
#include <vector>

namespace {

int alive = 0;
struct Alive {
  Alive() { ++alive; }
  ~Alive() { --alive; }
  Alive(const Alive&) = delete;
};

valor::Task<std::string> after(uint64_t milliseconds, std::string text) {
  const Alive here;
  if (milliseconds > 0) co_await valor::sleep(milliseconds);
  if (text == "throw") throw std::runtime_error("thrown in a part");
  co_return text;
}

valor::Task<std::unique_ptr<int>> number(int value) {
  co_await valor::sleep(1);
  co_return std::make_unique<int>(value);
}

std::vector<valor::Task<std::string>> many(int count) {
  std::vector<valor::Task<std::string>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(after(static_cast<uint64_t>(count - i), std::to_string(i)));
  return tasks;
}

valor::Task<valor::Response> on_request(valor::Request request) {
  const std::string_view path = request.path();
  const uint64_t begin = valor::monotonic_microseconds();
  if (path == "all") {
    const auto [a, b, nothing] = co_await valor::all(after(30, "a"), number(7), valor::sleep(50));
    co_return a + std::to_string(*b) + " after " + std::to_string((valor::monotonic_microseconds() - begin) / 1000);
  }
  if (path == "all-at-once") {
    const auto [a, b] = co_await valor::all(after(0, "a"), after(0, "b"));
    co_return a + b;
  }
  if (path == "all-throws") co_await valor::all(after(30, "a"), after(10, "throw"), valor::sleep(1000));
  if (path == "all-of-many") {
    std::string text;
    for (const std::string& part : co_await valor::all(many(5))) text += part;
    co_return text + std::to_string((co_await valor::all(many(0))).size());
  }
  if (path == "race") {
    const auto result = co_await valor::race(after(30, "slow"), after(10, "fast"), valor::sleep(20));
    co_return std::to_string(result.index()) + " " + std::get<1>(result) + " " + std::to_string(alive);
  }
  if (path == "race-at-once") {
    const auto result = co_await valor::race(after(10, "a"), after(0, "b"), after(0, "c"));
    co_return std::to_string(result.index()) + " " + std::to_string(alive);
  }
  if (path == "race-throws") co_await valor::race(after(30, "a"), after(10, "throw"));
  if (path == "race-of-many") {
    const auto [index, text] = co_await valor::race(many(5));
    co_return std::to_string(index) + text;
  }
  if (path == "timeout") {
    auto result = co_await valor::race(valor::fetch("http://slow/"), valor::sleep(2000));
    co_return result.index() == 1 ? "too slow" : std::to_string(std::get<0>(result).status());
  }
  if (path == "read") {
    auto result = co_await valor::race(request.body().read(), valor::sleep(100));
    co_return result.index() == 1 ? "nothing came" : std::string(std::get<0>(result).value_or("the end"));
  }
  if (path == "nested") {
    const auto [first, second] =
        co_await valor::all(valor::race(after(10, "a"), after(20, "b")),
                            valor::race(after(20, "c"), valor::all(after(5, "d"), after(6, "e"))));
    co_return std::get<0>(first) + std::get<1>(std::get<1>(second));
  }
  if (path == "threads") {
    const auto [a, b] = co_await valor::all(valor::in_thread([] { return 1; }), valor::in_thread([] {}));
    co_return std::to_string(a + b);
  }
  co_return valor::Response(404);
}

struct Fixture {
  valor::test::Instance instance{valor::test::handlers<on_request>, {.on_fetch = [](const valor::test::FetchCall&) {
                                   return valor::test::FetchReply{.milliseconds = 3000};
                                 }}};
  std::string text(const std::string& url) { return instance.get(url).body; }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "all() waits for all, side by side, and gives what each gave") {
  CHECK(text("all") == "a7 after 50");
  CHECK(text("all-at-once") == "ab");
  CHECK(text("all-of-many") == "012340");
}

TEST_CASE_FIXTURE(Fixture, "what a part throws is thrown, and the others end") {
  for (const std::string url : {"all-throws", "race-throws"}) {
    const valor::test::Answer answer = instance.get(url);
    CHECK(answer.status == 500);
    CHECK(answer.failure.find("thrown in a part") != std::string::npos);
    CHECK(alive == 0);
  }
}

TEST_CASE_FIXTURE(Fixture, "race() gives the first, and the losers are gone by then") {
  CHECK(text("race") == "1 fast 0");
  CHECK(text("race-at-once") == "1 0");
  CHECK(text("race-of-many") == "44");
}

TEST_CASE_FIXTURE(Fixture, "a race against a sleep is a timeout, and ends the fetch") {
  CHECK(text("timeout") == "too slow");
  CHECK(instance.open_fetches() == 0);
}

TEST_CASE_FIXTURE(Fixture, "reading takes part in a race") {
  valor::test::Exchange exchange = instance.begin({.method = "POST", .url = "read", .body_follows = true});
  exchange.push("piece");
  CHECK(exchange.answer().body == "piece");
  CHECK(instance.begin({.method = "POST", .url = "read", .body_follows = true}).finish().body == "nothing came");
}

TEST_CASE_FIXTURE(Fixture, "groups nest, and threads take part") {
  CHECK(text("nested") == "ae");
  CHECK(text("threads") == "2");
}

TEST_CASE("all parts end when the client leaves, or the instance ends") {
  for (const std::string url : {"all", "race", "nested", "all-of-many"}) {
    {
      Fixture fixture;
      valor::test::Exchange exchange = fixture.instance.begin({.url = url});
      CHECK(alive > 0);
      exchange.leave();
      CHECK(alive == 0);
      fixture.instance.begin({.url = url});
      CHECK(alive > 0);
    }
    CHECK(alive == 0);
  }
}
