#include "plugins/js/js-test.h"

namespace valor::plugins::js {
namespace {

using host::testing::Ending;
using host::testing::FakeCall;

/// What a plug-in answers whose handler posts `expression`.
struct Posted {
  explicit Posted(const std::string& expression) : plugin("onmessage = () => { postMessage(" + expression + "); };") {
    REQUIRE(plugin.start() == "");
    call = &plugin.host().get("");
  }
  Plugin plugin;
  FakeCall* call;
};

TEST_CASE("a message plug-in answers with what it posts") {
  Plugin plugin(R"(
    onmessage = (event) => {
      postMessage({ status: 201, headers: [['Content-Type', 'text/plain'], ['x-a', '1'], ['x-a', '2']], body: 'hello ' + event.data.url });
    };
  )");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().get("world?x=1");
  CHECK(call.ending == Ending::kResponded);
  CHECK(call.status() == 201);
  CHECK(call.header("content-type") == "text/plain");
  CHECK(call.head.headers.count("x-a") == 2);
  CHECK(call.answer == "hello world?x=1");
}

TEST_CASE("the event's data is exactly url, method, headers and body") {
  Plugin plugin(R"(
    addEventListener('message', (event) => {
      const { data } = event;
      const kinds = [event instanceof MessageEvent, event.isTrusted, event.type, Object.getPrototypeOf(data) === Object.prototype];
      postMessage({ body: JSON.stringify([Object.keys(data), data.headers, data.method, data.url,
        data.body instanceof ArrayBuffer ? String.fromCharCode(...new Uint8Array(data.body)) : data.body, kinds]) });
    });
  )");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().prepare("POST", "a/b?q");
  call.sent.headers.append("x-request-id", "id-1");
  call.sent.headers.append("x-twice", "1");
  call.sent.headers.append("x-twice", "2");
  call.with_body = true;
  call.pieces = {"ab", "cd"};
  plugin.host().send(call);
  REQUIRE(plugin.host().wait_for(call));
  CHECK(
      call.answer ==
      R"([["url","method","headers","body"],[["x-request-id","id-1"],["x-twice","1"],["x-twice","2"]],"POST","a/b?q",)"
      R"("abcd",[true,true,"message",true]])");
  CHECK(plugin.host().get("").answer.find(R"("GET","",null)") != std::string::npos);
}

TEST_CASE("a response's body may be a string, an ArrayBuffer, a view, null or missing") {
  CHECK(Posted("{ body: 'gr\\u00fc\\u00df' }").call->answer == "gr\xC3\xBC\xC3\x9F");
  CHECK(Posted("{ body: new Uint8Array([65, 66]).buffer }").call->answer == "AB");
  CHECK(Posted("{ body: new Uint8Array([65, 66, 67]).subarray(1) }").call->answer == "BC");
  CHECK(Posted("{ body: new DataView(new Uint8Array([65, 66, 67]).buffer, 1, 1) }").call->answer == "B");
  CHECK(Posted("{ status: 204, body: null }").call->status() == 204);
  CHECK(Posted("{}").call->status() == 200);
  CHECK(Posted("{ status: 200, extra: 1, body: 'x' }").call->answer == "x");
  CHECK(Posted("Object.create(null, { body: { value: 'x', enumerable: true } })").call->answer == "x");
}

TEST_CASE("what is no response gives 500 and a line in the log that says why") {
  struct Case {
    const char* expression;
    const char* why;
  };
  for (const Case& garbage : {
           Case{"{ status: 99 }", "status 99 is not a whole number from 200 to 599"},
           Case{"{ status: 600 }", "status 600"},
           Case{"{ status: '200' }", "status is not a number"},
           Case{"{ headers: [['x-a', 'one\\ntwo']] }", "'x-a' holds characters"},
           Case{"{ headers: [['x-a', 'one\\0two']] }", "a header holds a zero"},
           Case{"{ headers: [['x a', '1']] }", "'x a' cannot be the name"},
           Case{"{ headers: [['x-a', '\\u20ac']] }", "characters that HTTP cannot carry"},
           Case{"{ headers: [['x-a']] }", "list of [name, value] pairs"},
           Case{"{ headers: { 'x-a': '1' } }", "not an object"},
           Case{"{ body: 7 }", "not a number"},
           Case{"'hello'", "not a string"},
           Case{"null", "not null"},
       }) {
    CAPTURE(garbage.expression);
    Posted posted(garbage.expression);
    CHECK(posted.call->ending == Ending::kFailed);
    CHECK(posted.call->status() == 500);
    CHECK(posted.call->problem.detail.find(garbage.why) != std::string::npos);
    CHECK(logged(posted.plugin, garbage.why));
  }
}

TEST_CASE("postMessage clones and transfers as the standard says") {
  Plugin plugin(R"(
    onmessage = () => {
      const results = [];
      for (const message of [{ body: () => {} }, { status: 200, also: Symbol() }]) {
        try { postMessage(message); } catch (error) { results.push(error instanceof DOMException && error.name); }
      }
      const moved = new Uint8Array([1, 2, 3]).buffer;
      postMessage({ body: JSON.stringify(results) });
    };
  )");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == R"(["DataCloneError","DataCloneError"])");

  Plugin second(R"(
    let length;
    onmessage = (event) => {
      if (event.data.url === 'length') return postMessage({ body: String(length) });
      const bytes = new Uint8Array([65, 66]).buffer;
      postMessage({ body: bytes }, event.data.url === 'list' ? [bytes] : { transfer: [bytes] });
      length = bytes.byteLength;
    };
  )");
  REQUIRE(second.start() == "");
  for (const char* way : {"list", "options"}) {
    CHECK(second.host().get(way).answer == "AB");
    CHECK(second.host().get("length").answer == "0");
  }
}

TEST_CASE("a response names its request by x-correlation-id, which is not sent on") {
  Plugin plugin(R"(
    const waiting = [];
    onmessage = ({ data }) => {
      waiting.push(data.headers.find(([name]) => name === 'x-request-id')[1]);
      if (waiting.length === 2) {
        postMessage({ headers: [['X-Correlation-Id', waiting[1]]], body: 'second' });
        postMessage({ headers: [['x-correlation-id', waiting[0]]], body: 'first' });
      }
    };
  )");
  REQUIRE(plugin.start() == "");
  auto& first = plugin.host().prepare("GET", "");
  auto& second = plugin.host().prepare("GET", "");
  for (auto* call : {&first, &second}) {
    call->sent.headers.append("x-request-id", call->sent.id);  // the same id twice
    plugin.host().send(*call);
  }
  REQUIRE(plugin.host().wait_for(first));
  REQUIRE(plugin.host().wait_for(second));
  CHECK(first.answer == "first");
  CHECK(second.answer == "second");
  CHECK_FALSE(first.head.headers.has("x-correlation-id"));
}

TEST_CASE("an answer after an await or from a timer is that of its request, and requests go on to come at once") {
  Plugin plugin(R"(
    let release;
    onmessage = async ({ data }) => {
      if (data.url === 'first') await new Promise((resolve) => { release = resolve; });
      else { await null; setTimeout(release, 1); await new Promise((resolve) => setTimeout(resolve, 20)); }
      postMessage({ body: data.url });
    };
  )");
  REQUIRE(plugin.start() == "");
  auto& first = plugin.host().prepare("GET", "first");
  auto& second = plugin.host().prepare("GET", "second");
  for (auto* call : {&first, &second}) plugin.host().send(*call);
  REQUIRE(plugin.host().wait_for(first));
  REQUIRE(plugin.host().wait_for(second));
  CHECK(first.answer == "first");
  CHECK(second.answer == "second");
  CHECK_FALSE(plugin.host().look([&] { return plugin.host().one_at_a_time; }));
}

TEST_CASE("an answer of which nothing tells whose it is arrives, and requests come one at a time from then on") {
  Plugin plugin(R"(
    const loop = setInterval(() => { if (globalThis.next) { postMessage({ body: next }); next = ''; } }, 1);
    onmessage = ({ data }) => { globalThis.next = data.url; };
  )");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("a").answer == "a");
  CHECK(plugin.host().look([&] { return plugin.host().one_at_a_time; }));
  CHECK(plugin.host().get("b").answer == "b");
}

TEST_CASE("a plug-in of whose answers nothing tells whose they are is replaced once it lets a request time out") {
  Plugin plugin(R"(
    let next = '';
    setInterval(() => { if (next === '') return; if (next !== 'never') postMessage({ body: 'late' }); next = ''; }, 1);
    onmessage = ({ data }) => { next = data.url || 'some'; };
  )");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == "late");
  auto& call = plugin.host().prepare("GET", "never");
  plugin.host().send(call);
  plugin.host().drop(call, host::DropReason::kTimeout);
  CHECK(plugin.host().look([&] { return plugin.host().breakdown.has_value(); }));
}

TEST_CASE("an answer that belongs to no request is dropped and logged") {
  Plugin plugin("onmessage = () => { postMessage({ body: 'one' }); postMessage({ body: 'two' }); };");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == "one");
  CHECK(plugin.host().get("").answer == "one");
  CHECK(logged(plugin, "belongs to no request"));
}

TEST_CASE("a handler that throws or rejects gives 500, and the stack names the line") {
  Plugin plugin(R"(onmessage = ({ data }) => {
  if (data.url === 'throw') throw new TypeError('broken');
  if (data.url === 'reject') return Promise.resolve().then(() => { throw new RangeError('later'); });
  if (data.url === 'timer') return void setTimeout(() => { throw new Error('timed'); }, 1);
  postMessage({ body: 'fine' });
};)");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("throw").status() == 500);
  CHECK(logged(plugin, "test: uncaught TypeError: broken\n    at"));
  CHECK(logged(plugin, "plugin.js:2:"));
  CHECK_FALSE(logged(plugin, "valor:platform"));
  CHECK(plugin.host().get("reject").status() == 500);
  CHECK(logged(plugin, "(in promise) RangeError: later"));
  CHECK(plugin.host().get("timer").status() == 500);
  CHECK(logged(plugin, "Error: timed"));
  CHECK(plugin.host().get("ok").answer == "fine");
}

