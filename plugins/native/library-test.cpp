#include "plugins/native/library.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "plugins/native/host-table.h"
#include "plugins/native/private-copy.h"
#include "plugins/native/test-support.h"

using namespace valor::plugins::native;
using namespace valor::plugins::native::testing;
namespace fs = std::filesystem;

namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/valor-native-test-XXXXXX";
    path = mkdtemp(name);
  }
  ~TemporaryFolder() { fs::remove_all(path); }
  std::string path;
};

std::string error_of(const std::string& path) {
  LibraryCache libraries;
  auto loaded = libraries.load(path, host_table());
  return loaded ? "" : loaded.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a file that is not there is named with its full path") {
  const std::string error = error_of("/nowhere/plugin.so");
  CHECK(contains(error, "/nowhere/plugin.so"));
  CHECK(contains(error, "no such file"));
}

TEST_CASE("a folder, a text and an empty file are no libraries") {
  TemporaryFolder folder;
  CHECK(contains(error_of(folder.path), "not a file"));
  std::ofstream(folder.path + "/text.so") << "hello";
  CHECK(contains(error_of(folder.path + "/text.so"), "not a shared library"));
  std::ofstream(folder.path + "/empty.so").flush();
  CHECK(contains(error_of(folder.path + "/empty.so"), "not a shared library"));
}

TEST_CASE("a library that is cut off is refused with the file's name, wherever it ends") {
  TemporaryFolder folder;
  const std::string path = folder.path + "/torn.so";
  const std::string whole = test_plugin("plain-a");
  for (uintmax_t end :
       {uintmax_t{5}, uintmax_t{500}, uintmax_t{2000}, uintmax_t{4096}, uintmax_t{4097}, uintmax_t{8192}}) {
    fs::copy_file(whole, path, fs::copy_options::overwrite_existing);
    fs::resize_file(path, end);
    CAPTURE(end);
    CHECK(contains(error_of(path), path + " is a shared library without its end"));
  }
}

TEST_CASE("a library without the entry symbol is said to be no plug-in, every time") {
  LibraryCache libraries;
  for (int i = 0; i < 2; ++i) {
    auto loaded = libraries.load(test_plugin("no-symbol"), host_table());
    REQUIRE(!loaded);
    CHECK(contains(loaded.error().message, "does not export valor_plugin_v1"));
    CHECK(contains(loaded.error().message, "VLUGIN"));
  }
}

TEST_CASE("an ABI version that this Valor does not speak is refused with both versions") {
  CHECK(contains(error_of(test_plugin("future-abi")), "needs plug-in ABI 2, this Valor speaks 1: update Valor"));
  CHECK(contains(error_of(test_plugin("ancient-abi")), "needs plug-in ABI 0, this Valor speaks 1"));
}

TEST_CASE("a table that is too small, has holes, or is not given is refused") {
  CHECK(contains(error_of(test_plugin("small-table")), "16 bytes where plug-in ABI 1 has 48 at least"));
  CHECK(contains(error_of(test_plugin("hole-in-table")), "NULL"));
  CHECK(contains(error_of(test_plugin("refuses")), "refuses to run"));
}

TEST_CASE("a name without a slash is searched as a system library, and the error says what was tried") {
  const std::string error = error_of("no-such-library-of-valor");
  CHECK(contains(error, "libno-such-library-of-valor.so"));
  CHECK(contains(error, "no-such-library-of-valor.so"));
  // There under every C library's name, and no plug-in.
  CHECK(contains(error_of("m"), "lib"));
}

TEST_CASE("a file that is loaded twice is one library; another path to the same file too") {
  TemporaryFolder folder;
  fs::create_symlink(test_plugin("plain-a"), folder.path + "/link.so");
  LibraryCache libraries;
  auto first = libraries.load(test_plugin("plain-a"), host_table());
  auto second = libraries.load(folder.path + "/link.so", host_table());
  REQUIRE(first);
  REQUIRE(second);
  CHECK(*first == *second);
}

TEST_CASE("loads at the same time give one library") {
  LibraryCache libraries;
  std::vector<const valor_guest*> tables(8);
  std::vector<std::thread> threads;
  for (auto& table : tables) {
    threads.emplace_back([&] { table = libraries.load(test_plugin("behaviours"), host_table()).value(); });
  }
  for (auto& thread : threads) thread.join();
  for (auto* table : tables) CHECK(table == tables[0]);
}

TEST_CASE("a new file at an old path brings new code, however it got there") {
  TemporaryFolder folder;
  const std::string path = folder.path + "/plugin.so";
  fs::copy_file(test_plugin("plain-a"), path);
  NativeKind kind{nullptr};
  FakeHost old_host(definition_of(path));
  REQUIRE(old_host.start(kind) == "");
  CHECK(old_host.get("").answer == "a");
  SUBCASE("renamed over the old one") {
    fs::copy_file(test_plugin("plain-b"), path + ".new");
    fs::rename(path + ".new", path);
  }
  SUBCASE("written over the old one in place") {
    fs::copy_file(test_plugin("plain-b"), path, fs::copy_options::overwrite_existing);
  }
  SUBCASE("cut to nothing and written anew") {
    fs::resize_file(path, 0);
    CHECK(old_host.get("").answer == "a");
    fs::copy_file(test_plugin("plain-b"), path, fs::copy_options::overwrite_existing);
  }
  FakeHost new_host(definition_of(path));
  REQUIRE(new_host.start(kind) == "");
  CHECK(new_host.get("").answer == "b");
  CHECK(old_host.get("").answer == "a");
}

TEST_CASE("plug-ins of different files share no inline variables, instances of one file do") {
  NativeKind kind{nullptr};
  FakeHost a(definition_of(test_plugin("plain-a")));
  FakeHost again(definition_of(test_plugin("plain-a")));
  FakeHost b(definition_of(test_plugin("plain-b")));
  REQUIRE(a.start(kind) == "");
  REQUIRE(again.start(kind) == "");
  REQUIRE(b.start(kind) == "");
  CHECK(a.get("inline").answer == "1");
  CHECK(again.get("inline").answer == "2");
  CHECK(b.get("inline").answer == "1");
}

TEST_CASE("whatever the bytes, looking for unique symbols neither crashes nor grows the file") {
  std::ifstream file(test_plugin("plain-a"), std::ios::binary);
  const std::vector<char> good((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  uint32_t random = 1;
  for (int round = 0; round < 500; ++round) {
    std::vector<char> bytes = good;
    random = random * 1664525 + 1013904223;
    // Most offsets and sizes that matter are in the first 64 bytes and in the section headers at the end.
    for (int i = 0; i < 4; ++i) {
      random = random * 1664525 + 1013904223;
      const size_t at = random / 65536 % 2 == 0 ? 16 + random % 48 : bytes.size() - 1 - random % 3000;
      bytes[at] = static_cast<char>(random >> 24);
    }
    if (round % 5 == 0) bytes.resize(random % bytes.size());
    const size_t size = bytes.size();
    make_unique_symbols_weak(bytes);
    CHECK(bytes.size() == size);
  }
}
