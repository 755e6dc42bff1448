#include "plugins/builtin/browser.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "host/testing/fake-host.h"
#include "plugins/builtin/builtin-kind.h"

using namespace valor;                    // NOLINT(google-build-using-namespace)
using namespace valor::plugins::builtin;  // NOLINT(google-build-using-namespace)
using host::testing::FakeCall;
using host::testing::FakeHost;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

// Stands in for SHA-384: no file of these tests is longer.
std::string fake_digest(core::HashAlgorithm, std::string_view bytes) {
  std::string digest(48, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) digest[i % 48] = static_cast<char>(digest[i % 48] * 31 + bytes[i]);
  return digest;
}

std::string hash(std::string_view bytes) {
  return core::integrity_text(core::HashAlgorithm::kSha384, fake_digest(core::HashAlgorithm::kSha384, bytes));
}

// What is there to be listed, and nothing more.
class List final : public host::PluginControl {
 public:
  std::deque<host::PluginStatus> plugins;
  void add(core::Definition, host::ControlCallback) override {}
  void replace(core::Definition, host::ControlCallback) override {}
  void remove(std::string, host::ControlCallback) override {}
  std::vector<host::PluginStatus> list() override { return {plugins.begin(), plugins.end()}; }
};

using Headers = std::initializer_list<std::pair<std::string_view, std::string_view>>;

struct Delivered {
  fs::path base;
  List list;
  int stripped = 0;
  std::unique_ptr<BuiltinKind> kind;
  std::unique_ptr<FakeHost> host;

  explicit Delivered(BrowserDelivery delivery = BrowserDelivery::kLocal) {
    std::string name = (fs::temp_directory_path() / "valor-browser-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    base = name;
    BuiltinOptions options{.control = &list};
    options.browser = {
        .delivery = delivery,
        .web_folder = (base / "web").string(),
        .tools = {.strip = [this](const std::string& path, const std::string& source) { return strip(path, source); },
                  .digest = fake_digest,
                  .is_module = [](const core::Definition& definition) { return definition.url.ends_with(".wasm"); },
                  .kept_back = {(base / "app/plugins.json").string()}}};
    kind = std::make_unique<BuiltinKind>(options);
    core::Definition definition;
    definition.type = core::PluginType::kStatic;
    definition.name = "_valor";
    definition.builtin = "browser";
    host = std::make_unique<FakeHost>(definition);
    REQUIRE(host->start(*kind) == "");
  }
  ~Delivered() {
    host.reset();
    fs::remove_all(base);
  }

  core::Result<std::string> strip(const std::string& path, const std::string& source) {
    ++stripped;
    if (source.find("enum") != std::string::npos) return core::Error{path + ":1: enum is not supported"};
    std::string text = source;
    const size_t at = text.find(": string");
    if (at != std::string::npos) text.replace(at, 8, "        ");
    return text;
  }
  void write(const std::string& path, std::string_view text, bool settled = true) const {
    fs::create_directories((base / path).parent_path());
    std::ofstream(base / path, std::ios::binary) << text;
    const timespec times[2] = {{784111777, 0}, {784111777, 0}};
    if (settled) utimensat(AT_FDCWD, (base / path).c_str(), times, 0);
  }
  core::Definition& plugin(const std::string& name, const std::string& file) {
    host::PluginStatus status;
    status.definition.name = status.definition.prefix = name;
    status.definition.url = (base / file).string();
    list.plugins.push_back(status);
    return list.plugins.back().definition;
  }
  FakeCall& get(std::string url, Headers headers = {}, std::string method = "GET") {
    FakeCall& call = host->prepare(std::move(method), std::move(url));
    for (const auto& [name, value] : headers) call.sent.headers.append(name, value);
    host->send(call);
    REQUIRE(host->wait_for(call));
    return call;
  }
  json listed() {
    const FakeCall& call = get("plugins.json");
    REQUIRE(call.status() == 200);
    auto parsed = core::parse_plugin_file(call.answer, "plugins.json", core::Sources::kUrls);
    CHECK_MESSAGE(parsed, (parsed ? "" : parsed.error().message));
    return json::parse(call.answer)["plugins"];
  }
};

core::Integrity integrity(const std::string& text) {
  return core::Integrity::parse(text).value();
}

}  // namespace

