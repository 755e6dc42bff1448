// Plug-ins of type "native": shared libraries that speak the plug-in ABI (abi/valor.h). docs/plugins-native.md
// describes them for users. Their code runs in this process: it may block, but a crash in it ends everything.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "host/guest.h"
#include "plugins/native/library.h"
#include "plugins/outgoing/network.h"

namespace valor::plugins::native {

class NativeKind final : public host::Kind {
 public:
  using Check = std::function<core::Status(const core::Definition&)>;

  /// `check_web`: whether the WASM build of a plug-in, which browsers run, is as its definition says; may be empty.
  explicit NativeKind(outgoing::OpenNetwork open_network, Check check_web = {})
      : open_network_(std::move(open_network)), check_web_(std::move(check_web)) {}
  std::unique_ptr<host::Guest> create(host::GuestContext& context) override;

 private:
  friend class NativeGuest;

  const outgoing::OpenNetwork open_network_;
  const Check check_web_;
  LibraryCache libraries_;
};

}  // namespace valor::plugins::native
