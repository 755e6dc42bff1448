#include "plugins/js/fetch-style.h"

#include "plugins/js/js-test.h"

namespace valor::plugins::js {
namespace {

using host::testing::Ending;

TEST_CASE("a fetch listener answers with respondWith") {
  Plugin plugin(R"(
    addEventListener('fetch', (event) => {
      event.respondWith(new Response('hello ' + event.request.url, { status: 201, headers: { 'X-A': '1' } }));
    });
  )");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().get("world?x=1");
  CHECK(call.ending == Ending::kResponded);
  CHECK(call.status() == 201);
  CHECK(call.answer == "hello http://127.0.0.1:8080/world?x=1");
  CHECK(call.header("x-a") == "1");
  CHECK(call.header("content-type") == "text/plain;charset=UTF-8");
}

TEST_CASE("a module's fetch function gets request, env and context") {
  Plugin plugin(R"(
    export default {
      async fetch(request, env, ctx) {
        ctx.waitUntil(Promise.resolve());
        const { headers, method } = request;
        return Response.json([method, headers.get('x-twice'), [...headers], env.who, await request.text(), this === (await import('./plugin.js')).default]);
      },
    };
  )");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().prepare("POST", "");
  call.sent.headers.append("x-twice", "1");
  call.sent.headers.append("x-twice", "2");
  call.with_body = true;
  call.pieces = {"ab", "cd"};
  plugin.host().send(call);
  REQUIRE(plugin.host().wait_for(call));
  CHECK(call.answer == R"(["POST","1, 2",[["x-twice","1, 2"]],"Alice","abcd",true])");
}

TEST_CASE("a body arrives while the client sends it, and is answered while it arrives") {
  Plugin plugin("export default { fetch: (request) => new Response(request.body) };", "plugin.mjs");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().prepare("POST", "");
  call.with_body = true;
  call.body_ended = false;
  plugin.host().send(call);
  for (const char* piece : {"one ", "two ", "three"}) {
    plugin.host().body(call, piece, false);
    REQUIRE(plugin.host().until([&] { return call.answer.ends_with(piece); }));
  }
  plugin.host().body(call, "", true);
  REQUIRE(plugin.host().wait_for(call));
  CHECK(call.ending == Ending::kFinished);
  CHECK(call.answer == "one two three");
}

TEST_CASE("a body that is only passed on as a stream keeps its length") {
  Plugin plugin("export default { fetch: () => new Response(new Response('known').body, { status: 201 }) };",
                "plugin.mjs");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().get("");
  CHECK(call.ending == Ending::kResponded);
  CHECK(call.answer == "known");
}

TEST_CASE("a stream is read no faster than the client takes it") {
  Plugin plugin(R"(
    let pulled = 0;
    let cancelled = false;
    export default {
      fetch(request) {
        if (new URL(request.url).pathname === '/state') return Response.json([pulled, cancelled]);
        return new Response(new ReadableStream({
          pull(controller) { pulled++; controller.enqueue(new Uint8Array(1000)); },
          cancel() { cancelled = true; },
        }, { highWaterMark: 0 }));
      },
    };
  )");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().prepare("GET", "");
  call.window = 3000;
  plugin.host().send(call);
  REQUIRE(plugin.host().until([&] { return call.written >= 3000; }));
  CHECK(plugin.host().get("state").answer == "[3,false]");
  plugin.host().allow(call, 2000);
  REQUIRE(plugin.host().until([&] { return call.written >= 5000; }));
  CHECK(plugin.host().get("state").answer == "[5,false]");
  plugin.host().drop(call);
  CHECK(plugin.host().get("state").answer == "[5,true]");
}

TEST_CASE("a stream is cancelled also when a write found out first that the client left") {
  Plugin plugin(R"(
    const said = [];
    export default {
      fetch(request) {
        if (new URL(request.url).pathname === '/said') return Response.json(said);
        request.signal.addEventListener('abort', () => said.push('aborted'));
        return new Response(new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 1));
            controller.enqueue(new Uint8Array(10));
          },
          cancel(reason) { said.push(reason.name); },
        }, { highWaterMark: 0 }));
      },
    };
  )");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().prepare("GET", "");
  plugin.host().send(call);
  REQUIRE(plugin.host().until([&] { return call.written > 0; }));
  plugin.host().run([&] { call.left = true; });
  REQUIRE(plugin.host().until([&] { return call.writes_in_vain > 0; }));
  plugin.host().drop(call);
  CHECK(plugin.host().get("said").answer == R"(["aborted","AbortError"])");
}

