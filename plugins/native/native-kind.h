// Plug-ins of type "native": shared libraries that speak the plug-in ABI (abi/valor.h). docs/plugins-native.md
// describes them for users. Their code runs in this process: it may block, but a crash in it ends everything.
#pragma once

#include <memory>

#include "host/guest.h"
#include "plugins/native/library.h"

namespace valor::plugins::native {

class NativeKind final : public host::Kind {
 public:
  std::unique_ptr<host::Guest> create(host::GuestContext& context) override;

 private:
  LibraryCache libraries_;
};

}  // namespace valor::plugins::native
