#include "core/header-list.h"

#include <doctest/doctest.h>

#include "core/message.h"

using namespace valor::core;

namespace {

std::string written(const HeaderList& list) {
  std::string out;
  for (auto [name, value] : list) out += std::string(name) + "=" + std::string(value) + ";";
  return out;
}

HeaderList sample() {
  HeaderList list;
  list.append("Accept", "text/html");
  list.append("x-a", "1");
  list.append("X-A", "2");
  list.append("Host", "example");
  return list;
}

}  // namespace

TEST_CASE("a header list keeps order and repetitions and writes names in lower case") {
  CHECK(written(sample()) == "accept=text/html;x-a=1;x-a=2;host=example;");
  CHECK(sample().size() == 4);
}

TEST_CASE("looking up ignores case and gives the first value") {
  HeaderList list = sample();
  CHECK(list.get("X-a") == "1");
  CHECK(list.count("x-A") == 2);
  CHECK(list.has("HOST"));
  CHECK_FALSE(list.has("hos"));
  CHECK_FALSE(list.get("").has_value());
}

TEST_CASE("setting replaces the first and removes its repetitions") {
  HeaderList list = sample();
  list.set("X-A", "a longer value than before");
  CHECK(written(list) == "accept=text/html;x-a=a longer value than before;host=example;");
  list.set("New", "n");
  CHECK(written(list) == "accept=text/html;x-a=a longer value than before;host=example;new=n;");
}

TEST_CASE("setting a value that lies in the list itself is safe") {
  HeaderList list = sample();
  list.set("x-a", *list.get("accept"));
  CHECK(list.get("x-a") == "text/html");
}

TEST_CASE("removing takes away every repetition") {
  HeaderList list = sample();
  list.remove("x-a");
  CHECK(written(list) == "accept=text/html;host=example;");
  list.append("x-a", "3");
  CHECK(written(list) == "accept=text/html;host=example;x-a=3;");
  list.remove("nothing");
  CHECK(list.size() == 3);
}

TEST_CASE("a cleared list is empty and can be filled again") {
  HeaderList list = sample();
  list.clear();
  CHECK(list.empty());
  CHECK_FALSE(list.has("host"));
  list.append("b", "");
  CHECK(written(list) == "b=;");
}

TEST_CASE("bytes beyond ASCII are kept as they are") {
  HeaderList list;
  list.append("x", "caf\xC3\xA9 \xFF");
  CHECK(list.get("x") == "caf\xC3\xA9 \xFF");
}

TEST_CASE("header names are tokens") {
  CHECK(is_header_name("x-request-id"));
  CHECK(is_header_name("!#$%&'*+-.^_`|~09azAZ"));
  for (std::string_view bad : {"", " ", "a b", "a:", "a\n", "\"a\"", "caf\xC3\xA9", "a\x7f", "(a)"})
    CHECK_FALSE(is_header_name(bad));
  CHECK_FALSE(is_header_name(std::string_view("a\0b", 3)));
}

TEST_CASE("header values hold no line ends, NUL or blanks at the ends") {
  for (std::string_view good : {"", "a", "a b", "a\tb", "\xC3\xA9", "\xFF"}) CHECK(is_header_value(good));
  for (std::string_view bad : {" a", "a ", "\ta", "a\r", "a\nb", "a\x01", "a\x7f", " "})
    CHECK_FALSE(is_header_value(bad));
  CHECK_FALSE(is_header_value(std::string_view("a\0b", 3)));
}

TEST_CASE("header names compare without ASCII case only") {
  CHECK(same_header_name("Content-Type", "content-tYPE"));
  CHECK_FALSE(same_header_name("a", "ab"));
  CHECK_FALSE(same_header_name("k", "\xE2\x84\xAA"));  // the Kelvin sign lower-cases to k elsewhere
  CHECK_FALSE(same_header_name("[", "{"));
}

TEST_CASE("a cleared request holds nothing of the one before") {
  Request request;
  request.method = "GET";
  request.target = request.url = request.scheme = request.authority = request.id = "x";
  request.headers.append("a", "b");
  request.clear();
  CHECK((request.method + request.target + request.url + request.scheme + request.authority + request.id).empty());
  CHECK(request.headers.empty());
}