TEST_CASE("without --browser the plug-in is refused") {
  BuiltinKind kind{{}};
  core::Definition definition;
  definition.type = core::PluginType::kStatic;
  definition.builtin = "browser";
  CHECK(FakeHost(definition).start(kind).find("--browser") != std::string::npos);
}

TEST_CASE("a runtime that was not built is a problem that says how to build it") {
  Delivered served;
  const FakeCall& call = served.get("valor.js");
  CHECK(call.status() == 404);
  CHECK(call.answer.find("make web") != std::string::npos);
}

TEST_CASE("the runtime's files come in the coding that the client likes, each with its own tag") {
  Delivered served;
  served.write("web/valor.js", "plain");
  served.write("web/valor.js.br", "brotli");
  served.write("web/valor.js.gz", "gzip");
  served.write("web/other.css", "css");
  const FakeCall& plain = served.get("valor.js");
  CHECK(plain.answer == "plain");
  CHECK(plain.header("content-encoding") == "");
  CHECK(plain.header("vary") == "accept-encoding");
  CHECK(plain.header("cache-control") == "no-cache");
  CHECK(plain.header("content-type") == "text/javascript;charset=utf-8");
  CHECK(plain.header("service-worker-allowed") == "");
  const FakeCall& brotli = served.get("valor.js", {{"accept-encoding", "gzip, br"}});
  CHECK(brotli.answer == "brotli");
  CHECK(brotli.header("content-encoding") == "br");
  CHECK(brotli.header("vary") == "accept-encoding");
  CHECK(brotli.header("content-type") == "text/javascript;charset=utf-8");
  CHECK(brotli.header("etag") != plain.header("etag"));
  CHECK(served.get("valor.js", {{"accept-encoding", "gzip"}}).answer == "gzip");
  CHECK(served.get("other.css", {{"accept-encoding", "br"}}).answer == "css");
  const FakeCall& known = served.get("valor.js", {{"accept-encoding", "br"}, {"if-none-match", brotli.header("etag")}});
  CHECK(known.status() == 304);
  CHECK(known.header("vary") == "accept-encoding");
  CHECK(served.get("valor.js", {{"if-none-match", brotli.header("etag")}}).status() == 200);
  const FakeCall& head = served.get("valor.js", {{"accept-encoding", "br"}}, "HEAD");
  CHECK(head.answer_length == 6);
  CHECK(head.answer.empty());
  CHECK(served.get("valor.js", {}, "POST").status() == 405);
  CHECK(served.get("valor.js", {}, "POST").header("allow") == "GET, HEAD");
}

TEST_CASE("the service worker may have the whole origin as its scope") {
  Delivered served;
  served.write("web/valor-sw.js", "1");
  CHECK(served.get("valor-sw.js").header("service-worker-allowed") == "/");
  CHECK(served.get("valor-sw.js", {{"if-none-match", "*"}}).header("service-worker-allowed") == "/");
}

TEST_CASE("the mount itself is the console, below a slash") {
  Delivered served;
  served.write("web/index.html", "<title>Valor</title>");
  FakeCall& call = served.host->prepare("GET", "");
  call.sent.target = "/_valor/";
  served.host->send(call);
  CHECK(call.answer == "<title>Valor</title>");
  FakeCall& bare = served.host->prepare("GET", "");
  bare.sent.target = "/_valor";
  served.host->send(bare);
  CHECK(bare.status() == 308);
  CHECK(bare.header("location") == "/_valor/");
}

