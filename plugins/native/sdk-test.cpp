// The C++ SDK, through the library that is made with it.
#include <doctest/doctest.h>

#include "plugins/native/test-support.h"

using namespace valor::plugins::native::testing;

namespace {

/// Sends a POST whose body comes later.
FakeCall& begin_post(Fixture& fixture, const std::string& url) {
  FakeCall& call = fixture.host.prepare("POST", url);
  call.with_body = true;
  call.body_ended = false;
  fixture.host.send(call);
  return call;
}

FakeCall& post(Fixture& fixture, const std::string& url, const std::string& body) {
  FakeCall& call = fixture.host.prepare("POST", url);
  call.with_body = true;
  call.length = body.size();
  call.pieces = {body};
  fixture.host.send(call);
  fixture.host.wait_for(call);
  return call;
}

std::string log_of(Fixture& fixture) {
  return fixture.host.look([&] { return fixture.host.log_text; });
}

}  // namespace

TEST_CASE("the shortest plug-in answers with text") {
  Fixture plain(test_plugin("plain-a"));
  REQUIRE(plain.error == "");
  FakeCall& call = plain.host.get("");
  CHECK(call.ending == Ending::kResponded);
  CHECK(call.status() == 200);
  CHECK(call.answer == "a");
  CHECK(call.header("content-type") == "text/plain;charset=UTF-8");
}

TEST_CASE("two plug-ins with handlers of the same name are told apart") {
  Fixture a(test_plugin("plain-a"));
  Fixture b(test_plugin("plain-b"));
  CHECK(a.text("") == "a");
  CHECK(b.text("") == "b");
}

TEST_CASE("a handler sees method, url, id, headers and length") {
  Fixture fixture(test_plugin("behaviours"));
  FakeCall& call = fixture.host.prepare("PUT", "describe?x=1");
  call.sent.headers.append("user-agent", "tester");
  call.sent.headers.append("x-empty", "");
  call.with_body = true;
  call.length = 5;
  call.pieces = {"hello"};
  fixture.host.send(call);
  REQUIRE(fixture.host.wait_for(call));
  CHECK(call.answer == "PUT describe?x=1 id-1\nuser-agent=tester\nx-empty=\nagent tester\nlength 5");
}

TEST_CASE("the context knows name, location and config") {
  Fixture fixture(test_plugin("behaviours"), R"({"a":[1,"ä"]})");
  CHECK(fixture.text("context") == R"(test http://127.0.0.1:8080/test/ {"a":[1,"ä"]})");
}

TEST_CASE("state belongs to the instance") {
  Fixture one(test_plugin("behaviours"));
  Fixture other(test_plugin("behaviours"));
  CHECK(one.text("count") == "1");
  CHECK(one.text("count") == "2");
  CHECK(other.text("count") == "1");
}

TEST_CASE("query parameters are decoded") {
  Fixture fixture(test_plugin("behaviours"));
  CHECK(fixture.text("query?q=a+b%20c%2") == "a b c%2");
  CHECK(fixture.text("query?p=1&q=%C3%A4&q=2") == "ä");
  CHECK(fixture.text("query?q") == "");
  CHECK(fixture.text("query?%71=1") == "1");
  CHECK(fixture.text("query?qq=1&&=2") == "absent");
  CHECK(fixture.text("query") == "absent");
}

TEST_CASE("answers carry status, headers and bytes as given") {
  Fixture fixture(test_plugin("behaviours"));
  FakeCall& json = fixture.host.get("json");
  CHECK(json.header("content-type") == "application/json");
  CHECK(json.head.headers.count("x-more") == 2);
  FakeCall& bytes = fixture.host.get("raw-bytes");
  CHECK(bytes.answer == std::string("\0\xff\n", 3));
  CHECK(bytes.header("content-type") == "");
  FakeCall& empty = fixture.host.get("status-204");
  CHECK(empty.status() == 204);
  CHECK(empty.head.headers.empty());
}

