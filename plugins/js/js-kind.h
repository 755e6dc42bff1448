// Plug-ins written in JavaScript or TypeScript: definitions of type "web" whose url names a script.
#pragma once

#include <node.h>

#include <memory>
#include <string>

#include "core/definition.h"
#include "engine/isolate-stock.h"
#include "engine/lazy-scripts.h"
#include "engine/modules.h"
#include "engine/native-registry.h"
#include "engine/snapshot.h"
#include "host/guest.h"
#include "http/handler.h"
#include "plugins/js/broadcast-hub.h"

namespace valor::plugins::js {

struct JsKindOptions {
  node::MultiIsolatePlatform* platform;  ///< borrowed
  std::shared_ptr<const engine::Snapshot> snapshot;
  std::shared_ptr<engine::LazyScripts> lazy;
  /// Asked for .ts and .mts files, on an instance's thread; may block.
  engine::StripTypes strip;
  /// Whose plug-ins fetch() reaches in memory; outlives the kind. nullptr: there are no others.
  http::Shared* server = nullptr;

  engine::IsolateBlueprint blueprint(const core::Limits& limits) const {
    return {platform, snapshot, lazy, uint64_t{limits.memory_mb} << 20};
  }
};

class JsKind final : public host::Kind {
 public:
  explicit JsKind(JsKindOptions options) : options_(std::move(options)), stock_(options_.blueprint({})) {
    engine::set_v8_flags();
  }
  std::unique_ptr<host::Guest> create(host::GuestContext& context) override;
  engine::IsolateStock& stock() { return stock_; }

 private:
  JsKindOptions options_;
  BroadcastHub hub_;
  engine::IsolateStock stock_;  // for plug-ins with the limits that go without saying
};

/// The native functions that plugins/js/*.ts calls.
void register_js_natives(engine::NativeRegistry& registry);

/// Every native function that the startup snapshot may refer to, in the one order that building and using it share.
engine::NativeRegistry all_natives();

}  // namespace valor::plugins::js
