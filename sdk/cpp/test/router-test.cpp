// valor::Router.
#include <doctest/doctest.h>

#include <string>
#include <valor/router.hpp>
#include <valor/test.hpp>

namespace {

valor::Response root(valor::Request) {
  return "root";
}
valor::Response show(const valor::Request& request, valor::Context& context) {
  return context.name() + " " + request.param("id") + request.param("no such");
}
valor::Task<valor::Response> change(valor::Request request) {
  co_await valor::sleep(1);
  co_return request.param("id") + " is " + co_await request.text();
}
void remove(valor::Request request, valor::Responder responder) {
  responder.respond(valor::Response(200, "removed " + request.param("id")));
}
valor::Response chapter(const valor::Request& request) {
  return request.param("book") + ":" + request.param("chapter");
}
valor::Response file(const valor::Request& request) {
  return "file " + request.param("*");
}

constexpr valor::Router<valor::Get<"", root>, valor::Get<"books/:id", show>, valor::Put<"books/:id", change>,
                        valor::Delete<"books/:id", remove>, valor::Get<"books/:book/chapters/:chapter", chapter>,
                        valor::Get<"files/*", file>, valor::Route<"REPORT", "files/*", file>>
    routes;

struct Fixture {
  valor::test::Instance instance{valor::test::handlers<routes>};
  valor::test::Answer ask(std::string method, std::string url) {
    return instance.send({.method = std::move(method), .url = std::move(url), .body = "new"});
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "handlers of every shape are reached by method and pattern") {
  CHECK(ask("GET", "").body == "root");
  CHECK(ask("GET", "?query").body == "root");
  CHECK(ask("GET", "books/7?x=/").body == "test 7");
  CHECK(ask("PUT", "books/8").body == "8 is new");
  CHECK(ask("DELETE", "books/9").body == "removed 9");
  CHECK(ask("GET", "books/1/chapters/2").body == "1:2");
  CHECK(ask("REPORT", "files/a").body == "file a");
}

TEST_CASE_FIXTURE(Fixture, "parameters are decoded after the path was taken apart; a star takes all that is left") {
  CHECK(ask("GET", "books/a%2Fb+c").body == "test a/b+c");
  CHECK(ask("GET", "files/a/b%20c/").body == "file a/b c/");
  CHECK(ask("GET", "files/").body == "file ");
}

TEST_CASE_FIXTURE(Fixture, "a path that no route fits is a 404") {
  for (const std::string url : {"books", "books/", "books/1/", "books/1/chapters", "files", "boo", "/"}) {
    CHECK(ask("GET", url).status == 404);
  }
}

TEST_CASE_FIXTURE(Fixture, "a path that fits with other methods only is a 405 that names them") {
  const valor::test::Answer answer = ask("POST", "books/1");
  CHECK(answer.status == 405);
  CHECK(answer.header("allow") == "GET, HEAD, PUT, DELETE");
  CHECK(ask("get", "files/x").header("allow") == "GET, HEAD, REPORT");
}

TEST_CASE_FIXTURE(Fixture, "HEAD takes the GET route") {
  CHECK(ask("HEAD", "books/1").status == 200);
  CHECK(ask("HEAD", "nothing").status == 404);
}