TEST_CASE("plug-ins that browsers can run are listed with the way to their files") {
  Delivered served;
  served.write("app/hello.js", "hello");
  served.write("app/lib/a #1.mjs", "a");
  served.write("app/b.wasm", "b");
  core::Definition& hello = served.plugin("hello", "app/hello.js");
  hello.config = R"({"greeting":"Hi"})";
  hello.limits.timeout_ms = 500;
  hello.location = "https://public.example/hi/";
  hello.instances = {.min = 2, .max = 3};
  hello.prefer = core::Preference::kNetworkFirst;
  served.plugin("rooted", "app/lib/a #1.mjs").root = (served.base / "app").string();
  served.plugin("private", "app/hello.js").place = core::Place::kServer;
  core::Definition& native = served.plugin("native", "");
  native.type = core::PluginType::kNative;
  native.path = "/lib/native.so";
  native.web = (served.base / "app/b.wasm").string();
  native.url.clear();
  native.place = core::Place::kBrowser;
  served.plugin("built-in", "").type = core::PluginType::kStatic;

  const json plugins = served.listed();
  REQUIRE(plugins.size() == 3);
  CHECK(plugins[0]["type"] == "web");
  CHECK(plugins[0]["name"] == "hello");
  CHECK(plugins[0]["prefix"] == "hello");
  CHECK(plugins[0]["url"] == "plugins/hello/hello.js");
  CHECK(plugins[0]["config"]["greeting"] == "Hi");
  CHECK(plugins[0]["limits"]["timeout_ms"] == 500);
  CHECK(plugins[0]["place"] == "both");
  CHECK(plugins[0]["prefer"] == "network-first");
  CHECK(plugins[0]["integrity"] == hash("hello"));
  CHECK_FALSE(plugins[0].contains("location"));
  CHECK(plugins[1]["url"] == "plugins/rooted/lib/a%20%231.mjs");
  CHECK_FALSE(plugins[1].contains("root"));
  CHECK(plugins[2]["type"] == "web");
  CHECK(plugins[2]["url"] == "plugins/native/b.wasm");
  CHECK(plugins[2]["integrity"] == hash("b"));
  CHECK_FALSE(plugins[2].contains("path"));
  CHECK_FALSE(plugins[2].contains("web"));
  for (const json& plugin : plugins) CHECK(served.get(plugin["url"]).status() == 200);
  CHECK(served.get("plugins/private/hello.js").status() == 404);
  CHECK(served.get("plugins/built-in/hello.js").status() == 404);

  const FakeCall& list = served.get("plugins.json");
  CHECK(list.header("cache-control") == "no-cache");
  CHECK(list.header("content-type") == "application/json");
  CHECK(list.header("cross-origin-resource-policy") == "same-origin");
  CHECK(served.get("plugins.json", {{"if-none-match", list.header("etag")}}).status() == 304);
  hello.config = "1";
  CHECK(served.get("plugins.json", {{"if-none-match", list.header("etag")}}).status() == 200);
  CHECK(served.get("plugins.json", {}, "POST").status() == 405);
  CHECK(served.get("plugins.json", {}, "HEAD").answer.empty());
}

