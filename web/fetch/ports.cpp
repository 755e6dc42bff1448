// Which ports are blocked, for ports.ts.
#include <v8.h>

#include "core/blocked-ports.h"
#include "web/natives.h"

namespace valor::web {

namespace {

// isBlockedPort(port: number): boolean
void is_blocked_port(const v8::FunctionCallbackInfo<v8::Value>& info) {
  const bool is_port = info[0]->IsUint32() && info[0].As<v8::Uint32>()->Value() <= 65535;
  info.GetReturnValue().Set(is_port && core::is_blocked_port(static_cast<uint16_t>(info[0].As<v8::Uint32>()->Value())));
}

}  // namespace

void register_fetch_natives(engine::NativeRegistry& registry) {
  registry.add("isBlockedPort", is_blocked_port);
}

}  // namespace valor::web