TEST_CASE("an error ends the request that caused it and no other") {
  Plugin plugin(R"(
    let release;
    onmessage = async ({ data }) => {
      const id = data.headers[0][1];
      if (data.url === 'wait') await new Promise((resolve) => { release = resolve; });
      else { await null; setTimeout(release, 1); throw new Error('only mine'); }
      postMessage({ headers: [['x-correlation-id', id]], body: 'released' });
    };
  )");
  REQUIRE(plugin.start() == "");
  auto& waiting = plugin.host().prepare("GET", "wait");
  auto& failing = plugin.host().prepare("GET", "fail");
  for (auto* call : {&waiting, &failing}) {
    call->sent.headers.append("x-request-id", call->sent.id);
    plugin.host().send(*call);
  }
  REQUIRE(plugin.host().wait_for(failing));
  REQUIRE(plugin.host().wait_for(waiting));
  CHECK(failing.status() == 500);
  CHECK(waiting.answer == "released");
}

TEST_CASE("a scheduled task works for the request that posted it") {
  Plugin plugin(R"(
    let first;
    onmessage = ({ data }) => {
      const id = data.headers[0][1];
      // The second one's task runs when the timer of the first one's is due.
      if (data.url === 'first') {
        first = () => postMessage({ headers: [['x-correlation-id', id]], body: 'fine' });
        scheduler.postTask(() => {}, { priority: 'background' });
      } else {
        scheduler.postTask(async () => {
          await scheduler.yield();
          setTimeout(first, 1);
          queueMicrotask(() => { throw new Error('of the second'); });
        }, { priority: 'user-blocking' });
      }
    };
  )");
  REQUIRE(plugin.start() == "");
  auto& first = plugin.host().prepare("GET", "first");
  auto& second = plugin.host().prepare("GET", "second");
  for (auto* call : {&first, &second}) call->sent.headers.append("x-request-id", call->sent.id);
  plugin.host().send(first);
  plugin.host().send(second);
  REQUIRE(plugin.host().wait_for(second));
  REQUIRE(plugin.host().wait_for(first));
  CHECK(second.status() == 500);
  CHECK(first.answer == "fine");
}

