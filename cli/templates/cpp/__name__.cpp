// Greets: /__name__?who=Bob is answered with "Alice says hello Bob!". The name is the config in plugins.json.
#include <valor/vlugin.hpp>

void on_create(valor::Context& context) {
  auto name = context.config_string();
  if (!name) return context.fail("the config is a name, for example \"config\": \"Alice\"");
  context.set_state<std::string>(*name);
}

valor::Response on_request(const valor::Request& request, valor::Context& context) {
  auto who = request.query("who");
  if (!who) return valor::Response(400, "Say who: ?who=NAME\n");
  return context.state<std::string>() + " says hello " + *who + "!\n";
}

VLUGIN(on_request, on_create)
