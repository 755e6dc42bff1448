#include <string>
#include <valor/vlugin.hpp>

struct Greeter {
  std::string name;
  int greeted = 0;
};

void on_create(valor::Context& context) {
  const std::optional<std::string> name = context.config_string();
  if (!name) return context.fail("the config must be a name, a JSON string");
  context.set_state<Greeter>(*name);
}

valor::Response on_request(const valor::Request& request, valor::Context& context) {
  Greeter& greeter = context.state<Greeter>();
  if (request.path() == "count") return std::to_string(greeter.greeted);
  const std::optional<std::string> who = request.query("who");
  if (!who) return valor::Response(400, "who is missing");
  ++greeter.greeted;
  return greeter.name + " says hello " + *who + "!";
}

VLUGIN(on_request, on_create)