TEST_CASE("an answer that is none becomes a 500, and the log says what was wrong") {
  Fixture fixture(test_plugin("behaviours"));
  CHECK(fixture.host.get("status-99").status() == 500);
  CHECK(fixture.host.get("line-break").status() == 500);
  CHECK(fixture.host.get("bad-name").status() == 500);
  const std::string log = log_of(fixture);
  CHECK(log.find("status 99") != std::string::npos);
  CHECK(log.find("x-bad") != std::string::npos);
  CHECK(fixture.text("") == "root");
}

TEST_CASE("an exception in a handler, a task or a thread is a 500, and the log says which") {
  Fixture fixture(test_plugin("behaviours"));
  for (const std::string where : {"throw", "throw-in-task", "in-thread-throws"}) {
    FakeCall& call = fixture.host.get(where);
    CHECK(call.status() == 500);
    CHECK(call.problem.detail.find("thrown") == std::string::npos);
  }
  const std::string log = log_of(fixture);
  CHECK(log.find("thrown in a handler") != std::string::npos);
  CHECK(log.find("thrown in a task") != std::string::npos);
  CHECK(log.find("thrown in a thread") != std::string::npos);
  CHECK(log.find("id-1") != std::string::npos);
  CHECK(fixture.text("catch") == "caught: thrown in a task");
  CHECK(fixture.text("alive") == "0");

  Fixture plain(test_plugin("plain-a"));
  CHECK(plain.host.get("throw").status() == 500);
  CHECK(plain.text("") == "a");
}

TEST_CASE("an exception in a stream breaks the answer off") {
  Fixture fixture(test_plugin("behaviours"));
  FakeCall& call = fixture.host.get("throw-in-stream");
  CHECK(call.ending == Ending::kAborted);
  CHECK(call.answer == "begun");
}

TEST_CASE("a body is read whole, also when it comes in pieces") {
  Fixture fixture(test_plugin("behaviours"));
  CHECK(post(fixture, "text", "hello").answer == "hello");
  CHECK(post(fixture, "read-twice", "hello").answer == "hello|");
  CHECK(fixture.text("text") == "");
  FakeCall& call = begin_post(fixture, "text");
  fixture.host.body(call, "one ", false);
  fixture.host.body(call, "two", false);
  CHECK(fixture.host.look([&] { return call.ending; }) == Ending::kOpen);
  fixture.host.body(call, "", true);
  REQUIRE(fixture.host.wait_for(call));
  CHECK(call.answer == "one two");
}

TEST_CASE("a text that is larger than allowed is a 413") {
  Fixture fixture(test_plugin("behaviours"));
  CHECK(post(fixture, "short-text", "0123456789").answer == "0123456789");
  CHECK(post(fixture, "short-text", "0123456789a").status() == 413);
  CHECK(fixture.text("alive") == "0");
}

TEST_CASE("a body that breaks off is never taken for a whole one") {
  Fixture fixture(test_plugin("behaviours"));
  FakeCall& call = begin_post(fixture, "text");
  fixture.host.body(call, "half", false);
  CHECK(fixture.text("alive") == "1");
  fixture.host.break_body(call);
  CHECK(fixture.text("alive") == "0");
  CHECK(fixture.host.look([&] { return call.status(); }) == 0);
}

TEST_CASE("a body is streamed back piece by piece while it comes") {
  Fixture fixture(test_plugin("behaviours"));
  FakeCall& call = begin_post(fixture, "echo");
  CHECK(fixture.host.look([&] { return call.status(); }) == 200);
  fixture.host.body(call, "one", false);
  CHECK(fixture.host.look([&] { return call.answer; }) == "one");
  fixture.host.body(call, "two", true);
  REQUIRE(fixture.host.wait_for(call));
  CHECK(call.ending == Ending::kFinished);
  CHECK(call.answer == "onetwo");
  CHECK(call.header("content-type") == "application/octet-stream");
}

