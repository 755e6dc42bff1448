#include "plugins/native/native-kind.h"

#include "plugins/native/native-guest.h"

namespace valor::plugins::native {

std::unique_ptr<host::Guest> NativeKind::create(host::GuestContext& context) {
  return std::make_unique<NativeGuest>(context, *this);
}

}  // namespace valor::plugins::native
