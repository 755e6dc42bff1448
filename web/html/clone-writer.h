// The writing side of the structured clone algorithm, with V8's serializer:
// https://html.spec.whatwg.org/multipage/structured-data.html#structuredserializeinternal
// Where a copy goes decides what becomes of objects of the platform and of WebAssembly modules; the rest is here.
#pragma once

#include <v8.h>

namespace valor::web {

/// What JavaScript has said of a platform class with markPlatformPrototype (web/natives.ts): functions, or undefined.
struct PlatformClass {
  v8::Local<v8::Value> clone;
  v8::Local<v8::Value> transfer;
  v8::Local<v8::Value> pack;
};

/// Whether `object` is one of the platform; Nothing when an exception is pending.
v8::Maybe<bool> find_platform_class(v8::Local<v8::Context> context, v8::Local<v8::Object> object, PlatformClass& found);

/// Remembers the functions for everything that inherits from `prototype`.
void mark_platform_class(v8::Local<v8::Context> context, v8::Local<v8::Object> prototype,
                         const PlatformClass& functions);

/// A SharedArrayBuffer is refused:
/// https://html.spec.whatwg.org/multipage/structured-data.html#structuredserializeinternal allows it only where
/// crossOriginIsolated is true.
class CloneWriter : public v8::ValueSerializer::Delegate {
 public:
  /// `make_error(message)` creates what is thrown. Lives in a handle scope.
  CloneWriter(v8::Local<v8::Context> context, v8::Local<v8::Function> make_error);

  void ThrowDataCloneError(v8::Local<v8::String> message) override;
  // Objects of the platform are ordinary objects to V8: what marks them is their prototype.
  bool HasCustomHostObject(v8::Isolate*) override { return true; }
  v8::Maybe<uint32_t> GetSharedArrayBufferId(v8::Isolate* isolate, v8::Local<v8::SharedArrayBuffer> buffer) override;
  v8::Maybe<bool> IsHostObject(v8::Isolate* isolate, v8::Local<v8::Object> object) override;
  void* ReallocateBufferMemory(void* old_buffer, size_t size, size_t* actual_size) override;

 protected:
  /// Throws that this object cannot be copied.
  v8::Maybe<bool> refuse(v8::Local<v8::Object> object);

  v8::Isolate* const isolate_;
  const v8::Local<v8::Context> context_;

 private:
  v8::Local<v8::Function> make_error_;
  size_t limit_ = 0;
};

}  // namespace valor::web
