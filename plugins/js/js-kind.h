// Plug-ins written in JavaScript or TypeScript: definitions of type "web" whose url names a script.
#pragma once

#include <node.h>

#include <memory>
#include <string>

#include "engine/lazy-scripts.h"
#include "engine/modules.h"
#include "engine/native-registry.h"
#include "engine/snapshot.h"
#include "host/guest.h"

namespace valor::plugins::js {

struct JsKindOptions {
  node::MultiIsolatePlatform* platform;  ///< borrowed
  std::shared_ptr<const engine::Snapshot> snapshot;
  std::shared_ptr<engine::LazyScripts> lazy;
  /// Asked for .ts and .mts files, on an instance's thread; may block.
  engine::StripTypes strip;
};

class JsKind final : public host::Kind {
 public:
  explicit JsKind(JsKindOptions options) : options_(std::move(options)) { engine::set_v8_flags(); }
  std::unique_ptr<host::Guest> create(host::GuestContext& context) override;

 private:
  JsKindOptions options_;
};

/// The native functions that plugins/js/*.ts calls.
void register_js_natives(engine::NativeRegistry& registry);

/// Every native function that the startup snapshot may refer to, in the one order that building and using it share.
engine::NativeRegistry all_natives();

}  // namespace valor::plugins::js
