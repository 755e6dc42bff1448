#include "web/natives.h"

namespace valor::web {

void register_web_natives(engine::NativeRegistry& registry) {
  register_encoding_natives(registry);
  register_structured_clone_natives(registry);
  register_inspect_natives(registry);
  register_url_natives(registry);
  register_webidl_natives(registry);
  register_compression_natives(registry);
  register_crypto_natives(registry);
  register_fetch_natives(registry);
}

}  // namespace valor::web
