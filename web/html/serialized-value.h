// A value on its way from one isolate of this process to another: bytes in V8's format, and beside them what can be
// shared. https://html.spec.whatwg.org/multipage/structured-data.html#structuredserialize
#pragma once

#include <v8.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "web/crypto/key-handle.h"

namespace valor::web {

/// Immutable; any thread may read and destroy it.
class SerializedValue {
 public:
  /// Bytes that it keeps alive, without WebAssembly modules.
  size_t size() const { return value_.size + packed_.size; }

 private:
  friend class SerializedValueWriter;
  friend class SerializedValueReader;
  struct Free {
    void operator()(uint8_t* bytes) const { std::free(bytes); }
  };
  struct Bytes {
    std::unique_ptr<uint8_t, Free> data;
    size_t size = 0;
  };

  Bytes value_;
  Bytes packed_;                                 // a list: kind and data of each platform object, in turn
  std::vector<crypto::Key> keys_;                // that of each, mostly none
  std::vector<v8::CompiledWasmModule> modules_;  // compiled once for all
};

/// nullptr: it cannot be copied, and an exception is pending, where it is a DataCloneError one from
/// `make_error(message)`. Runs plug-in code: getters.
std::shared_ptr<const SerializedValue> serialize(v8::Local<v8::Context> context, v8::Local<v8::Value> value,
                                                 v8::Local<v8::Function> make_error);

/// A copy in this isolate. `unpack(kind, data, key)` makes platform objects of what their class has packed. Empty when
/// that fails or memory runs out; an exception is pending.
v8::MaybeLocal<v8::Value> deserialize(v8::Local<v8::Context> context, const SerializedValue& serialized,
                                      v8::Local<v8::Function> unpack);

}  // namespace valor::web
