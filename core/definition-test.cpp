#include "core/definition.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/file-url.h"
#include "core/suggestion.h"

using namespace valor::core;

namespace {

Definition parsed(std::string_view json) {
  Result<Definition> definition = parse_definition(json, "body");
  INFO((definition ? std::string() : definition.error().message));
  REQUIRE(definition.ok());
  return std::move(definition).value();
}

std::string mistakes(std::string_view json) {
  Result<Definition> definition = parse_definition(json, "body");
  return definition ? "none" : definition.error().message;
}

std::string file_mistakes(std::string_view json) {
  Result<std::vector<Definition>> definitions = parse_plugin_file(json, "p.json");
  return definitions ? "none" : definitions.error().message;
}

// A web plug-in with more members.
std::string web(std::string_view members) {
  return R"({"type":"web","name":"a","url":"a.js",)" + std::string(members) + "}";
}

std::string resolved(std::string_view url, std::string_view folder = "/home/me") {
  Definition definition;
  definition.url = url;
  resolve_paths(definition, folder);
  return definition.url;
}

}  // namespace

TEST_CASE("a plug-in file gives its definitions in order") {
  auto definitions = parse_plugin_file(
      R"({"plugins":[{"type":"native","name":"hello","path":"hello_plugin","prefix":"hi","config":"Alice"},
                     {"type":"static","name":"health","prefix":"_health"}]})",
      "p.json");
  REQUIRE(definitions.ok());
  REQUIRE(definitions->size() == 2);
  const Definition& hello = definitions->at(0);
  CHECK(hello.type == PluginType::kNative);
  CHECK(hello.name == "hello");
  CHECK(hello.prefix == "hi");
  CHECK(hello.path == "hello_plugin");
  CHECK(hello.config == "\"Alice\"");
  CHECK(definitions->at(1).builtin == "health");
}

