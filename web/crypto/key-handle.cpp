#include "web/crypto/key-handle.h"

#include <utility>

namespace valor::web::crypto {

namespace {

// Tells handles from other buffers, should the platform ever mistake one for the other.
constexpr uint64_t kMagic = 0x56616c6f724b6579;

struct Cell {
  uint64_t magic;
  EVP_PKEY* key;
};

void free_cell(void* data, size_t, void*) {
  Cell* cell = static_cast<Cell*>(data);
  EVP_PKEY_free(cell->key);
  delete cell;
}

}  // namespace

v8::Local<v8::ArrayBuffer> make_handle(v8::Isolate* isolate, Key key) {
  Cell* cell = new Cell{kMagic, key.release()};
  return v8::ArrayBuffer::New(isolate, v8::ArrayBuffer::NewBackingStore(cell, sizeof(Cell), free_cell, nullptr));
}

EVP_PKEY* key_of(v8::Local<v8::Value> handle) {
  if (!handle->IsArrayBuffer() || handle.As<v8::ArrayBuffer>()->ByteLength() != sizeof(Cell)) return nullptr;
  const Cell* cell = static_cast<const Cell*>(handle.As<v8::ArrayBuffer>()->Data());
  return cell->magic == kMagic ? cell->key : nullptr;
}

KeyContext context_for(EVP_PKEY* key) {
  return KeyContext(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
}

}  // namespace valor::web::crypto
