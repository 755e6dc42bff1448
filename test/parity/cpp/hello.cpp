#include <valor/vlugin.hpp>

valor::Response on_request(valor::Request request) {
  return "OK response from a plugin";
}

VLUGIN(on_request)
