// Plug-ins that are WebAssembly modules: definitions of type "web" whose url names one. A module speaks the plug-in ABI
// (abi/valor.h) and runs in an isolate of its own, without JavaScript. docs/plugins-wasm.md describes them for users.
#pragma once

#include <node.h>

#include <memory>
#include <utility>

#include "core/definition.h"
#include "engine/isolate-stock.h"
#include "host/guest.h"
#include "plugins/outgoing/network.h"
#include "plugins/wasm/module-cache.h"

namespace valor::plugins::wasm {

class WasmKind final : public host::Kind {
 public:
  /// `platform` is borrowed.
  WasmKind(node::MultiIsolatePlatform* platform, outgoing::OpenNetwork open_network)
      : platform_(platform), open_network_(std::move(open_network)), stock_(blueprint({})) {
    engine::set_v8_flags();
  }

  std::unique_ptr<host::Guest> create(host::GuestContext& context) override;

  /// Whether this is the kind for a definition of type "web": by the end of its url, or where that is none of a script
  /// either, by what the file begins with.
  static bool fits(const core::Definition& definition);

  /// How many modules are kept compiled.
  size_t compiled_modules() { return modules_.size(); }

 private:
  friend class WasmGuest;
  engine::IsolateBlueprint blueprint(const core::Limits& limits) const;

  node::MultiIsolatePlatform* platform_;
  const outgoing::OpenNetwork open_network_;
  ModuleCache modules_;
  engine::IsolateStock stock_;  // for plug-ins with the limits that go without saying
};

}  // namespace valor::plugins::wasm