TEST_CASE("bodies that do not fit are refused while they arrive") {
  core::Limits limits;
  limits.memory_mb = 16;
  Plugin plugin("onmessage = ({ data }) => { postMessage({ body: String(data.body.byteLength) }); };", "plugin.js",
                limits);
  REQUIRE(plugin.start() == "");
  auto request = [&](size_t size, bool declared) -> FakeCall& {
    auto& call = plugin.host().prepare("POST", "");
    call.with_body = true;
    if (declared) call.length = size;
    for (size_t done = 0; done < size; done += 65536)
      call.pieces.push_back(std::string(std::min<size_t>(65536, size - done), 'x'));
    return call;
  };
  auto& fits = request(4 << 20, false);
  plugin.host().send(fits);
  REQUIRE(plugin.host().wait_for(fits));
  CHECK(fits.answer == std::to_string(4 << 20));
  for (bool declared : {true, false}) {
    auto& large = request((4 << 20) + 1, declared);
    plugin.host().send(large);
    REQUIRE(plugin.host().wait_for(large));
    CHECK(large.status() == 413);
    CHECK(large.problem.limit == "memory_mb");
  }
  // Three bodies that never end hold more than half of the memory together.
  std::vector<FakeCall*> open;
  for (int at = 0; at < 3; at++) {
    auto& slow = request(3 << 20, false);
    slow.body_ended = false;
    plugin.host().send(slow);
    open.push_back(&slow);
  }
  CHECK(open[0]->status() == 0);
  CHECK(open[1]->status() == 0);
  REQUIRE(plugin.host().wait_for(*open[2]));
  CHECK(open[2]->status() == 503);
  CHECK(open[2]->problem.retry_after_s == 1);
  // The others go on when their clients do.
  plugin.host().drop(*open[0]);
  plugin.host().body(*open[1], "x", true);
  REQUIRE(plugin.host().wait_for(*open[1]));
  CHECK(open[1]->answer == std::to_string((3 << 20) + 1));
}

}  // namespace
}  // namespace valor::plugins::js