TEST_CASE("what is left out has its default") {
  Definition definition = parsed(R"({"type":"web","name":"a.b-c_1","url":"x/y.js"})");
  CHECK(definition.prefix == "a.b-c_1");
  CHECK(definition.config == "null");
  CHECK(definition.limits.timeout_ms == 30'000);
  CHECK(definition.limits.memory_mb == 128);
  CHECK(definition.limits.queue == 1024);
  CHECK(definition.instances.min == 1);
  CHECK(definition.instances.max == 1);
  CHECK(parse_plugin_file(R"({"plugins":[]})", "p.json")->empty());
}

TEST_CASE("a byte order mark and blanks are skipped") {
  CHECK(parsed("\xEF\xBB\xBF \r\n\t{\"type\":\"web\",\"name\":\"a\",\"url\":\"a.js\"} \n").name == "a");
}

TEST_CASE("the config is kept as compact JSON") {
  CHECK(parsed(web(R"("config": null)")).config == "null");
  CHECK(parsed(web(R"("config": "a\u00e9\n\"")")).config == "\"a\xC3\xA9\\n\\\"\"");
  CHECK(parsed(web(R"("config": { "a" : [ 1 , -2, 1.50, true, { } , [ ] , "x" ], "b": { "c": null } })")).config ==
        R"({"a":[1,-2,1.50,true,{},[],"x"],"b":{"c":null}})");
  CHECK(parsed(web(R"("config": [-0, 0.0e0, 1.7976931348623157e308, 0.000001e313])")).config ==
        "[-0,0.0e0,1.7976931348623157e308,0.000001e313]");
  CHECK(parsed(web(R"("config": "\ud83d\ude00\/\b")")).config == "\"\xF0\x9F\x98\x80/\\u0008\"");
  CHECK(parsed(web(R"("config": 123456789012345678901234567890)")).config == "123456789012345678901234567890");
  CHECK(parsed(web(R"("config": {"config": {"plugins": 1}})")).config == R"({"config":{"plugins":1}})");
  auto definitions = parse_plugin_file(R"({"plugins":[)" + web(R"("config": [[],{"a":1}])") + "]}", "p.json");
  CHECK(definitions->at(0).config == R"([[],{"a":1}])");
}

TEST_CASE("a root and a public URL are read and told again") {
  Definition definition = parsed(web(R"("root":"..","location":"https://api.example.org/v1/a/?x=1")"));
  CHECK(definition.location == "https://api.example.org/v1/a/?x=1");
  resolve_paths(definition, "/home/me");
  CHECK(definition.root == "/home/me/..");
  CHECK(to_json(definition).find(R"("root":"/home/me/..","location":"https://api.example.org/v1/a/?x=1")") !=
        std::string::npos);
  CHECK(parsed(web(R"("prefix":"b")")).location.empty());
  for (std::string_view bad : {"http://", "ftp://h/", "h/a/", "http:///a", "https://h/ a", "https://h/#a", "//h/"}) {
    CAPTURE(bad);
    CHECK(mistakes(web(R"("location":")" + std::string(bad) + '"')).find("location: expected an http:") !=
          std::string::npos);
  }
  CHECK(
      mistakes(R"({"type":"native","name":"a","path":"a.so","root":"x"})").find("root: belongs to plug-ins of type") !=
      std::string::npos);
}

TEST_CASE("permissions are read and told again") {
  CHECK_FALSE(parsed(web(R"("limits":{})")).permissions.net.declared());
  CHECK_FALSE(parsed(web(R"("permissions":{})")).permissions.net.declared());
  CHECK(parsed(web(R"("permissions":{"net":[]})")).permissions.net.declared());
  Definition definition = parsed(web(R"("permissions":{"net":["api.example.org","*.example.com:8443","10.0.0.0/8"]})"));
  CHECK(definition.permissions.net.trusts_name("a.example.com", 8443));
  const std::string json = to_json(definition);
  CHECK(json.find(R"("permissions":{"net":["api.example.org","*.example.com:8443","10.0.0.0/8"]}})") !=
        std::string::npos);
  CHECK(to_json(parsed(json)) == json);
}

TEST_CASE("the rules of fetch are one of two, and the server's unless said otherwise") {
  CHECK(parsed(web(R"("limits":{})")).fetch == FetchRules::kServer);
  CHECK(parsed(web(R"("fetch":"server")")).fetch == FetchRules::kServer);
  CHECK(parsed(web(R"("fetch":"browser")")).fetch == FetchRules::kBrowser);
  CHECK(mistakes(web(R"("fetch":"browsers")")) ==
        "body:1: fetch: unknown rules \"browsers\"; did you mean \"browser\"?");
  CHECK(mistakes(web(R"("fetch":"x")")) ==
        "body:1: fetch: unknown rules \"x\"; expected one of \"server\", \"browser\"");
  CHECK(mistakes(web(R"("fetch":true)")) == "body:1: fetch: expected a string, found true or false");
  CHECK(mistakes(R"({"type":"native","name":"a","path":"x","fetch":"browser"})").find("belongs to plug-ins of type") !=
        std::string::npos);
}

TEST_CASE("where a plug-in runs is read, and what browsers do with its requests") {
  Definition plain = parsed(R"({"type":"web","name":"a","url":"a.js"})");
  CHECK(plain.place == Place::kBoth);
  CHECK(plain.fallback == Fallback::kNone);
  CHECK(plain.prefer == Preference::kPluginFirst);
  CHECK(parsed(web(R"("place":"server")")).place == Place::kServer);
  CHECK(parsed(web(R"("place":"browser")")).place == Place::kBrowser);
  CHECK(parsed(web(R"("fallback":"network")")).fallback == Fallback::kNetwork);
  CHECK(parsed(web(R"("prefer":"network-first")")).prefer == Preference::kNetworkFirst);
  CHECK(parsed(web(R"("prefer":"plugin-only","fallback":"none")")).prefer == Preference::kPluginOnly);
  CHECK(mistakes(web(R"("place":"here")")) ==
        "body:1: place: unknown place \"here\"; expected one of \"server\", \"browser\", \"both\"");
  CHECK(mistakes(web(R"("fallback":"networks")")) ==
        "body:1: fallback: unknown fallback \"networks\"; did you mean \"network\"?");
  CHECK(mistakes(web(R"("prefer":"plugin-fist")")) ==
        "body:1: prefer: unknown preference \"plugin-fist\"; did you mean \"plugin-first\"?");
  CHECK(mistakes(web(R"("place":1)")) == "body:1: place: expected a string, found a number");
  CHECK(mistakes(web("\"prefer\":\"plugin-only\",\n\"fallback\":\"network\"")) ==
        "body:2: fallback: \"network\" contradicts \"prefer\": \"plugin-only\"; leave one of them out");
}

TEST_CASE("built-in plug-ins run on the server only, native ones where they have a WASM build") {
  CHECK(parsed(R"({"type":"static","name":"health"})").place == Place::kServer);
  CHECK(to_json(parsed(R"({"type":"static","name":"health"})")).find("place") == std::string::npos);
  for (std::string_view field :
       {R"("place":"server")", R"("fallback":"none")", R"("prefer":"plugin-first")", R"("integrity":"")"}) {
    CHECK(mistakes(R"({"type":"static","name":"health",)" + std::string(field) + "}")
              .find("belongs to plug-ins of type \"native\" or \"web\"") != std::string::npos);
  }
  Definition both = parsed(R"({"type":"native","name":"a","path":"a","web":"a.wasm"})");
  CHECK(both.place == Place::kBoth);
  resolve_paths(both, "/home/me");
  CHECK(both.web == "/home/me/a.wasm");
  CHECK(to_json(both).find(R"("web":"/home/me/a.wasm")") != std::string::npos);
  both.web = "file:///x/a%20b.wasm";
  resolve_paths(both, "/home/me");
  CHECK(both.web == "/x/a b.wasm");
  CHECK(parsed(R"({"type":"native","name":"a","path":"a"})").place == Place::kServer);
  CHECK(parsed(R"({"type":"native","name":"a","path":"a","place":"server"})").place == Place::kServer);
  for (std::string_view place : {"browser", "both"}) {
    CHECK(mistakes(R"({"type":"native","name":"a","path":"a","place":")" + std::string(place) + "\"}") ==
          "body:1: place: a native plug-in runs in browsers as WASM; expected its WASM build as \"web\"");
  }
  CHECK(mistakes(R"({"type":"native","name":"a","path":"a","web":""})") == "body:1: web: must not be empty");
  CHECK(mistakes(R"({"type":"native","name":"a","path":"a","web":"http://h/a.wasm"})")
            .starts_with("body:1: web: \"http://h/a.wasm\" cannot be loaded: only files are supported"));
  CHECK(mistakes(web(R"("web":"a.wasm")")).find("web: belongs to plug-ins of type \"native\"") != std::string::npos);
}

TEST_CASE("integrity is that of the plug-in's file, or of several by path") {
  const std::string hash = "sha256-" + std::string(43, 'A') + '=';
  Definition one = parsed(web("\"integrity\":\"" + hash + '"'));
  REQUIRE(one.integrity.size() == 1);
  CHECK(one.integrity[0].path.empty());
  CHECK(one.integrity[0].integrity.digests == std::vector{std::string(32, '\0')});
  CHECK(to_json(one).ends_with(",\"integrity\":\"" + hash + "\"}"));
  CHECK(to_json(parsed(to_json(one))) == to_json(one));

  Definition two = parsed(web(R"("integrity":{"a.js":")" + hash + R"(","../b/c.js":")" + hash + "\"}"));
  REQUIRE(two.integrity.size() == 2);
  CHECK(two.integrity[1].path == "../b/c.js");
  CHECK(to_json(two).ends_with(R"(,"integrity":{"a.js":")" + hash + R"(","../b/c.js":")" + hash + "\"}}"));
  CHECK(to_json(parsed(to_json(two))) == to_json(two));
  CHECK(parsed(web(R"("integrity":{})")).integrity.empty());

  CHECK(mistakes(web(R"("integrity":"md5-x")"))
            .starts_with("body:1: integrity: \"md5-x\" is no integrity; expected \"sha256-\""));
  CHECK(
      mistakes(web("\"integrity\":{\n\"a.js\":\"sha256-x\",\n\"b.js\":5}")) ==
      "body:2: integrity[\"a.js\"]: \"sha256-x\" is no integrity; after \"sha256-\" expected 44 characters of base64\n"
      "body:3: integrity[\"b.js\"]: expected a string, found a number");
  CHECK(mistakes(web(R"("integrity":[])")) ==
        "body:1: integrity: expected a string or an object of strings, found an array");
  for (std::string_view path : {"", "/a.js", "./a.js", "a//b.js", "a/", "a/../b.js", "..", "a\\\\b.js", "a\\u0000"}) {
    CAPTURE(path);
    CHECK(mistakes(web(R"("integrity":{")" + std::string(path) + "\":\"" + hash + "\"}"))
              .find("expected a path relative to the folder of the plug-in's file") != std::string::npos);
  }
  CHECK(mistakes(R"({"type":"native","name":"a","path":"a","integrity":")" + hash + "\"}") ==
        "body:1: integrity: is that of the file at \"web\", which is missing");
}

TEST_CASE("a browser loads URLs") {
  auto in_browser = [](std::string_view url) {
    Result<Definition> definition =
        parse_definition(R"({"type":"web","name":"a","url":")" + std::string(url) + "\"}", "body", Sources::kUrls);
    return definition ? definition->url : definition.error().message;
  };
  for (std::string_view url : {"a.js", "../x/a.js?v=1", "/a.js", "//h/a.js", "https://h/a.js", "HTTP://h/a.js"}) {
    CHECK(in_browser(url) == url);
  }
  for (std::string_view url : {"file:///a.js", "data:text/javascript,1", "blob:http://h/1", "a:b.js"}) {
    CHECK(in_browser(url) ==
          "body:1: url: \"" + std::string(url) +
              "\" cannot be loaded by a browser; expected an http: or https: URL, or one relative to "
              "that of the plug-in file");
  }
  auto file = parse_plugin_file(R"({"plugins":[{"type":"native","name":"a","path":"a","web":"http://h/a.wasm"},
    {"type":"web","name":"b"}]})",
                                "p.json", Sources::kUrls);
  REQUIRE(!file.ok());
  CHECK(file.error().message == "p.json:2: plugins[1].url: is missing; expected the URL of a script or WASM module");
}

