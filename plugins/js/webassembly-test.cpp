// WebAssembly that is compiled while it arrives.
#include "plugins/js/js-test.h"

namespace valor::plugins::js {
namespace {

// A module whose f() gives 42, in a plug-in that answers with the JSON of `answer`.
std::string script(const std::string& body) {
  return R"(
    const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11]);
    const headers = { 'content-type': 'application/wasm' };
    const failure = (promise) => promise.then(() => 'none', (error) => error.name + ': ' + error.message);
    )" + body +
         R"(
    onmessage = () => postMessage({ body: JSON.stringify(answer) });
    export {};)";
}

TEST_CASE("a module is compiled out of a response, whatever its body is made of") {
  Plugin plugin(script(R"(
    const stream = () => new ReadableStream({
      async start(controller) {
        for (const byte of bytes) {
          controller.enqueue(new Uint8Array([byte]));
          if (byte === 1) await new Promise((done) => setTimeout(done, 1));
        }
        controller.close();
      },
    });
    const answer = [];
    for (const body of [bytes, bytes.buffer, new Blob([bytes]), stream()]) {
      const response = new Response(body, { headers });
      const { instance, module } = await WebAssembly.instantiateStreaming(response);
      answer.push(instance.exports.f(), module instanceof WebAssembly.Module, response.bodyUsed);
    }
    const module = await WebAssembly.compileStreaming(Promise.resolve(new Response(bytes, { headers })));
    answer.push(WebAssembly.Module.exports(module)[0].name);
  )"));
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == R"([42,true,true,42,true,true,42,true,true,42,true,true,"f"])");
}

TEST_CASE("what is no WebAssembly response is refused in words") {
  Plugin plugin(script(R"(
    const used = new Response(bytes, { headers });
    await used.text();
    const broken = new ReadableStream({ start(c) { c.enqueue(bytes.subarray(0, 12)); c.error(new RangeError('broken off')); } });
    const answer = [];
    for (const source of [
      bytes, undefined, new Response(bytes), new Response(bytes, { headers: { 'content-type': 'application/wasm; x' } }),
      new Response(bytes, { headers, status: 404 }), used, new Response(broken, { headers }),
      new Response('no module', { headers }), new Response(null, { headers }), Promise.reject(new EvalError('rejected')),
    ]) answer.push(await failure(WebAssembly.compileStreaming(source)));
  )"));
  REQUIRE(plugin.start() == "");
  const std::string answer = plugin.host().get("").answer;
  for (const char* part : {
           R"("TypeError: What is to be compiled is not a Response","TypeError: What is to be compiled)",
           "TypeError: The response's content type is missing, not application/wasm",
           "TypeError: The response's status is 404, which is not ok",
           "TypeError: The body has already been used",
           "RangeError: broken off",
           "CompileError: WebAssembly.compileStreaming()",
           "EvalError: rejected",
       }) {
    CAPTURE(part);
    CHECK_MESSAGE(answer.find(part) != std::string::npos, answer);
  }
}

TEST_CASE("a module larger than the memory limit is refused while it arrives, and its stream is told") {
  core::Limits limits;
  limits.memory_mb = 16;
  Plugin plugin(script(R"(
    let cancelled = '';
    let pieces = 0;
    const endless = new ReadableStream({
      pull(controller) {
        if (pieces++ > 0) controller.enqueue(new Uint8Array(1 << 20));
        // One section without end, of a kind that is not looked into.
        else controller.enqueue(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f, 1, 97]));
      },
      cancel(reason) { cancelled = reason.name; },
    });
    const answer = [await failure(WebAssembly.compileStreaming(new Response(endless, { headers }))), cancelled, pieces < 30];
  )"),
                "plugin.js", limits);
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == R"(["RangeError: The module is larger than memory_mb","RangeError",true])");
}

TEST_CASE("compileStreaming and instantiateStreaming look like V8's own functions") {
  Plugin plugin(script(R"(
    const answer = ['compileStreaming', 'instantiateStreaming'].flatMap((name) => {
      const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(WebAssembly, name);
      return [value.name, value.length, writable, enumerable, configurable, 'prototype' in value];
    });
  )"));
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer ==
        R"(["compileStreaming",1,true,true,true,false,"instantiateStreaming",1,true,true,true,false])");
}

TEST_CASE("memory of WebAssembly counts towards the limit, whoever made it and however it grew") {
  core::Limits limits;
  limits.memory_mb = 16;
  for (const char* hoard : {
           "const memory = new WebAssembly.Memory({ initial: 1 }); keep.push(memory); memory.grow(16 * 20);",
           "for (let i = 0; i < 20; i++) keep.push(new WebAssembly.Memory({ initial: 16 }));",
           "keep.push(new WebAssembly.Memory({ initial: 16 * 20, maximum: 1000, shared: true }));",
           // A module that keeps its memory of 1 MiB to itself.
           "const module = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 16]));"
           "for (let i = 0; i < 20; i++) keep.push(new WebAssembly.Instance(module));",
       }) {
    CAPTURE(hoard);
    Plugin plugin(std::string("const keep = []; onmessage = ({ data: { url } }) => { if (url) {") + hoard +
                      "} postMessage({ body: 'fine' }); };",
                  "plugin.js", limits);
    REQUIRE(plugin.start() == "");
    CHECK(plugin.host().get("").answer == "fine");
    CHECK(!plugin.host().breakdown);
    plugin.host().get("hoard");
    REQUIRE(plugin.host().until([&] { return plugin.host().breakdown.has_value(); }));
    CHECK(plugin.host().breakdown->limit == "memory_mb");
  }
}

TEST_CASE("memory of WebAssembly that nobody holds any more does not count") {
  core::Limits limits;
  limits.memory_mb = 16;
  Plugin plugin(
      "onmessage = () => { const memory = new WebAssembly.Memory({ initial: 16 * 10 });"
      "postMessage({ body: String(memory.buffer.byteLength) }); };",
      "plugin.js", limits);
  REQUIRE(plugin.start() == "");
  for (int i = 0; i < 10; ++i) CHECK(plugin.host().get("").answer == "10485760");
  CHECK(!plugin.host().breakdown);
}

TEST_CASE("the global WebAssembly is an ordinary property") {
  Plugin plugin(script(R"(
    const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(globalThis, 'WebAssembly');
    const answer = [value === WebAssembly, writable, enumerable, configurable, String(WebAssembly)];
  )"));
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == R"([true,true,false,true,"[object WebAssembly]"])");
}

}  // namespace
}  // namespace valor::plugins::js