TEST_CASE("the request's signal fires when the client leaves") {
  Plugin plugin(R"(
    let reason = 'none';
    addEventListener('fetch', (event) => {
      if (event.request.url.endsWith('reason')) return event.respondWith(new Response(reason));
      event.request.signal.addEventListener('abort', () => { reason = event.request.signal.reason.name; });
      event.respondWith(new Promise(() => {}));
    });
  )");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().prepare("GET", "");
  plugin.host().send(call);
  CHECK(plugin.host().get("reason").answer == "none");
  plugin.host().drop(call);
  CHECK(plugin.host().get("reason").answer == "AbortError");
}

TEST_CASE("a body that breaks off is an error for who reads it") {
  Plugin plugin(
      "export default { fetch: (request) => request.text().then(() => new Response('whole'), (e) => new "
      "Response(e.name)) };",
      "plugin.mjs");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().prepare("POST", "");
  call.with_body = true;
  call.body_ended = false;
  plugin.host().send(call);
  plugin.host().break_body(call);
  REQUIRE(plugin.host().wait_for(call));
  CHECK(call.answer == "TypeError");
}

TEST_CASE("what is no Response gives 500 and is logged with its stack") {
  struct Case {
    const char* body;
    const char* why;
  };
  for (const Case& bad :
       {Case{"throw new Error('sync')", "Error: sync"},
        Case{"return Promise.reject(new Error('async'))", "Error: async"}, Case{"return 'text'", "is not a Response"},
        Case{"", "is not a Response"}, Case{"return Response.error()", "is an error response"},
        Case{"const r = new Response('x'); r.text(); return r", "already been used"}}) {
    CAPTURE(bad.body);
    Plugin plugin("export default { fetch() { " + std::string(bad.body) + " } };", "plugin.mjs");
    REQUIRE(plugin.start() == "");
    CHECK(plugin.host().get("").status() == 500);
    CHECK(logged(plugin, bad.why));
  }
  Plugin silent("addEventListener('fetch', () => {});");
  REQUIRE(silent.start() == "");
  CHECK(silent.host().get("").status() == 500);
  CHECK(logged(silent, "respondWith"));
}

TEST_CASE("a stream that fails breaks the response off") {
  Plugin plugin(R"(
    export default {
      fetch: () => new Response(new ReadableStream({
        start(controller) { controller.enqueue(new TextEncoder().encode('begun')); },
        pull() { throw new Error('halfway'); },
      })),
    };
  )");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().get("");
  CHECK(call.ending == Ending::kAborted);
  CHECK(logged(plugin, "Error: halfway"));
}

TEST_CASE("an endless stream does not keep a HEAD request") {
  Plugin plugin(R"(
    export default { fetch: () => new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(10)); } })) };
  )");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().get("", "HEAD");
  CHECK(call.ending == Ending::kFinished);
}

TEST_CASE("an address that the URL parser would change is parsed") {
  Plugin plugin("export default { fetch: (request) => new Response(request.url) };", "plugin.mjs");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("a/../b c?d\"").answer == "http://127.0.0.1:8080/b%20c?d%22");
  CHECK(is_serialized_url("http", "example.com", "a/b?c=%20"));
  CHECK(is_serialized_url("http", "127.0.0.1:8080", ""));
  for (const char* host : {"Example.com", "example.com:80", "1.2.3", "[::1]", "a:b", "", "xn--a"}) {
    CAPTURE(host);
    CHECK_FALSE(is_serialized_url("http", host, ""));
  }
  for (const char* path : {"./a", "a/..", "%2E/a", "a b", "a\\b", "a\"b"}) {
    CAPTURE(path);
    CHECK_FALSE(is_serialized_url("http", "example.com", path));
  }
}

}  // namespace
}  // namespace valor::plugins::js