TEST_CASE("mistakes in permissions are reported at their place") {
  CHECK(mistakes(web(R"("permissions":{"nett":[]})")) ==
        "body:1: permissions: unknown key \"nett\"; did you mean \"net\"?");
  CHECK(mistakes(web(R"("permisions":{})")).find("did you mean \"permissions\"?") != std::string::npos);
  CHECK(mistakes(web(R"("permissions":[])")) == "body:1: permissions: expected an object, found an array");
  CHECK(mistakes(web(R"("permissions":{"net":"a"})")) == "body:1: permissions.net: expected an array, found a string");
  CHECK(mistakes(web("\"permissions\":{\"net\":[\"a\",\n5,\n\"http://b/\"]}"))
            .starts_with("body:2: permissions.net[1]: expected a string, found a number\n"
                         "body:3: permissions.net[2]: \"http://b/\" is a URL; rules have no scheme and no path; "
                         "expected a host (\"api.example.org\")"));
  CHECK(mistakes(R"({"type":"native","name":"a","path":"x","permissions":{"net":[]}})") == "none");
  CHECK(mistakes(R"({"type":"static","name":"health","permissions":{"net":[]}})")
            .find("belongs to plug-ins of type \"native\" or \"web\"") != std::string::npos);
}

TEST_CASE("limits and instances are read") {
  Definition definition =
      parsed(web(R"("limits":{"timeout_ms":1,"memory_mb":65536,"queue":1000000},"instances":{"min":0,"max":1024})"));
  CHECK(definition.limits.timeout_ms == 1);
  CHECK(definition.limits.memory_mb == 65536);
  CHECK(definition.limits.queue == 1'000'000);
  CHECK(definition.instances.min == 0);
  CHECK(definition.instances.max == 1024);
  CHECK(parsed(web(R"("instances":{"min":3})")).instances.max == 3);
}

