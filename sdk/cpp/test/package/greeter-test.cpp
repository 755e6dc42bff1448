#include <cstdio>
#include <valor/test.hpp>

int main() {
  valor::test::Instance instance(valor_plugin_v1, {.config = R"("Alice")"});
  if (instance.get("?who=Bob").body == "Alice says hello Bob!" && instance.get("").status == 400) return 0;
  std::puts("the greeter is wrong");
  return 1;
}