TEST_CASE("a stream waits for a slow client") {
  Fixture fixture(test_plugin("behaviours"));
  FakeCall& call = fixture.host.prepare("GET", "download?size=10500");
  call.window = 2000;
  fixture.host.send(call);
  CHECK(fixture.host.look([&] { return call.written; }) == 2000);
  CHECK(fixture.host.look([&] { return *call.answer_length; }) == 10500);
  fixture.host.allow(call, 1000);
  CHECK(fixture.host.look([&] { return call.written; }) == 3000);
  fixture.host.allow(call, UINT64_MAX);
  REQUIRE(fixture.host.wait_for(call));
  CHECK(call.written == 10500);
}

TEST_CASE("an endless stream ends with its client") {
  Fixture fixture(test_plugin("behaviours"));
  FakeCall& call = fixture.host.prepare("GET", "endless");
  call.window = 100;
  fixture.host.send(call);
  CHECK(fixture.text("alive") == "1");
  fixture.host.drop(call);
  CHECK(fixture.text("alive") == "0");
}

TEST_CASE("a handler ends when its request is gone, wherever it waits") {
  Fixture fixture(test_plugin("behaviours"));
  for (const std::string where : {"sleep-long", "never-complete"}) {
    FakeCall& call = fixture.host.prepare("GET", where);
    fixture.host.send(call);
    CHECK(fixture.text("alive") == "1");
    fixture.host.drop(call, valor::host::DropReason::kTimeout);
    CHECK(fixture.text("alive") == "0");
  }
}

TEST_CASE("an instance can end while handlers wait in every way") {
  Fixture fixture(test_plugin("behaviours"));
  for (const std::string where : {"sleep-long", "never-complete", "in-thread"}) {
    fixture.host.send(fixture.host.prepare("GET", where));
  }
  FakeCall& endless = fixture.host.prepare("GET", "endless");
  endless.window = 100;
  fixture.host.send(endless);
  begin_post(fixture, "text");
  begin_post(fixture, "echo");
  fixture.host.destroy();
}

TEST_CASE("sleeping takes as long as asked, and others are answered meanwhile") {
  Fixture fixture(test_plugin("behaviours"));
  FakeCall& call = fixture.host.prepare("GET", "sleep");
  fixture.host.send(call);
  CHECK(fixture.text("") == "root");
  REQUIRE(fixture.host.wait_for(call));
  CHECK(call.answer == "slept");
}

TEST_CASE("tasks nest") {
  CHECK(Fixture(test_plugin("behaviours")).text("nested") == "20");
}

TEST_CASE("a coroutine waits for another thread and comes back to its own") {
  Fixture fixture(test_plugin("behaviours"));
  CHECK(fixture.text("in-thread") == "there and back");
  CHECK(fixture.text("already-complete") == "5");
}

TEST_CASE("a responder answers now, from a thread, with a stream, or not at all") {
  Fixture fixture(test_plugin("responder"));
  CHECK(fixture.text("now") == "now");
  CHECK(fixture.text("abc") == "from a thread: abc");
  CHECK(fixture.text("stream") == "012");
  CHECK(fixture.host.get("fail").status() == 500);
  CHECK(fixture.host.get("forget").status() == 500);
  CHECK(fixture.host.get("throw").status() == 500);
  CHECK(log_of(fixture).find("failed on purpose") != std::string::npos);
}

TEST_CASE("an answer from a thread may come after client or instance have gone") {
  for (int round = 0; round < 20; ++round) {
    Fixture fixture(test_plugin("responder"));
    for (int i = 0; i < 3; ++i) {
      FakeCall& call = fixture.host.prepare("GET", i == 0 ? "stream" : "text");
      fixture.host.send(call);
      if (i == 1) fixture.host.drop(call);
    }
  }
}

TEST_CASE("a plug-in logs in its own name, and random bytes are random") {
  Fixture fixture(test_plugin("behaviours"));
  CHECK(fixture.text("log") == "logged");
  CHECK(log_of(fixture).find("test: a line from the plug-in") != std::string::npos);
  CHECK(fixture.text("random") == "different");
}
