// The same computations as a plug-in for Valor, native and WASM.
#include <valor/vlugin.hpp>

#include "core.h"

valor::Response on_request(const valor::Request& request) {
  if (request.path() == "sha256") return std::to_string(core_sha256());
  if (request.path() == "mandelbrot") return std::to_string(core_mandelbrot());
  if (request.path() == "json") return std::to_string(core_json());
  return "ready";
}

VLUGIN(on_request)
