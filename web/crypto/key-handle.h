// How JavaScript holds a key of OpenSSL: in an ArrayBuffer whose memory ends with the key. V8 frees such memory when
// the buffer is collected and when the isolate ends. The platform keeps these buffers to itself.
#pragma once

#include <openssl/evp.h>
#include <v8.h>

#include <memory>

namespace valor::web::crypto {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

struct FreeKeyContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeKeyContext>;

v8::Local<v8::ArrayBuffer> make_handle(v8::Isolate* isolate, Key key);

/// Borrowed from the handle; nullptr when the value is none.
EVP_PKEY* key_of(v8::Local<v8::Value> handle);

/// nullptr when out of memory.
KeyContext context_for(EVP_PKEY* key);

}  // namespace valor::web::crypto
