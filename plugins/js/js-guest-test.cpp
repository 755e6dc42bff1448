#include <thread>

#include "plugins/js/js-test.h"

namespace valor::plugins::js {
namespace {

/// Why a script does not start.
std::string failure(const std::string& script, const std::string& file = "plugin.js") {
  Plugin plugin(script, file);
  return plugin.start();
}

constexpr const char* kAnswerGlobal = "onmessage = () => postMessage({ body: JSON.stringify(globalThis.answer) });";

TEST_CASE("a script that answers in no way fails to start with the three ways") {
  std::string error = failure("let x = 1;");
  for (const char* way : {"onmessage", "\"fetch\"", "default export"}) CHECK(error.find(way) != std::string::npos);
}

TEST_CASE("errors at load say what, where and why") {
  CHECK(failure("\n\nthrow new TypeError('at load');").find("TypeError: at load\n    at ") != std::string::npos);
  CHECK(failure("\n\nthrow new TypeError('at load');").find("plugin.js:3:7") != std::string::npos);
  std::string syntax = failure("onmessage = 1;\nlet x = ;");
  CHECK(syntax.find("plugin.js:2:9\nlet x = ;\n        ^\nSyntaxError: ") != std::string::npos);
  CHECK(failure("await Promise.reject(new Error('late')); export {};", "plugin.mjs").find("Error: late") !=
        std::string::npos);
  CHECK(failure("throw 'words';").find("words") == 0);
  CHECK(failure("import './missing.js';", "plugin.mjs").find("there is no such file in the plug-in's folder") !=
        std::string::npos);
}

TEST_CASE("a missing entry script is named") {
  Plugin plugin("");
  std::filesystem::remove(plugin.folder().path() + "/plugin.js");
  CHECK(plugin.start().find("cannot read " + plugin.folder().path() + "/plugin.js: No such file") != std::string::npos);
}

TEST_CASE("a module imports files below its folder, statically and dynamically, and JSON") {
  Plugin plugin(R"(
    import { name } from './lib/a.js';
    import data from './lib/data.json' with { type: 'json' };
    const late = await import('./lib/b.mjs?again#x');
    await new Promise((resolve) => setTimeout(resolve, 2));
    globalThis.answer = [name, data.value, late.default, import.meta.url.startsWith('file:///'), import.meta.url.endsWith('/plugin.js'), late.url.endsWith('/lib/b.mjs?again#x')];
  )" + std::string(kAnswerGlobal));
  plugin.folder().write("lib/a.js", "import './b.mjs'; export const name = 'a';");
  plugin.folder().write("lib/b.mjs", "export default 'b'; export const url = import.meta.url;");
  plugin.folder().write("lib/data.json", R"({"value":7})");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == R"(["a",7,"b",true,true,true])");
}

TEST_CASE("no import leaves the plug-in's folder") {
  ScriptFolder outside;
  std::string secret = outside.write("secret.js", "export default 'secret';");
  Plugin plugin(R"(
    globalThis.answer = [];
    for (const name of ['../)" +
                    std::filesystem::path(outside.path()).filename().string() + R"(/secret.js', ')" + secret +
                    R"(', 'file://)" + secret + R"(', './link.js', './folder/secret.js', './%2e%2e%2fsecret.js',
        'lodash', 'http://example.com/x.js', 'node:fs', 'data:text/javascript,0']) {
      try { await import(name); answer.push('imported ' + name); }
      catch (error) { answer.push(/no such file|packages|URLs|encoded slash/.test(error.message)); }
    }
  )" + std::string(kAnswerGlobal),
                "plugin.mjs");
  std::filesystem::create_symlink(secret, plugin.folder().path() + "/link.js");
  std::filesystem::create_directory_symlink(outside.path(), plugin.folder().path() + "/folder");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == "[true,true,true,true,true,true,true,true,true,true]");
}

