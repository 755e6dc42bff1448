// Runs the plug-in without a server. Any test framework will do; this is none.
#include <cstdio>
#include <valor/test.hpp>

static int failures = 0;

static void check(bool holds, const char* what) {
  if (holds) return;
  std::printf("FAILED: %s\n", what);
  ++failures;
}

int main() {
  valor::test::Instance plugin(valor_plugin_v1, {.config = R"("Alice")"});
  check(plugin.get("?who=Bob").body == "Alice says hello Bob!\n", "greets whoever is named");
  check(plugin.get("").status == 400, "asks for a name");

  valor::test::Instance nameless(valor_plugin_v1, {.config = "7"});
  check(nameless.error().find("the config is a name") == 0, "says what its config must be");
  return failures == 0 ? 0 : 1;
}
