// Is created in the way that its config names.
#include <stdexcept>
#include <string>
#include <valor/vlugin.hpp>

valor::Task<> on_create(valor::Context& context) {
  const std::string how = context.config_string().value_or("");
  if (how == "throw") throw std::runtime_error("thrown in on_create");
  if (how == "fail") {
    context.fail("the config says fail");
    co_return;
  }
  if (how == "later") co_await valor::sleep(20);
  if (how == "fail later") {
    co_await valor::in_thread([] {});
    context.fail("failed after a while");
    co_return;
  }
  if (how == "never") co_await valor::sleep(3'600'000);
  context.set_state<std::string>("created: " + how);
}

valor::Response on_request(const valor::Request&, valor::Context& context) {
  return context.state<std::string>();
}

VLUGIN(on_request, on_create)