TEST_CASE("numbers out of range are mistakes, at their own field and line") {
  CHECK(mistakes(web("\"limits\":{\n\"timeout_ms\":0}")) ==
        "body:2: limits.timeout_ms: expected a whole number from 1 to 86400000, found 0");
  for (std::string_view bad :
       {R"("limits":{"timeout_ms":86400001})", R"("limits":{"memory_mb":7})", R"("limits":{"memory_mb":65537})",
        R"("limits":{"queue":0})", R"("limits":{"queue":1000001})", R"("limits":{"queue":-1})",
        R"("limits":{"queue":1.5})", R"("limits":{"queue":"5"})", R"("limits":{"queue":null})",
        R"("limits":{"queue":18446744073709551616})", R"("instances":{"min":1025})", R"("instances":{"max":0})",
        R"("instances":{"max":1025})", R"("instances":{"min":4294967297})"}) {
    CAPTURE(bad);
    CHECK(mistakes(web(bad)).find("expected a whole number from") != std::string::npos);
  }
  CHECK(mistakes(web(R"("instances":{"min":3,"max":2})")) ==
        "body:1: instances.max: expected at least min, which is 3, found 2");
  CHECK(mistakes(web(R"("limits":{"queue":1e3})")) ==
        "body:1: limits.queue: expected a whole number from 1 to 1000000, found 1e3");
}

