// fetch() of files that lie beside the script.
#include "plugins/js/js-test.h"

namespace valor::plugins::js {
namespace {

TEST_CASE("fetch reads files of the plug-in's folder under the URLs that import.meta.url has") {
  const std::string wasm("\0asm\1\0\0\0\1\5\1\x60\0\1\x7f\3\2\1\0\7\5\1\1f\0\0\n\6\1\4\0\x41\x2a\v", 34);
  Plugin plugin(R"(
    const of = (name) => fetch(new URL(name, import.meta.url));
    const { instance } = await WebAssembly.instantiateStreaming(of('lib/answer.wasm'));
    const large = await (await of('large.bin?x#y')).bytes();
    const empty = await of('a b.txt');
    globalThis.answer = [instance.exports.f(), large.length, large[700_000], empty.headers.get('content-type'),
      await empty.text(), empty.url.endsWith('/a%20b.txt'), (await (await of('./data.json')).json()).value];
    onmessage = () => postMessage({ body: JSON.stringify(answer) });
  )",
                "plugin.mjs");
  plugin.folder().write("lib/answer.wasm", wasm);
  std::string large(1'000'000, 'x');
  large[700'000] = 'y';
  plugin.folder().write("large.bin", large);
  plugin.folder().write("a b.txt", "");
  plugin.folder().write("data.json", R"({"value":7})");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == R"([42,1000000,121,"text/plain;charset=utf-8","",true,7])");
}

TEST_CASE("fetch reads nothing outside of the folder") {
  ScriptFolder outside;
  const std::string secret = outside.write("secret.txt", "secret");
  Plugin plugin(R"(
    globalThis.answer = [];
    for (const url of ['file://)" +
                    secret + R"(', '../x', './link.txt', './folder/secret.txt', './%2e%2e%2fsecret.txt', '.', 'missing',
        'file:///etc/passwd', 'file://localhost/etc/passwd', 'file:///proc/self/environ', './%00']) {
      const { cause } = await fetch(new URL(url, import.meta.url)).catch((error) => error);
      answer.push(cause.code);
    }
    answer.push((await fetch(import.meta.url, { method: 'POST' }).catch((error) => error)).cause.code);
    onmessage = () => postMessage({ body: JSON.stringify([...new Set(answer.slice(0, -1)), answer.at(-1)]) });
  )",
                "plugin.mjs");
  std::filesystem::create_symlink(secret, plugin.folder().path() + "/link.txt");
  std::filesystem::create_directory_symlink(outside.path(), plugin.folder().path() + "/folder");
  REQUIRE(plugin.start() == "");
  CHECK(plugin.host().get("").answer == R"(["ERR_NOT_FOUND","ERR_METHOD"])");
}

}  // namespace
}  // namespace valor::plugins::js
