#include <cstdio>
#include <string>
#include <valor/vlugin.hpp>
#include <words.hpp>

valor::Task<valor::Response> on_request(valor::Request request, valor::Context& context) {
  const std::optional<std::string> who = request.query("who");
  if (!who) co_return valor::Response(400, "Say who: ?who=NAME\n");
  std::printf("greeting %s\n", who->c_str());
  co_await valor::sleep(1000);
  co_return greet(context.config_string().value_or("Nobody"), *who);
}

VLUGIN(on_request)