TEST_CASE("every mistake is reported, with file, line, field and what was expected") {
  CHECK(file_mistakes(R"({
  "plugins": [
    { "type": "web", "name": "a", "url": "a.js" },
    { "type": "web", "nmae": "b",
      "url": 5,
      "limits": { "timeout": 5 }
    },
    "hello"
  ],
  "version": 1
})") == "p.json:4: plugins[1]: unknown key \"nmae\"; did you mean \"name\"?\n"
        "p.json:4: plugins[1].name: is missing; expected a name that no other plug-in has\n"
        "p.json:5: plugins[1].url: expected a string, found a number\n"
        "p.json:6: plugins[1].limits: unknown key \"timeout\"; did you mean \"timeout_ms\"?\n"
        "p.json:8: plugins[2]: expected an object, found a string\n"
        "p.json:10: unknown key \"version\"; expected \"plugins\"");
}

TEST_CASE("a number at the end of its line does not shift the lines that follow") {
  CHECK(mistakes("{\"type\":\"web\",\"name\":\"a\",\"url\":\"a.js\",\"limits\":{\"queue\":5\n,\"timeout_ms\":\n0\n},"
                 "\"x\":1}") ==
        "body:3: limits.timeout_ms: expected a whole number from 1 to 86400000, found 0\n"
        "body:4: unknown key \"x\"; expected one of \"type\", \"name\", \"prefix\", \"path\", \"url\", \"builtin\", "
        "\"config\", "
        "\"limits\", \"instances\", \"root\", \"location\", \"permissions\", \"fetch\", \"web\", \"place\", "
        "\"fallback\", \"prefer\", \"integrity\"");
}

TEST_CASE("unknown keys suggest the nearest known one") {
  auto suggested = [](std::string_view key) { return mistakes(web("\"" + std::string(key) + "\":1")); };
  for (auto [wrong, right] : {std::pair{"ulr", "url"},
                              {"prefx", "prefix"},
                              {"Config", "config"},
                              {"limit", "limits"},
                              {"buildin", "builtin"},
                              {"instance", "instances"}}) {
    CHECK(suggested(wrong).find("did you mean \"" + std::string(right) + "\"?") != std::string::npos);
  }
  CHECK(suggested("checksum").find("expected one of") != std::string::npos);
  CHECK(mistakes(web(R"("limits":{"memory-mb":64})")).find("did you mean \"memory_mb\"?") != std::string::npos);
  CHECK(mistakes(web(R"("instances":{"Max":64})")).find("did you mean \"max\"?") != std::string::npos);
}

TEST_CASE("fields of another type are refused") {
  CHECK(mistakes(web("\n\"path\":\"x\"")) ==
        "body:2: path: belongs to plug-ins of type \"native\" or \"static\"; the type of this one is \"web\"");
  CHECK(mistakes(R"({"type":"native","name":"a","path":"x","url":"y"})").find("belongs to plug-ins of type \"web\"") !=
        std::string::npos);
  CHECK(mistakes(R"({"type":"native","name":"a","path":"x","builtin":"y"})")
            .find("belongs to plug-ins of type \"static\"") != std::string::npos);
  CHECK(mistakes(R"({"type":"native","name":"a","path":"x","limits":{"memory_mb":64}})") ==
        "body:1: limits.memory_mb: is enforced for plug-ins of type \"web\" only; the type of this one is \"native\"");
}

TEST_CASE("each type has its required fields") {
  CHECK(mistakes("{}") ==
        "body:1: type: is missing; expected \"static\", \"native\" or \"web\"\n"
        "body:1: name: is missing; expected a name that no other plug-in has");
  CHECK(mistakes(R"({"type":"web","name":"a"})") ==
        "body:1: url: is missing; expected the path or file: URL of a script or WASM module");
  CHECK(mistakes(R"({"type":"native","name":"a"})") ==
        "body:1: path: is missing; expected the shared library's path, or its name as a system library");
  CHECK(mistakes(R"({"type":"static","name":"a","builtin":""})") == "body:1: builtin: must not be empty");
  CHECK(mistakes(R"({"type":"web","name":"a","url":""})") == "body:1: url: must not be empty");
  CHECK(mistakes(R"({"type":"web","name":"a","url":"a\u0000.js"})") == "body:1: url: must not hold a NUL character");
}

