// Plug-ins of type "native": shared libraries that speak the plug-in ABI (abi/valor.h). docs/plugins-native.md
// describes them for users. Their code runs in this process: it may block, but a crash in it ends everything.
#pragma once

#include <memory>
#include <utility>

#include "host/guest.h"
#include "plugins/native/library.h"
#include "plugins/outgoing/network.h"

namespace valor::plugins::native {

class NativeKind final : public host::Kind {
 public:
  explicit NativeKind(outgoing::OpenNetwork open_network) : open_network_(std::move(open_network)) {}
  std::unique_ptr<host::Guest> create(host::GuestContext& context) override;

 private:
  const outgoing::OpenNetwork open_network_;
  LibraryCache libraries_;
};

}  // namespace valor::plugins::native
