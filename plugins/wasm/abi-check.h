// Whether a module speaks the plug-in ABI (abi/valor.h), and if not, what is missing and which kind of plug-in it is.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "plugins/wasm/module-layout.h"

namespace valor::plugins::wasm {

/// A function of the host, as an import of a module.
struct HostFunction {
  std::string_view name;
  Signature signature;
};

/// The module that the functions of the host are imported from.
constexpr std::string_view kHostModule = "valor";

/// The error lists all that is wrong, a line each, and ends with advice.
core::Status check_abi(const ModuleLayout& layout, std::span<const HostFunction> host);

}  // namespace valor::plugins::wasm