TEST_CASE("import types must fit") {
  Plugin plugin(R"(
    globalThis.answer = [];
    const tries = [() => import('./data.json'), () => import('./a.js', { with: { type: 'json' } }), () => import('./bad.json', { with: { type: 'json' } }),
      () => import('./data.json', { with: { type: 'css' } })];
    for (const load of tries) await load().then(() => answer.push('loaded'), (error) => answer.push(error.constructor.name));
  )" + std::string(kAnswerGlobal),
                "plugin.mjs");
  plugin.folder().write("data.json", "1");
  plugin.folder().write("bad.json", "{");
  plugin.folder().write("a.js", "export {};");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == R"(["Error","Error","SyntaxError","Error"])");
}

TEST_CASE("TypeScript is stripped, and errors point into the source") {
  Plugin plugin("const who: string = 'ts';\nonmessage = () => { throw new Error(who); };", "plugin.ts");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").status() == 500);
  CHECK(plugin.host().log_text.find("plugin.ts:2:27") != std::string::npos);
  CHECK(failure("enum A { B }", "plugin.ts").find("enum is not supported") != std::string::npos);
}

TEST_CASE("scripts are classic unless they only parse as a module") {
  CHECK(Plugin("var answer = this === globalThis;" + std::string(kAnswerGlobal)).start() == "");
  Plugin classic("var answer = [this === globalThis, (() => { with ({ a: 1 }) return a; })()];" +
                 std::string(kAnswerGlobal));
  REQUIRE(classic.start() == "");
  CHECK(classic.host().get("").answer == "[true,1]");
  Plugin module("globalThis.answer = [typeof this, await 5];" + std::string(kAnswerGlobal));
  REQUIRE(module.start() == "");
  CHECK(module.host().get("").answer == R"(["undefined",5])");
}

TEST_CASE("the config and the place are there for the script") {
  Plugin plugin("globalThis.answer = [valor.config, self.valor === valor, location.href, name];" +
                std::string(kAnswerGlobal));
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == R"([{"who":"Alice"},true,"http://127.0.0.1:8080/test/","test"])");
}

TEST_CASE("an isolate from the stock is that of whoever moves in") {
  ScriptFolder folder;
  JsKind kind(kind_options());
  auto plugin = [&](const std::string& name, const std::string& config, const std::string& script) {
    core::Definition definition;
    definition.name = definition.prefix = name;
    definition.url = folder.write(name + ".js", script);
    definition.config = config;
    return definition;
  };
  host::testing::FakeHost first(plugin("first", "1", "globalThis.leftBehind = 1; onmessage = () => postMessage('');"));
  REQUIRE(first.start(kind) == "");
  for (int i = 0; i < 1000 && !kind.stock().filled(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(kind.stock().filled());

  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // in stock; the time of no plug-in
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  host::testing::FakeHost second(plugin("second", std::to_string(now_ms), R"(
    let depth = 0;
    const fall = () => { depth++; fall(); };
    let caught;
    try { fall(); } catch (error) { caught = error.name; }
    await new Promise((done) => setTimeout(done, 1));
    globalThis.answer =
      [typeof leftBehind, name, caught, depth > 1000, performance.timeOrigin >= valor.config, performance.now() < 10_000];
    export {};
  )" + std::string(kAnswerGlobal)));
  REQUIRE(second.start(kind) == "");
  CHECK(second.get("").answer == R"(["undefined","second","RangeError",true,true,true])");
}

TEST_CASE("a script that loops is stopped when it is interrupted") {
  Plugin loading("for (;;) {}");
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    auto turn = loading.host().loop().take_turn();
    CHECK(loading.host().guest().interrupt());
  });
  CHECK(loading.start().find("loading took too long") != std::string::npos);
  other.join();

  Plugin handling("onmessage = () => { for (;;) { try { for (;;) {} } catch {} finally { for (;;) {} } } };");
  REQUIRE(handling.start() == "");
  auto& call = handling.host().prepare("GET", "");
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    auto turn = handling.host().loop().take_turn();
    handling.host().guest().interrupt();
  });
  handling.host().send(call);
  stopper.join();
  REQUIRE(handling.host().until([&] { return handling.host().breakdown.has_value(); }));
  CHECK(handling.host().breakdown->limit == "");
}