TEST_CASE("an unknown type is refused; wasi is named as not run yet") {
  CHECK(mistakes(R"({"type":"wbe","name":"a"})") == "body:1: type: unknown type \"wbe\"; did you mean \"web\"?");
  CHECK(mistakes(R"({"type":"wasi","name":"a","path":"a.wasm"})") ==
        "body:1: type: \"wasi\" plug-ins are not run by this version of Valor yet");
}

TEST_CASE("scripts come from files only") {
  for (std::string_view url : {"http://example/a.js", "HTTPS://example/a.js", "data:text/javascript,1",
                               "file://host/a.js", "file:///a%00.js", "file:///a%2fb", "file:", "file:///x/"}) {
    CAPTURE(url);
    CHECK(mistakes(R"({"type":"web","name":"a","url":")" + std::string(url) + "\"}").substr(0, 12) == "body:1: url:");
  }
  CHECK(mistakes(R"({"type":"web","name":"a","url":"https://example/a.js"})").find("only files are supported") !=
        std::string::npos);
  for (std::string_view url :
       {"a.js", "./a:b.js", "/x/y z.js", "file:///x/y%20z.js", "file:a.js", "../a.js", "FILE:/a.js"}) {
    CAPTURE(url);
    CHECK(parsed(R"({"type":"web","name":"a","url":")" + std::string(url) + "\"}").url == url);
  }
}

TEST_CASE("names are limited to characters that fit everywhere") {
  for (std::string_view bad : {"", "a b", "a/b", "caf\xC3\xA9", "a\\u0000", "a\\n"}) {
    CAPTURE(bad);
    CHECK(mistakes(R"({"type":"web","url":"a.js","name":")" + std::string(bad) + "\"}").substr(0, 13) ==
          "body:1: name:");
  }
  CHECK(parsed(R"({"type":"web","url":"a.js","name":")" + std::string(100, 'n') + "\"}").name.size() == 100);
  CHECK(mistakes(R"({"type":"web","url":"a.js","name":")" + std::string(101, 'n') + "\"}") != "none");
  CHECK(mistakes(R"({"type":"web","url":"a.js","name":".."})") ==
        "body:1: name: \"..\" cannot be the prefix too; give a \"prefix\"");
  CHECK(parsed(R"({"type":"web","url":"a.js","name":"..","prefix":"x"})").name == "..");
}

TEST_CASE("a prefix loses blanks and slashes around it and must be a path") {
  CHECK(parsed(web(R"("prefix":" /hi/ ")")).prefix == "hi");
  CHECK(parsed(web(R"("prefix":"/a/b c/\u00e9/")")).prefix == "a/b c/\xC3\xA9");
  CHECK(parsed(web(R"("prefix":"/")")).prefix.empty());
  CHECK(parsed(web(R"("prefix":"")")).prefix.empty());
  for (std::string_view bad : {"a//b", "a/./b", "..", "a?b", "a#b", "a%20b", "a\\\\b", "a\\u0001b", "a\\u0000"}) {
    CAPTURE(bad);
    CHECK(mistakes(web("\"prefix\":\"" + std::string(bad) + "\"")).substr(0, 15) == "body:1: prefix:");
  }
  CHECK(mistakes(web(R"("prefix":5)")) == "body:1: prefix: expected a string, found a number");
}

TEST_CASE("names and mounts that appear twice name the first") {
  CHECK(file_mistakes(R"({"plugins":[
    {"type":"static","name":"a","prefix":"x"},
    {"type":"static","name":"b","prefix":"/x/"},
    {"type":"static","name":"a","prefix":"y"},
    {"type":"static","name":"x","limits":{"queue":0}}]})") ==
        "p.json:3: plugins[1].prefix: \"/x\" is the mount of plugins[0] (line 2) already\n"
        "p.json:4: plugins[2].name: \"a\" is the name of plugins[0] (line 2) already\n"
        "p.json:5: plugins[3].limits.queue: expected a whole number from 1 to 1000000, found 0\n"
        "p.json:5: plugins[3].prefix: \"/x\" is the mount of plugins[0] (line 2) already");
}

