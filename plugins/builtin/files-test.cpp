#include "plugins/builtin/files.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "host/testing/fake-host.h"
#include "plugins/builtin/builtin-kind.h"
#include "plugins/builtin/folder.h"

using namespace valor;                    // NOLINT(google-build-using-namespace)
using namespace valor::plugins::builtin;  // NOLINT(google-build-using-namespace)
using host::testing::Ending;
using host::testing::FakeCall;
using host::testing::FakeHost;

namespace {

namespace fs = std::filesystem;

// A site in a temporary folder, with things beside it that must stay out of reach.
struct Site {
  fs::path base;
  fs::path root;

  Site() {
    std::string name = (fs::temp_directory_path() / "valor-files-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    base = name;
    root = base / "public";
    fs::create_directories(root / "sub/deep");
    fs::create_directories(root / "empty");
    fs::create_directories(root / ".git");
    fs::create_directories(root / ".well-known");
    write("secret.txt", "secret");
    write("public/index.html", "<h1>root</h1>");
    write("public/sub/index.html", "<h1>sub</h1>");
    write("public/sub/deep/a b.txt", "blank");
    write("public/hello.txt", "hello, world");
    write("public/.git/config", "hidden");
    write("public/.hidden", "hidden");
    write("public/.well-known/security.txt", "contact");
    write("public/big.bin", big());
    write("public/nothing", "");
    fs::create_symlink("hello.txt", root / "inside-link.txt");
    fs::create_symlink("../secret.txt", root / "outside-link.txt");
    fs::create_symlink(base / "secret.txt", root / "absolute-link.txt");
    fs::create_symlink("..", root / "up");
    fs::create_symlink("/proc/self/root", root / "magic");
    fs::create_symlink("loop", root / "loop");
    REQUIRE(mkfifo((root / "fifo").c_str(), 0600) == 0);
  }
  ~Site() { fs::remove_all(base); }

  static std::string big() {
    std::string text;
    while (text.size() < 1'000'000) text += std::to_string(text.size()) + ",";
    return text;
  }
  void write(const std::string& path, std::string_view text) const {
    std::ofstream(base / path, std::ios::binary) << text;
    // Long unchanged, so that tags are strong.
    const timespec times[2] = {{784111777, 0}, {784111777, 0}};
    utimensat(AT_FDCWD, (base / path).c_str(), times, 0);
  }
};

core::Definition files_definition(const fs::path& path, std::string config = "null") {
  core::Definition result;
  result.type = core::PluginType::kStatic;
  result.name = "site";
  result.builtin = "files";
  result.path = path.string();
  result.config = std::move(config);
  return result;
}

struct ServedSite : Site {
  BuiltinKind kind{{}};
  FakeHost host;
  explicit ServedSite(std::string config = "null") : host(files_definition(root, std::move(config))) {
    REQUIRE(host.start(kind) == "");
  }
  FakeCall& get(std::string url, std::initializer_list<std::pair<std::string_view, std::string_view>> headers = {},
                std::string method = "GET") {
    FakeCall& call = host.prepare(std::move(method), std::move(url));
    for (const auto& [name, value] : headers) call.sent.headers.append(name, value);
    host.send(call);
    REQUIRE(host.wait_for(call));
    return call;
  }
};

}  // namespace

TEST_CASE("a file comes with its type, length and validators") {
  ServedSite site;
  const FakeCall& call = site.get("hello.txt");
  CHECK(call.status() == 200);
  CHECK(call.answer == "hello, world");
  CHECK(call.answer_length == 12);
  CHECK(call.header("content-type") == "text/plain;charset=utf-8");
  CHECK(call.header("last-modified") == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(call.header("accept-ranges") == "bytes");
  CHECK(call.header("x-content-type-options") == "nosniff");
  const std::string etag = call.header("etag");
  CHECK(etag.front() == '"');

  const FakeCall& cached = site.get("hello.txt", {{"if-none-match", etag}});
  CHECK(cached.status() == 304);
  CHECK(cached.answer.empty());
  CHECK(cached.header("etag") == etag);
  CHECK(site.get("hello.txt", {{"if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"}}).status() == 304);
  CHECK(site.get("hello.txt", {{"if-match", "\"other\""}}).status() == 412);

  site.write("public/hello.txt", "hello again!!");
  CHECK(site.get("hello.txt").header("etag") != etag);
}

TEST_CASE("a file that has just changed has a weak tag") {
  ServedSite site;
  std::ofstream(site.root / "hello.txt") << "new";
  CHECK(site.get("hello.txt").header("etag").starts_with("W/\""));
}

TEST_CASE("HEAD says what GET would, without the body") {
  ServedSite site;
  for (const char* url : {"hello.txt", "big.bin"}) {
    const FakeCall& get = site.get(url);
    const FakeCall& head = site.get(url, {{"range", "bytes=0-1"}}, "HEAD");
    CHECK(head.status() == 200);
    CHECK(head.answer.empty());
    CHECK(head.answer_length == get.answer_length);
    CHECK(head.header("etag") == get.header("etag"));
  }
}

TEST_CASE("an empty file is an answer") {
  ServedSite site;
  const FakeCall& call = site.get("nothing");
  CHECK(call.status() == 200);
  CHECK(call.answer_length == 0);
  CHECK(call.header("content-type") == "application/octet-stream");
}

TEST_CASE("a range is answered with 206, one beyond the end with 416") {
  ServedSite site;
  const FakeCall& part = site.get("big.bin", {{"range", "bytes=100000-299999"}});
  CHECK(part.status() == 206);
  CHECK(part.answer == Site::big().substr(100'000, 200'000));
  const std::string size = std::to_string(Site::big().size());
  CHECK(part.header("content-range") == "bytes 100000-299999/" + size);
  CHECK(part.answer_length == 200'000);

  const FakeCall& beyond = site.get("big.bin", {{"range", "bytes=99999999-"}});
  CHECK(beyond.status() == 416);
  CHECK(beyond.header("content-range") == "bytes */" + size);
  CHECK(site.get("big.bin", {{"range", "bytes=0-1"}, {"if-range", "\"other\""}}).status() == 200);
}

TEST_CASE("a large file is sent no faster than the client takes it") {
  ServedSite site;
  FakeCall& call = site.host.prepare("GET", "big.bin");
  call.window = 100'000;
  site.host.send(call);
  CHECK(site.host.until([&] { return call.written >= 100'000; }));
  site.host.run([] {});
  CHECK(site.host.look([&] { return call.written; }) < 200'000);
  site.host.allow(call, 300'000);
  CHECK(site.host.until([&] { return call.written >= 400'000; }));
  CHECK(site.host.look([&] { return call.ending; }) == Ending::kOpen);
  site.host.allow(call, UINT64_MAX);
  REQUIRE(site.host.wait_for(call));
  CHECK(call.ending == Ending::kFinished);
  CHECK(call.answer == Site::big());
}

TEST_CASE("a file that shrinks while it is sent breaks the answer off") {
  ServedSite site;
  FakeCall& call = site.host.prepare("GET", "big.bin");
  call.window = 70'000;
  site.host.send(call);
  fs::resize_file(site.root / "big.bin", 100'000);
  site.host.allow(call, UINT64_MAX);
  REQUIRE(site.host.wait_for(call));
  CHECK(call.ending == Ending::kAborted);
}

TEST_CASE("a client that leaves ends its download") {
  ServedSite site;
  FakeCall& call = site.host.prepare("GET", "big.bin");
  call.window = 1;
  site.host.send(call);
  site.host.drop(call);
  CHECK(site.get("hello.txt").status() == 200);
}

TEST_CASE("a folder answers with its index below a slash") {
  ServedSite site;
  FakeCall& root = site.host.prepare("GET", "");
  root.sent.target = "/test/";
  site.host.send(root);
  CHECK(root.answer == "<h1>root</h1>");
  CHECK(site.get("sub/").answer == "<h1>sub</h1>");

  const FakeCall& mount = site.get("?a=b");
  CHECK(mount.status() == 308);
  CHECK(mount.header("location") == "/test/?a=b");
  CHECK(site.get("sub").header("location") == "/test/sub/");
  CHECK(site.get("empty/").status() == 404);
  CHECK(site.get("empty").status() == 404);
  CHECK(site.get("hello.txt/").status() == 404);
}

TEST_CASE("the index and the cache-control header can be configured") {
  ServedSite site(R"({"index":"hello.txt","cache_control":"max-age=60"})");
  FakeCall& root = site.host.prepare("GET", "");
  root.sent.target = "/test/";
  site.host.send(root);
  CHECK(root.answer == "hello, world");
  CHECK(root.header("cache-control") == "max-age=60");
  ServedSite none(R"({"index":""})");
  CHECK(none.get("sub/").status() == 404);
}

TEST_CASE("no path leads out of the folder or to what is hidden") {
  ServedSite site;
  for (const char* url : {"../secret.txt",
                          "..%2fsecret.txt",
                          "%2e%2e/secret.txt",
                          "%2E%2E%2Fsecret.txt",
                          "sub/../../secret.txt",
                          "sub/..%2f..%2fsecret.txt",
                          "..\\secret.txt",
                          "..%5csecret.txt",
                          ".%2e/secret.txt",
                          "%252e%252e/secret.txt",
                          "outside-link.txt",
                          "absolute-link.txt",
                          "up/secret.txt",
                          "up/public/hello.txt",
                          "magic/etc/passwd",
                          "loop",
                          "/etc/passwd",
                          "%2fetc%2fpasswd",
                          ".//etc/passwd",
                          "fifo",
                          ".git/config",
                          ".hidden",
                          "%2ehidden",
                          "sub//index.html",
                          "hello.txt%00.html",
                          "sub/.well-known/x",
                          "missing",
                          "hello.txt/x"}) {
    CAPTURE(url);
    const FakeCall& call = site.get(url);
    CHECK(call.status() == 404);
    CHECK(call.answer.find("secret\n") == std::string::npos);
  }
  CHECK(site.get("%").status() == 400);
  CHECK(site.get(std::string(10'000, 'a')).status() == 404);
  CHECK(site.get("inside-link.txt").answer == "hello, world");
  CHECK(site.get(".well-known/security.txt").answer == "contact");
  CHECK(site.get("sub/deep/a%20b.txt?x=../y").answer == "blank");
}

TEST_CASE("without openat2, components are opened one by one and no link is followed") {
  Site site;
  const auto folder = Folder::create(site.root.string(), Folder::Guard::kComponents);
  REQUIRE(folder.ok());
  CHECK(folder.value().open("sub/deep/a b.txt").status == OpenStatus::kFile);
  CHECK(folder.value().open("sub/deep").status == OpenStatus::kFolder);
  CHECK(folder.value().open("").status == OpenStatus::kFolder);
  for (const char* path : {"../secret.txt", "sub/../../secret.txt", "up/secret.txt", "outside-link.txt",
                           "absolute-link.txt", "inside-link.txt", "magic", "fifo", "hello.txt/x", "loop"}) {
    CAPTURE(path);
    CHECK(folder.value().open(path).status == OpenStatus::kNotFound);
  }
}

TEST_CASE("methods other than GET and HEAD are refused by name") {
  ServedSite site;
  const FakeCall& call = site.get("hello.txt", {}, "DELETE");
  CHECK(call.status() == 405);
  CHECK(call.header("allow") == "GET, HEAD");
}

TEST_CASE("a definition that cannot work says which field is wrong") {
  BuiltinKind kind({});
  Site site;
  const auto error = [&](const fs::path& path, std::string config) {
    return FakeHost(files_definition(path, std::move(config))).start(kind);
  };
  CHECK(error("", "null").starts_with("path: is missing"));
  CHECK(error(site.base / "absent", "null").starts_with("path: the folder "));
  CHECK(error(site.root / "hello.txt", "null").starts_with("path: the folder "));
  CHECK(error(site.root, R"({"index":"a/b"})").starts_with("config.index: "));
  CHECK(error(site.root, R"({"cache_control":"a\nb"})").starts_with("config.cache_control: "));
  CHECK(error(site.root, R"({"idnex":"a"})").starts_with("config.idnex: unknown"));
  CHECK(error(site.root, R"(["index"])").starts_with("config: expected an object"));
}