TEST_CASE("a script's folder is what it may read itself") {
  Delivered served;
  served.write("secret.txt", "secret");
  served.write("app/hello.js", "hello");
  served.write("app/data/words.txt", "words");
  served.write("app/.env", "secret");
  served.write("app/.git/config", "secret");
  served.write("app/plugins.json", "secret");
  fs::create_symlink("../secret.txt", served.base / "app/out.txt");
  fs::create_symlink(served.base / "secret.txt", served.base / "app/absolute.txt");
  fs::create_symlink("plugins.json", served.base / "app/alias.json");
  fs::create_symlink("data/words.txt", served.base / "app/inside.txt");
  served.plugin("hello", "app/hello.js");
  CHECK(served.get("plugins/hello/data/words.txt").answer == "words");
  CHECK(served.get("plugins/hello/inside.txt").answer == "words");
  CHECK(served.get("plugins/hello/hello.js").header("x-content-type-options") == "nosniff");
  CHECK(served.get("plugins/hello/hello.js", {{"range", "bytes=1-2"}}).answer == "el");
  CHECK(served.get("plugins/hello/hello.js", {{"if-none-match", "*"}}).status() == 304);
  for (const char* path : {"plugins/hello",
                           "plugins/hello/",
                           "plugins/hello/data",
                           "plugins/hello/data/",
                           "plugins/hello/none.js",
                           "plugins/hello/../secret.txt",
                           "plugins/hello/%2e%2e/secret.txt",
                           "plugins/hello/..%2fsecret.txt",
                           "plugins/hello//hello.js",
                           "plugins/hello/.env",
                           "plugins/hello/%2eenv",
                           "plugins/hello/.git/config",
                           "plugins/hello/out.txt",
                           "plugins/hello/absolute.txt",
                           "plugins/hello/plugins.json",
                           "plugins/hello/alias.json",
                           "plugins/hello/hello.js%00",
                           "plugins/other/hello.js",
                           "plugins/",
                           "plugins"}) {
    CAPTURE(path);
    const FakeCall& call = served.get(path);
    CHECK(call.status() == 404);
    CHECK(call.answer.find("secret\"") == std::string::npos);
  }
  CHECK(served.get("plugins/hello/%zz").status() == 400);
  CHECK(served.get("plugins/%zz/hello.js").status() == 400);
}

TEST_CASE("of a WASM plug-in nothing but the module can be had") {
  Delivered served;
  served.write("app/plugin.wasm", "module");
  served.write("app/notes.txt", "notes");
  served.write("app/plugin.c", "source");
  served.plugin("module", "app/plugin.wasm");
  CHECK(served.get("plugins/module/plugin.wasm").answer == "module");
  CHECK(served.get("plugins/module/plugin.wasm").header("content-type") == "application/wasm");
  CHECK(served.get("plugins/module/notes.txt").status() == 404);
  CHECK(served.get("plugins/module/plugin.c").status() == 404);
}

TEST_CASE("a script that is a link is served from where it lies, as its imports are") {
  Delivered served;
  served.write("app/v1/hello.js", "one");
  served.write("elsewhere/far.js", "far");
  fs::create_symlink("v1/hello.js", served.base / "app/hello.js");
  fs::create_symlink(served.base / "elsewhere/far.js", served.base / "app/far.js");
  served.plugin("hello", "app/hello.js");
  served.plugin("far", "app/far.js");
  served.plugin("outside", "elsewhere/far.js").root = (served.base / "app").string();
  served.plugin("gone", "app/gone.js");
  const json plugins = served.listed();
  REQUIRE(plugins.size() == 2);
  CHECK(plugins[0]["url"] == "plugins/hello/v1/hello.js");
  CHECK(served.get("plugins/hello/v1/hello.js").answer == "one");
  CHECK(plugins[1]["url"] == "plugins/far/far.js");
  CHECK(served.get("plugins/far/far.js").answer == "far");
  CHECK(served.get("plugins/outside/far.js").status() == 404);
}

