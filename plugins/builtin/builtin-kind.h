// Plug-ins of type "static": built into the server, chosen by the definition's `builtin` (default: its name).
// docs/plugins-builtin.md describes them for users. They are trusted code that never blocks on the network, so they
// stay inside the turn of their loop all the time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "host/guest.h"
#include "host/plugin-control.h"
#include "plugins/builtin/browser.h"

namespace valor::plugins::builtin {

struct BuiltinOptions {
  /// What the registry acts on, and what browsers get plug-ins of; outlives the kind. May be null when both are off.
  host::PluginControl* control = nullptr;
  /// Whether a definition may mount the registry (`-w`).
  bool registry_enabled = false;
  /// The bearer token that the registry asks for; empty: none, and only requests from this machine that no web page
  /// of another origin can have made are answered.
  std::string admin_token = {};
  BrowserOptions browser = {};
};

class BuiltinKind final : public host::Kind {
 public:
  explicit BuiltinKind(BuiltinOptions options);
  std::unique_ptr<host::Guest> create(host::GuestContext& context) override;

 private:
  BuiltinOptions options_;
};

}  // namespace valor::plugins::builtin
