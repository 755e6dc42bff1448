// Context: the config as a type, values at the host, giving up.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <valor/test.hpp>

template <class T>
struct valor::Json {
  static T parse(std::string_view text) { return nlohmann::json::parse(text).get<T>(); }
};

namespace {

struct Settings {
  std::string language;
  int most = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Settings, language, most)

struct Small {
  int value;
};

void on_create(valor::Context& context) {
  const std::optional<Settings> settings = context.config_as<Settings>();
  if (!settings) return;
  context.set_state<Settings>(*settings);
}

valor::Response on_request(const valor::Request& request, valor::Context& context) {
  const valor::Store store = context.store();
  if (request.path() == "settings") {
    return context.state<Settings>().language + std::to_string(context.state<Settings>().most);
  }
  if (request.path() == "set") return store.set(*request.query("key"), *request.query("value")) ? "set" : "refused";
  if (request.path() == "get") return store.get(*request.query("key")).value_or("absent");
  if (request.path() == "erase") return store.erase(*request.query("key")) ? "erased" : "absent";
  if (request.path() == "abort") context.abort("cannot go on");
  return "after";
}

void small_on_create(valor::Context& context) {
  context.config_as<Small>();
}

constexpr std::string_view kConfig = R"({"language":"en","most":3})";

}  // namespace

template <>
struct valor::Json<Small> {
  static std::optional<Small> parse(std::string_view text) {
    return text == "1" ? std::optional(Small{1}) : std::nullopt;
  }
};

TEST_CASE("the config comes as a type of the author's") {
  valor::test::Instance instance(valor::test::handlers<on_request, on_create>, {.config = std::string(kConfig)});
  CHECK(instance.error() == "");
  CHECK(instance.get("settings").body == "en3");
}

TEST_CASE("a config that does not fit fails the creation, with the library's words") {
  valor::test::Instance instance(valor::test::handlers<on_request, on_create>, {.config = R"({"language":7})"});
  CHECK(instance.error().find(R"(the config {"language":7} does not fit)") != std::string::npos);
  CHECK(instance.error().find("type must be string") != std::string::npos);
}

TEST_CASE("a parser without exceptions says so by giving nothing") {
  CHECK(valor::test::Instance(valor::test::handlers<on_request, small_on_create>, {.config = "1"}).error() == "");
  CHECK(valor::test::Instance(valor::test::handlers<on_request, small_on_create>, {.config = "2"}).error() ==
        "the config 2 does not fit: it does not have the expected shape");
}

TEST_CASE("values are kept at the host by key") {
  valor::test::Instance instance(valor::test::handlers<on_request, on_create>, {.config = std::string(kConfig)});
  CHECK(instance.get("get?key=a").body == "absent");
  CHECK(instance.get("set?key=a&value=1").body == "set");
  CHECK(instance.get("set?key=a&value=").body == "set");
  CHECK(instance.get("get?key=a").body == "");
  CHECK(instance.get("set?key=a&value=longer%00value").body == "set");
  CHECK(instance.get("get?key=a").body == std::string("longer\0value", 12));
  CHECK(instance.get("erase?key=a").body == "erased");
  CHECK(instance.get("erase?key=a").body == "absent");
  CHECK(instance.get("set?key=&value=1").body == "refused");
  CHECK(instance.get("set?value=1&key=" + std::string(257, 'k')).body == "refused");
}

TEST_CASE("an instance that aborts answers 502 and is called no more") {
  valor::test::Instance instance(valor::test::handlers<on_request, on_create>, {.config = std::string(kConfig)});
  const valor::test::Answer answer = instance.get("abort");
  CHECK(answer.status == 502);
  CHECK(answer.failure == "cannot go on");
  CHECK(instance.aborted());
}
