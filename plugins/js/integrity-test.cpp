// Files that are run only when they are those that the definition means.
#include "engine/integrity.h"

#include "plugins/js/js-test.h"

namespace valor::plugins::js {
namespace {

constexpr auto kSha384 = core::HashAlgorithm::kSha384;
constexpr const char* kAnswer = "onmessage = () => postMessage({ body: 'fine' });";

core::Integrity integrity_of(std::string_view bytes, core::HashAlgorithm algorithm = kSha384) {
  return core::Integrity::parse(core::integrity_text(algorithm, engine::digest(algorithm, bytes))).value();
}

// Why the plug-in at `entry` cannot be created; "" when it can.
std::string failure(const ScriptFolder& folder, const std::string& entry, std::vector<core::FileIntegrity> integrity,
                    const std::string& root = "") {
  JsKind kind(kind_options());
  core::Definition definition;
  definition.name = definition.prefix = "test";
  definition.url = folder.path() + "/" + entry;
  definition.root = root;
  definition.integrity = std::move(integrity);
  host::testing::FakeHost host(definition);
  return host.start(kind);
}

bool has(const std::string& text, const std::string& part) {
  CAPTURE(text);
  const bool found = text.find(part) != std::string::npos;
  CHECK_MESSAGE(found, part);
  return found;
}

TEST_CASE("digests are those that other programs compute") {
  using core::HashAlgorithm;
  auto text = [](HashAlgorithm algorithm) { return core::integrity_text(algorithm, engine::digest(algorithm, "abc")); };
  CHECK(text(HashAlgorithm::kSha256) == "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  CHECK(text(HashAlgorithm::kSha384) == "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn");
  CHECK(text(HashAlgorithm::kSha512) ==
        "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==");
}

TEST_CASE("a script runs when it has its hash, as it is on the disk") {
  ScriptFolder folder;
  for (const char* name : {"plugin.js", "plugin.mjs", "plugin.ts", "with-bom.js"}) {
    const bool typed = name == std::string("plugin.ts");
    const std::string bom = name == std::string("with-bom.js") ? "\xEF\xBB\xBF" : "";
    const std::string text = bom + "const a" + (typed ? ": string" : "") + " = 1;" + kAnswer;
    folder.write(name, text);
    CHECK(failure(folder, name, {{"", integrity_of(text)}}) == "");
    const std::string why = failure(folder, name, {{"", integrity_of(text + " ")}});
    has(why, folder.path() + "/" + name + ": is not the file that \"integrity\" means");
    has(why, "expected " + integrity_of(text + " ").text + ", found " + integrity_of(text).text);
  }
}

TEST_CASE("of several hashes one must be the file's, and the found one is of their kind") {
  ScriptFolder folder;
  folder.write("plugin.js", kAnswer);
  const auto sha512 = core::HashAlgorithm::kSha512;
  auto parsed = [](const std::string& text) { return core::Integrity::parse(text).value(); };
  const std::string right = integrity_of(kAnswer, sha512).text;
  const std::string wrong = integrity_of("else", sha512).text;
  CHECK(failure(folder, "plugin.js", {{"", parsed(wrong + " " + right)}}) == "");
  has(failure(folder, "plugin.js", {{"", parsed(wrong + " " + integrity_of(kAnswer).text)}}), "found " + right);
}

TEST_CASE("with a hash for the script alone, its imports are not looked at") {
  ScriptFolder folder;
  const std::string text = std::string("import './lib.js';") + kAnswer;
  folder.write("plugin.mjs", text);
  folder.write("lib.js", "export {};");
  CHECK(failure(folder, "plugin.mjs", {{"", integrity_of(text)}}) == "");
}

TEST_CASE("a list of hashes holds for all that is imported") {
  ScriptFolder folder;
  const std::string text =
      std::string("import '../lib/a.js'; import d from './d.json' with { type: 'json' }; await import('./b.js');") +
      kAnswer;
  folder.write("app/plugin.mjs", text);
  folder.write("lib/a.js", "export {};");
  folder.write("app/b.js", "export default 1;");
  folder.write("app/d.json", "{}");
  const std::vector<core::FileIntegrity> all = {{"plugin.mjs", integrity_of(text)},
                                                {"../lib/a.js", integrity_of("export {};")},
                                                {"b.js", integrity_of("export default 1;")},
                                                {"d.json", integrity_of("{}")}};
  auto why = [&](const std::vector<core::FileIntegrity>& list) {
    return failure(folder, "app/plugin.mjs", list, folder.path());
  };
  CHECK(why(all) == "");
  for (size_t left_out = 0; left_out < all.size(); ++left_out) {
    std::vector<core::FileIntegrity> list = all;
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(left_out));
    CAPTURE(all[left_out].path);
    has(why(list), "this one is not among them; it has " + all[left_out].integrity.text);
    list.push_back({all[left_out].path, integrity_of("other")});
    has(why(list), "expected " + integrity_of("other").text + ", found " + all[left_out].integrity.text);
  }
}

TEST_CASE("a list of hashes holds for importScripts, which says what is wrong") {
  ScriptFolder folder;
  const std::string text = std::string("importScripts('more.js');") + kAnswer;
  folder.write("plugin.js", text);
  folder.write("more.js", "var more;");
  const core::FileIntegrity entry{"plugin.js", integrity_of(text)};
  CHECK(failure(folder, "plugin.js", {entry, {"more.js", integrity_of("var more;")}}) == "");
  has(failure(folder, "plugin.js", {entry, {"more.js", integrity_of("var less;")}}),
      "NetworkError: " + folder.path() + "/more.js: is not the file that \"integrity\" means");
}

TEST_CASE("a file that is fetched has its hash, where one is listed") {
  ScriptFolder folder;
  const std::string text = std::string("await (await fetch(new URL('data.txt', import.meta.url))).text();") + kAnswer;
  folder.write("plugin.mjs", text);
  folder.write("data.txt", "data");
  const core::FileIntegrity entry{"plugin.mjs", integrity_of(text)};
  CHECK(failure(folder, "plugin.mjs", {entry}) == "");
  CHECK(failure(folder, "plugin.mjs", {entry, {"data.txt", integrity_of("data")}}) == "");
  has(failure(folder, "plugin.mjs", {entry, {"data.txt", integrity_of("date")}}), "found " + integrity_of("data").text);
}

TEST_CASE("what browsers run must be there, and be what its hash says") {
  ScriptFolder folder;
  core::Definition definition;
  definition.url = folder.path() + "/plugin.js";
  has(engine::check_browser_file(definition).error().message, "plugin.js: is what browsers would run, and there is no");
  folder.write("plugin.js", "1");
  CHECK(engine::check_browser_file(definition));
  definition.integrity = {{"", integrity_of("1")}};
  CHECK(engine::check_browser_file(definition));
  definition.integrity = {{"", integrity_of("2")}};
  has(engine::check_browser_file(definition).error().message, "found " + integrity_of("1").text);
  definition.integrity = {{"other.js", integrity_of("1")}};
  has(engine::check_browser_file(definition).error().message, "not among them");
  definition.type = core::PluginType::kNative;
  definition.web = folder.path() + "/plugin.wasm";
  has(engine::check_browser_file(definition).error().message, "plugin.wasm: is what browsers would run");
}

}  // namespace
}  // namespace valor::plugins::js
