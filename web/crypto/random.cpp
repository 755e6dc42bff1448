// Random bytes.
#include <openssl/rand.h>

#include "web/crypto/bytes.h"
#include "web/crypto/natives.h"

namespace valor::web::crypto {

namespace {

// cryptoFillRandom(view: ArrayBufferView): boolean
void fill_random(const Info& info) {
  ErrorScope errors;
  if (!info[0]->IsArrayBufferView()) return;
  v8::Local<v8::ArrayBufferView> view = info[0].As<v8::ArrayBufferView>();
  size_t size = view->ByteLength();
  bool filled = true;
  if (size > 0) {
    // Buffer() moves small arrays off the heap, so that there is a place to write to.
    uint8_t* data = static_cast<uint8_t*>(view->Buffer()->Data()) + view->ByteOffset();
    filled = RAND_bytes_ex(nullptr, data, size, 0) == 1;
  }
  info.GetReturnValue().Set(filled);
}

}  // namespace

void register_random_natives(engine::NativeRegistry& registry) {
  registry.add("cryptoFillRandom", fill_random);
}

}  // namespace valor::web::crypto
