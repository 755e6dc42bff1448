// The natives of web/ as a module for node, so that the tests of the TypeScript run on the real ones.
#include <node.h>

#include "web/natives.h"

NODE_MODULE_INIT() {
  valor::engine::NativeRegistry registry;
  valor::web::register_web_natives(registry);
  for (const auto& native : registry.natives()) NODE_SET_METHOD(exports, native.name, native.callback);
}