TEST_CASE("keys that appear twice are mistakes, in the config too") {
  CHECK(mistakes("{\"type\":\"web\",\n\"type\":\"web\",\"name\":\"a\",\"url\":\"a.js\"}") ==
        "body:2: the key \"type\" appears twice in this object");
  CHECK(mistakes(web(R"("limits":{"queue":1,"queue":2})")) ==
        "body:1: limits: the key \"queue\" appears twice in this object");
  CHECK(mistakes(web(R"("config":{"a":{"b":1,"b":2}})")) ==
        "body:1: config: the key \"b\" appears twice in this object");
  CHECK(
      file_mistakes(R"({"plugins":[{},{"name":"a","name":"b"}]})").find("plugins[1]: the key \"name\" appears twice") !=
      std::string::npos);
}

TEST_CASE("what is no JSON is reported with line and column") {
  CHECK(mistakes("{\n  \"type\": web\n}") ==
        "body:2: not valid JSON (column 11): syntax error while parsing value - invalid literal; last read: '\"type\": "
        "w'");
  for (std::string_view bad : {"", " ", "{", "[", "{\"a\":1,}", "{} {}", "{'a':1}", "// x\n{}", "{\"a\":\"\xFF\"}",
                               "{\"a\":\"\x01\"}", "nul", "{\"a\":1e999}", "\"\\ud800\"", "\xEF\xBB"}) {
    CAPTURE(bad);
    CHECK(mistakes(bad).find("not valid JSON") != std::string::npos);
    CHECK(mistakes(bad).size() < 500);
  }
  struct Case {
    std::string_view json;
    std::string_view message;  // behind "body:1: not valid JSON"
  };
  for (auto [json, message] : {
           Case{"",
                " (column 1): syntax error while parsing value - unexpected end of input; expected '[', '{', or a "
                "literal"},
           {"[1 2]", " (column 4): syntax error while parsing array - unexpected number literal; expected ']'"},
           {"{\"a\" 1}",
            " (column 6): syntax error while parsing object separator - unexpected number literal; expected "
            "':'"},
           {"{1\n}",
            " (column 2): syntax error while parsing object key - unexpected number literal; expected string "
            "literal"},
           {"[01]", " (column 3): syntax error while parsing array - unexpected number literal; expected ']'"},
           {"-",
            " (column 2): syntax error while parsing value - invalid number; expected digit after '-'; last read: '-'"},
           {"1.e",
            " (column 3): syntax error while parsing value - invalid number; expected digit after '.'; last read: "
            "'1.e'"},
           {"1e+",
            " (column 4): syntax error while parsing value - invalid number; expected digit after exponent sign; "
            "last read: '1e+'"},
           {"\"\t",
            " (column 2): syntax error while parsing value - invalid string: control character U+0009 (HT) must be "
            "escaped to \\u0009 or \\t; last read: '\"<U+0009>'"},
           {"\"\\x",
            " (column 3): syntax error while parsing value - invalid string: forbidden character after backslash; "
            "last read: '\"\\x'"},
           {"\"\\u12g",
            " (column 6): syntax error while parsing value - invalid string: '\\u' must be followed by 4 hex "
            "digits; last read: '\"\\u12g'"},
           {"\"\\ud800x",
            " (column 8): syntax error while parsing value - invalid string: surrogate U+D800..U+DBFF must "
            "be followed by U+DC00..U+DFFF; last read: '\"\\ud800x'"},
           {"\"\xE2\x82x",
            " (column 4): syntax error while parsing value - invalid string: ill-formed UTF-8 byte; last "
            "read: '\"\xE2\x82x'"},
           {"[-1e309]", ": number overflow parsing '-1e309'"},
       }) {
    CHECK(mistakes(json) == "body:1: not valid JSON" + std::string(message));
  }
  CHECK(mistakes(std::string_view("{}\n\0{}", 6)) == "body:2: not valid JSON: it holds a NUL byte");
}

TEST_CASE("other documents than an object are refused") {
  CHECK(mistakes("[]") == "body:1: expected an object, found an array");
  CHECK(mistakes("null") == "body:1: expected an object, found null");
  CHECK(file_mistakes("[]") == "p.json:1: expected an object, found an array");
  CHECK(file_mistakes("{}") == "p.json:1: plugins: is missing; expected an array of plug-in definitions");
  CHECK(file_mistakes(R"({"plugins":{}})") == "p.json:1: plugins: expected an array, found an object");
}

