// valor::fetch(): what goes out, what comes back, and what ends it.
#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <valor/test.hpp>

namespace {

valor::Task<valor::Response> get(valor::Request request) {
  valor::FetchResponse response = co_await valor::fetch(*request.query("url"));
  if (!response) co_return valor::Response(599, response.error());
  const std::optional<std::string> text = co_await response.text(10);
  if (!text) co_return valor::Response(598, response.error());
  std::string answer = std::to_string(response.status()) + " " + std::string(response.url()) + " ";
  answer.append(response.header("Content-Type").value_or("none")).append(response.redirected() ? " redirected" : "");
  answer.append(" ").append(std::to_string(response.length().value_or(0))).append(" ").append(*text);
  co_return answer;
}

valor::Task<valor::Response> put(valor::Request) {
  valor::FetchResponse response = co_await valor::fetch(valor::FetchRequest("http://a/")
                                                            .method("PUT")
                                                            .header("x-a", "1")
                                                            .header("x-a", "2")
                                                            .body("whole")
                                                            .redirect(valor::Redirect::kManual));
  co_return std::to_string(response.status()) + (response.ok() ? " ok" : " not ok");
}

valor::Task<valor::Response> upload(valor::Request request) {
  const bool throws = request.path() == "throws";
  valor::FetchResponse response =
      co_await valor::fetch(valor::FetchRequest("http://a/")
                                .method("POST")
                                .stream([&request, throws](valor::Writer& writer) -> valor::Task<> {
                                  while (const auto piece = co_await request.body().read())
                                    co_await writer.write(*piece);
                                  if (throws) throw std::runtime_error("thrown in an upload");
                                }));
  co_return (co_await response.text()).value_or("nothing");
}

valor::Task<valor::Response> pass_on(valor::Request request) {
  auto response = std::make_shared<valor::FetchResponse>(co_await valor::fetch("http://a/"));
  co_return valor::Response::stream([response](valor::Writer& writer) -> valor::Task<> {
    while (const auto piece = co_await response->read()) co_await writer.write(*piece);
  });
}

valor::test::Options answering(valor::test::FetchReply reply) {
  return {.on_fetch = [reply](const valor::test::FetchCall&) { return reply; }};
}

}  // namespace

TEST_CASE("a fetch gives status, url, headers, length and body") {
  valor::test::Instance instance(valor::test::handlers<get>,
                                 answering({.status = 404, .headers = {{"Content-Type", "text/x"}}, .body = "body"}));
  CHECK(instance.get("?url=http://a/b").body == "404 http://a/b text/x 4 body");
  CHECK(instance.open_fetches() == 0);
}

TEST_CASE("a redirected response says where it comes from") {
  valor::test::Instance instance(valor::test::handlers<get>, answering({.body = "b", .url = "http://other/"}));
  CHECK(instance.get("?url=http://a/").body == "200 http://other/ none redirected 1 b");
}

TEST_CASE("a fetch that gets no response, a body that breaks off and one that is too long are values") {
  valor::test::Instance none(valor::test::handlers<get>, answering({.error = "no route to a"}));
  CHECK(none.get("?url=http://a/").status == 599);
  CHECK(none.get("?url=http://a/").body == "no route to a");
  valor::test::Instance broken(valor::test::handlers<get>, answering({.body = "half", .breaks_off = true}));
  CHECK(broken.get("?url=http://a/").body == "the response's body broke off");
  valor::test::Instance longer(valor::test::handlers<get>, answering({.body = "0123456789a"}));
  CHECK(longer.get("?url=http://a/").body == "the response's body is longer than 10 bytes");
  CHECK(longer.open_fetches() == 0);
}

TEST_CASE("a fetch sends method, repeated headers and a whole body") {
  valor::test::FetchCall seen;
  valor::test::Instance instance(valor::test::handlers<put>, {.on_fetch = [&](const valor::test::FetchCall& call) {
                                   seen = call;
                                   return valor::test::FetchReply{.status = 302};
                                 }});
  CHECK(instance.get("").body == "302 not ok");
  CHECK(seen.method == "PUT");
  CHECK(seen.headers == valor::test::HeaderList{{"x-a", "1"}, {"x-a", "2"}});
  CHECK(seen.body == "whole");
  CHECK(seen.manual_redirect);
}

