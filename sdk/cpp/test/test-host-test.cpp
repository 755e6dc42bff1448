// valor::test itself: what a test of a plug-in relies on.
#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <valor/test.hpp>

namespace {

valor::Task<> on_create(valor::Context& context) {
  co_await valor::sleep(60'000);
  if (context.config() == "\"fail\"") context.fail("on purpose");
}

valor::Task<valor::Response> on_request(valor::Request request, valor::Context& context) {
  const std::string_view path = request.path();
  if (path == "hour") {
    const uint64_t begin = valor::monotonic_microseconds();
    co_await valor::sleep(3'600'000);
    co_return std::to_string((valor::monotonic_microseconds() - begin) / 1'000'000) + " s";
  }
  if (path == "describe") {
    std::string text(request.method());
    for (const valor::Header header : request.headers())
      text.append(" ").append(header.name).append("=").append(header.value);
    co_return text + " " + std::to_string(request.body().length().value_or(0)) + " " + co_await request.text();
  }
  if (path == "ticks") {
    co_return valor::Response::stream([](valor::Writer& writer) -> valor::Task<> {
      for (int i = 0; i < 3; ++i) {
        co_await writer.write("tick");
        co_await valor::sleep(1000);
      }
    });
  }
  if (path == "short") {
    co_return valor::Response::stream([](valor::Writer& writer) -> valor::Task<> {
      co_await writer.write("12");
    }).length(3);
  }
  if (path == "breaks") {
    co_return valor::Response::stream([](valor::Writer& writer) -> valor::Task<> {
      co_await writer.write("12");
      co_await writer.fail("on purpose");
      co_await writer.write("never");
    });
  }
  if (path == "thread") co_return std::to_string(co_await valor::in_thread([] { return 42; }));
  if (path == "argument") {
    std::string text(100, 'x');
    const size_t size = co_await valor::in_thread([](const std::string& its) { return its.size(); }, std::move(text));
    co_return std::to_string(size);
  }
  if (path == "text") co_return co_await request.text(3);
  if (path == "bad-header") co_return valor::Response("").header("x", "a\nb");
  if (path == "never") {
    valor::Completion<int> never;
    co_await never;
  }
  context.log(valor::LogLevel::kWarn, "logged");
  co_return "root";
}

struct Fixture {
  valor::test::Instance instance{valor::test::handlers<on_request, on_create>,
                                 {.patience = std::chrono::milliseconds(3000)}};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "hours pass in no time") {
  CHECK(instance.error() == "");
  CHECK(instance.get("hour").body == "3600 s");
}

TEST_CASE("a creation that fails gives its words") {
  valor::test::Instance instance(valor::test::handlers<on_request, on_create>, {.config = "\"fail\""});
  CHECK(instance.error() == "on purpose");
}

TEST_CASE_FIXTURE(Fixture, "a handler sees what the test sends") {
  const valor::test::Answer answer =
      instance.send({.method = "PUT", .url = "describe", .headers = {{"X-A", "1"}, {"x-a", ""}}, .body = "text"});
  CHECK(answer.body.starts_with("PUT x-a=1 x-a= x-request-id=id-"));
  CHECK(answer.body.ends_with(" 4 text"));
  CHECK(answer.header("Content-Type") == "text/plain;charset=UTF-8");
  CHECK(instance.get("describe").body.ends_with(" 0 "));
}

TEST_CASE_FIXTURE(Fixture, "a streamed answer comes in pieces, as time passes") {
  valor::test::Exchange exchange = instance.begin({.url = "ticks"});
  CHECK(exchange.answer().pieces.size() == 1);
  instance.advance(999);
  CHECK(exchange.answer().pieces.size() == 1);
  instance.advance(1);
  CHECK(exchange.answer().pieces.size() == 2);
  CHECK_FALSE(exchange.answer().ended);
  CHECK(exchange.finish().body == "tickticktick");
}

TEST_CASE_FIXTURE(Fixture, "a slow client holds a stream up") {
  valor::test::Exchange exchange = instance.begin({.url = "ticks", .window = 4});
  instance.advance(10'000);
  CHECK(exchange.answer().body == "tick");
  exchange.take(100);
  CHECK(exchange.finish().body == "tickticktick");
}

TEST_CASE_FIXTURE(Fixture, "a body of the wrong length breaks the answer") {
  CHECK(instance.get("short").broken);
}

TEST_CASE_FIXTURE(Fixture, "a body that its writer fails is broken, and the failure has its words") {
  const valor::test::Answer answer = instance.get("breaks");
  CHECK(answer.body == "12");
  CHECK(answer.broken);
  CHECK(answer.failure == "on purpose");
  CHECK(instance.get("").body == "root");
}

TEST_CASE_FIXTURE(Fixture, "an answer that is none is a 500, a body that is too large a 413") {
  CHECK(instance.get("bad-header").status == 500);
  CHECK(instance.post("text", "1234").status == 413);
}

TEST_CASE_FIXTURE(Fixture, "threads are waited for, for ever they are not") {
  CHECK(instance.get("argument").body == "100");
  CHECK(instance.get("thread").body == "42");
  const valor::test::Answer answer = instance.get("never");
  CHECK(answer.status == 0);
  CHECK_FALSE(answer.ended);
}

TEST_CASE_FIXTURE(Fixture, "the log is kept") {
  CHECK(instance.get("").body == "root");
  REQUIRE(instance.log().size() == 1);
  CHECK(instance.log()[0].text == "logged");
  CHECK(instance.log()[0].level == VALOR_LOG_WARN);
}