TEST_CASE("documents that are too deep, too large or too many-valued are refused") {
  std::string deep(1'000'000, '[');
  CHECK(mistakes(deep) == "body:1: nested deeper than 64 levels");
  CHECK(mistakes(web("\"config\":" + deep)).find("nested deeper than 64 levels") != std::string::npos);
  CHECK(parsed(web("\"config\":" + std::string(60, '[') + std::string(60, ']'))).config.size() == 120);
  CHECK(mistakes(std::string(5 << 20, ' ')) == "body:1: larger than 4 MiB");
  std::string many = "[0";
  for (int count = 0; count < 200'000; ++count) many += ",0";
  CHECK(mistakes(many + "]") == "body:1: more than 100000 values");
  CHECK(parsed(web("\"config\":" + many + "]")).config.size() == many.size() + 1);
}

TEST_CASE("a long list of mistakes is cut") {
  std::string plugins = "{}";
  for (int count = 0; count < 50; ++count) plugins += ",{}";
  std::string message = file_mistakes("{\"plugins\":[" + plugins + "]}");
  CHECK(std::count(message.begin(), message.end(), '\n') == 20);
  CHECK(message.find("\n... and 82 more") != std::string::npos);
}

TEST_CASE("relative paths are resolved against the folder of their file") {
  CHECK(resolved("a.js") == "/home/me/a.js");
  CHECK(resolved("./x/./a.js") == "/home/me/x/./a.js");
  CHECK(resolved(".//a.js") == "/home/me/a.js");
  CHECK(resolved("../a.js") == "/home/me/../a.js");
  CHECK(resolved("/abs/a.js") == "/abs/a.js");
  CHECK(resolved("a.js", "/") == "/a.js");
  CHECK(resolved("") == "");
  CHECK(resolved("file:///x/y%20z.js?q#f") == "/x/y z.js");
  CHECK(resolved("file:/x/a.js") == "/x/a.js");
  CHECK(resolved("file://localhost/x/a.js") == "/x/a.js");
  CHECK(resolved("file:a%2Ejs") == "/home/me/a.js");
  Definition native;
  native.type = PluginType::kNative;
  native.path = "libhello.so";
  resolve_paths(native, "/home/me");
  CHECK(native.path == "libhello.so");
  native.path = "./libhello.so";
  resolve_paths(native, "/home/me");
  CHECK(native.path == "/home/me/libhello.so");
  Definition files;
  files.type = PluginType::kStatic;
  files.path = "public";
  resolve_paths(files, "/home/me");
  CHECK(files.path == "/home/me/public");
}

TEST_CASE("a definition as JSON holds every field in force and parses to itself") {
  CHECK(
      to_json(parsed(R"({"type":"web","name":"a","url":"a\"b.js","config":{"x":[1]}})")) ==
      R"({"type":"web","name":"a","prefix":"a","url":"a\"b.js","fetch":"server","place":"both","fallback":"none","prefer":"plugin-first","config":{"x":[1]},)"
      R"("limits":{"timeout_ms":30000,"memory_mb":128,"queue":1024},"instances":{"min":1,"max":1}})");
  for (std::string_view json : {R"({"type":"web","name":"a","url":"a.js","prefix":"/","instances":{"min":0,"max":5}})",
                                R"({"type":"web","name":"a","url":"a.js","fetch":"browser"})",
                                R"({"type":"native","name":"a","path":"x","config":"\u0001","limits":{"queue":7}})",
                                R"({"type":"native","name":"a","path":"x","web":"x.wasm","place":"browser"})",
                                R"({"type":"web","name":"a","url":"a.js","place":"server","fallback":"network"})",
                                R"({"type":"web","name":"a","url":"a.js","prefer":"plugin-only"})",
                                R"({"type":"static","name":"h","builtin":"files","path":"public","prefix":"a/b"})"}) {
    std::string once = to_json(parsed(json));
    CAPTURE(once);
    CHECK(to_json(parsed(once)) == once);
  }
  CHECK(to_json(parsed(R"({"type":"web","name":"a","url":"a.js","prefix":"/"})")).find("\"prefix\":\"/\"") !=
        std::string::npos);
}

TEST_CASE("schemes are told from paths") {
  CHECK(url_scheme("https://x") == "https");
  CHECK(url_scheme("FiLe:x") == "file");
  CHECK(url_scheme("a+b-c.1:") == "a+b-c.1");
  for (std::string_view path : {"", ":", "1a:b", "./a:b", "a/b:c", "a b:c", "\xC3\xA9:x"})
    CHECK(url_scheme(path).empty());
}
