// Keeps the name from its config ("Alice") and greets whoever the query names: GET ?who=Bob -> "Alice says hello Bob!"
#include <optional>
#include <string>
#include <valor/vlugin.hpp>

struct Greeter {
  std::string name;
};

void on_create(valor::Context& context) {
  const std::optional<std::string> name = context.config_string();
  if (!name) return context.fail("with_state needs a name as its config, for example \"config\": \"Alice\"");
  context.set_state<Greeter>(*name);
}

valor::Response on_request(const valor::Request& request, valor::Context& context) {
  const std::optional<std::string> who = request.query("who");
  if (!who) return valor::Response(400, "Say who: ?who=NAME\n");
  return context.state<Greeter>().name + " says hello " + *who + "!";
}

VLUGIN(on_request, on_create)