TEST_CASE("a body is sent on piece by piece while the answer is waited for") {
  valor::test::Instance instance(valor::test::handlers<upload>, {.on_fetch = [](const valor::test::FetchCall& call) {
                                   return valor::test::FetchReply{.body = call.body};
                                 }});
  valor::test::Exchange exchange = instance.begin({.method = "POST", .url = "", .body_follows = true});
  exchange.push("one ");
  exchange.push("two");
  CHECK(instance.open_fetches() == 1);
  exchange.end_body();
  CHECK(exchange.finish().body == "one two");
  CHECK(instance.open_fetches() == 0);
}

TEST_CASE("an exception in the coroutine that sends a body fails the request") {
  valor::test::Instance instance(valor::test::handlers<upload>);
  const valor::test::Answer answer = instance.post("throws", "x");
  CHECK(answer.status == 500);
  CHECK(answer.failure.find("thrown in an upload") != std::string::npos);
  CHECK(instance.open_fetches() == 0);
}

TEST_CASE("a fetch ends with its request, before the head and after it, while sending and while reading") {
  valor::test::Instance waiting(valor::test::handlers<get>, answering({.milliseconds = 1000}));
  valor::test::Exchange before = waiting.begin({.url = "?url=http://a/"});
  CHECK(waiting.open_fetches() == 1);
  before.leave();
  CHECK(waiting.open_fetches() == 0);
  waiting.advance(2000);

  valor::test::Instance sending(valor::test::handlers<upload>);
  valor::test::Exchange upload = sending.begin({.method = "POST", .url = "", .body_follows = true});
  CHECK(sending.open_fetches() == 1);
  upload.time_out();
  CHECK(sending.open_fetches() == 0);

  valor::test::Instance reading(valor::test::handlers<pass_on>, answering({.body = "body"}));
  valor::test::Exchange slow = reading.begin({.url = "", .window = 1});
  reading.advance(0);
  CHECK(slow.answer().body == "body");
  CHECK(reading.open_fetches() == 1);
  slow.leave();
  CHECK(reading.open_fetches() == 0);
}

TEST_CASE("a fetch ends with its FetchResponse, while the request goes on") {
  static constexpr auto glance = [](valor::Request) -> valor::Task<valor::Response> {
    {
      const valor::FetchResponse response = co_await valor::fetch("http://a/");
    }
    co_await valor::sleep(1000);
    co_return "done";
  };
  valor::test::Instance instance(valor::test::handlers<glance>, answering({.body = "unread"}));
  valor::test::Exchange exchange = instance.begin({.url = ""});
  instance.advance(0);
  CHECK_FALSE(exchange.answer().ended);
  CHECK(instance.open_fetches() == 0);
}

TEST_CASE("an instance can end while its fetches go on") {
  valor::test::Instance instance(valor::test::handlers<get>, answering({.milliseconds = 1000}));
  instance.begin({.url = "?url=http://a/"});
  valor::test::Instance sending(valor::test::handlers<upload>);
  sending.begin({.method = "POST", .url = "", .body_follows = true});
}

TEST_CASE("a torn body that is passed on does not look whole") {
  valor::test::Instance instance(valor::test::handlers<pass_on>, answering({.body = "half", .breaks_off = true}));
  const valor::test::Answer answer = instance.get("");
  CHECK(answer.body == "half");
  CHECK(answer.broken);
  CHECK(answer.failure == "a fetch failed: the response's body broke off");
}

TEST_CASE("a fetch that breaks a rule is refused, not fatal") {
  static constexpr auto refused = [](valor::Request) -> valor::Task<valor::Response> {
    const valor::FetchResponse response = co_await valor::fetch(valor::FetchRequest("http://a/").method("NO TOKEN"));
    co_return valor::Response(response ? 200 : 599, response.error());
  };
  valor::test::Instance instance(valor::test::handlers<refused>);
  const valor::test::Answer answer = instance.get("");
  CHECK(answer.status == 599);
  CHECK(answer.body.find("http://a/ was refused") != std::string::npos);
}