TEST_CASE("TypeScript is sent as JavaScript under its own name, and stripped once as long as it stays") {
  Delivered served;
  const std::string source = "\xEF\xBB\xBFlet a: string;";
  const std::string text = "let a        ;";
  served.write("app/hello.ts", source);
  served.plugin("hello", "app/hello.ts");
  CHECK(served.listed()[0]["integrity"] == hash(text));
  const FakeCall& call = served.get("plugins/hello/hello.ts");
  CHECK(call.answer == text);
  CHECK(call.header("content-type") == "text/javascript;charset=utf-8");
  CHECK(call.header("last-modified") == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(call.header("x-content-type-options") == "nosniff");
  CHECK(served.stripped == 1);
  CHECK(served.get("plugins/hello/hello.ts", {{"if-none-match", call.header("etag")}}).status() == 304);
  const FakeCall& head = served.get("plugins/hello/hello.ts", {}, "HEAD");
  CHECK(head.answer_length == text.size());
  CHECK(head.answer.empty());
  CHECK(served.stripped == 1);

  served.write("app/hello.ts", "let b: string;", /*settled=*/false);
  CHECK(served.get("plugins/hello/hello.ts").answer == "let b        ;");
  CHECK(served.listed()[0]["integrity"] == hash("let b        ;"));
  CHECK(served.stripped == 3);  // it may change again within the same second
}

TEST_CASE("TypeScript that cannot be stripped is an error with its place, and is listed without a hash") {
  Delivered served;
  served.write("app/hello.ts", "enum A {}");
  served.plugin("hello", "app/hello.ts");
  const FakeCall& call = served.get("plugins/hello/hello.ts");
  CHECK(call.status() == 500);
  CHECK(call.answer.find("\"hello.ts:1: enum is not supported\"") != std::string::npos);
  CHECK_FALSE(served.listed()[0].contains("integrity"));
}

TEST_CASE("declared hashes reach browsers, for TypeScript those of what they get") {
  Delivered served;
  served.write("app/src/hello.ts", "let a: string;");
  served.write("app/lib/b.ts", "let b: string;");
  served.write("app/lib/c.js", "c");
  core::Definition& hello = served.plugin("hello", "app/src/hello.ts");
  hello.root = (served.base / "app").string();
  hello.integrity = {{"", integrity(hash("let a: string;"))}};
  CHECK(served.listed()[0]["integrity"] == hash("let a        ;"));
  // Whoever changes the file does not change what is expected of it.
  hello.integrity = {{"", integrity(hash("something else"))}};
  CHECK(served.listed()[0]["integrity"] == hash("something else"));
  hello.integrity = {{"hello.ts", integrity(hash("let a: string;"))},
                     {"../lib/b.ts", integrity(hash("something else"))},
                     {"../lib/c.js", integrity(hash("c") + " " + hash("d"))},
                     {"missing.js", integrity(hash("missing"))}};
  const json listed = served.listed()[0]["integrity"];
  CHECK(listed.size() == 4);
  CHECK(listed["hello.ts"] == hash("let a        ;"));
  CHECK(listed["../lib/b.ts"] == hash("something else"));
  CHECK(listed["../lib/c.js"] == hash("c") + " " + hash("d"));
  CHECK(listed["missing.js"] == hash("missing"));
}

TEST_CASE("plug-ins go to this machine only, unless everybody may have them") {
  for (const BrowserDelivery delivery : {BrowserDelivery::kLocal, BrowserDelivery::kOpen}) {
    Delivered served(delivery);
    served.write("app/hello.js", "hello");
    served.write("web/valor.js", "runtime");
    served.plugin("hello", "app/hello.js");
    auto status = [&](const char* path, std::string authority, Headers headers, uint32_t hops = 0) {
      FakeCall& call = served.host->prepare("GET", path);
      call.sent.authority = std::move(authority);
      call.sent.hops = hops;
      for (const auto& [name, value] : headers) call.sent.headers.append(name, value);
      served.host->send(call);
      return call.status();
    };
    const int strangers = delivery == BrowserDelivery::kOpen ? 200 : 403;
    for (const char* path : {"plugins.json", "plugins/hello/hello.js"}) {
      CHECK(status(path, "localhost:8080", {}) == 200);
      CHECK(status(path, "127.0.0.1:8080", {{"sec-fetch-site", "same-origin"}}) == 200);
      CHECK(status(path, "rebound.example:8080", {}) == strangers);
      CHECK(status(path, "localhost:8080", {{"sec-fetch-site", "cross-site"}}) == strangers);
      CHECK(status(path, "localhost:8080", {{"origin", "http://elsewhere.example"}}) == strangers);
      CHECK(status(path, "localhost:8080", {}, 1) == 403);
    }
    CHECK(status("valor.js", "rebound.example:8080", {}) == 200);
  }
}