TEST_CASE("memory without end breaks the instance and nothing else") {
  core::Limits limits;
  limits.memory_mb = 32;
  Plugin sibling("onmessage = () => postMessage({ body: 'here' });");
  REQUIRE(sibling.start() == "");
  for (const char* body : {
           "const a = []; for (;;) a.push(new Array(100).fill(1.5));",
           "const a = []; for (;;) a.push(a.length + 0.5);",
           "const a = []; let s = 'x'; for (;;) a.push((s + a.length).repeat(1000).split('').join('y'));",
           "const a = []; for (;;) a.push(new Array(3e6).fill({}));",
           "const a = []; for (;;) a.push(new ArrayBuffer(1 << 20));",
           "const a = []; for (;;) try { a.push(new ArrayBuffer(1 << 20)); } catch {}",
           "const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1), new Array(1e5).fill(a.length));",
       }) {
    CAPTURE(body);
    Plugin plugin("onmessage = () => { " + std::string(body) + " };", "plugin.js", limits);
    REQUIRE(plugin.start() == "");
    auto& call = plugin.host().prepare("GET", "");
    plugin.host().send(call);
    REQUIRE(plugin.host().until([&] { return plugin.host().breakdown.has_value(); }));
    CHECK(plugin.host().breakdown->limit == "memory_mb");
    CHECK(plugin.host().breakdown->limit_value == 32);
    CHECK(sibling.host().get("").answer == "here");
  }
}

TEST_CASE("garbage is collected before memory counts as used up") {
  core::Limits limits;
  limits.memory_mb = 32;
  Plugin plugin(R"(onmessage = () => {
    let sum = 0;
    for (let at = 0; at < 200; at++) sum += new Uint8Array(4 << 20).length + new Array(1e5).fill(at).length;
    postMessage({ body: String(sum) });
  };)",
                "plugin.js", limits);
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().prepare("GET", "");
  plugin.host().send(call);
  CHECK(call.answer == "858860800");
}

TEST_CASE("a plug-in that loads without end of memory fails to start") {
  core::Limits limits;
  limits.memory_mb = 32;
  Plugin plugin("const a = []; for (;;) a.push(new Array(100).fill(1.5));", "plugin.js", limits);
  CHECK(plugin.start().find("memory_mb 32") != std::string::npos);
}

TEST_CASE("what V8 does in the background comes back to the instance") {
  Plugin plugin(R"(
    const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11]);
    const instance = await WebAssembly.instantiate(await WebAssembly.compile(bytes));
    const cell = new Int32Array(new SharedArrayBuffer(8));
    const { value } = Atomics.waitAsync(cell, 0, 0, 5);
    globalThis.answer = [instance.exports.f(), await value];
  )" + std::string(kAnswerGlobal));
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == R"([42,"timed-out"])");
}

TEST_CASE("a damaged snapshot is refused in words") {
  std::string path = test_setting().build_folder + "/valor.snapshot";
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  ScriptFolder folder;
  auto refusal = [&](std::string content) {
    auto loaded = engine::Snapshot::load(folder.write("s", content), all_natives());
    return loaded ? "" : loaded.error().message;
  };
  CHECK(refusal(bytes) == "");
  std::string damaged = bytes;
  damaged[damaged.size() / 2] ^= 1;
  CHECK(refusal(damaged).find("is damaged; build it again") != std::string::npos);
  CHECK(refusal(bytes.substr(0, bytes.size() - 1)).find("is damaged") != std::string::npos);
  CHECK(refusal("short").find("is cut short") != std::string::npos);
  CHECK(refusal(std::string(1000, 'x')).find("is not a snapshot") != std::string::npos);
  auto other = engine::Snapshot::load(path, engine::NativeRegistry());
  CHECK(!other.ok());
}

}  // namespace
}  // namespace valor::plugins::js
