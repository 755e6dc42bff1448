// The functions of the host as imports of a WASM module: made from the list abi/valor-host.inc, each with the types
// that it has there.
#pragma once

#include <v8.h>

#include <span>
#include <string_view>

#include "plugins/wasm/abi-check.h"

namespace valor::plugins::wasm {

/// What a module may import.
std::span<const HostFunction> host_functions();

/// The callbacks, in the order of host_functions(). They expect a WasmGuest as owner of the isolate's tenant, and
/// arguments of the types that host_functions() names.
std::span<const v8::FunctionCallback> host_callbacks();

}  // namespace valor::plugins::wasm
