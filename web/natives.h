// The part of the Web platform that is written in C++: functions for the TypeScript beside it (web/natives.ts says what
// each takes and returns). They need nothing of the instance they run in, and none of them runs plug-in code except
// structuredClone, which may call getters.
#pragma once

#include "engine/native-registry.h"

namespace valor::web {

/// Adds all functions below, always in the same order.
void register_web_natives(engine::NativeRegistry& registry);

/// Lets the JavaScript that has called a native continue with a RangeError, once the native returns.
inline void throw_range_error(v8::Isolate* isolate, const char* message) {
  isolate->ThrowException(v8::Exception::RangeError(v8::String::NewFromUtf8(isolate, message).ToLocalChecked()));
}

/// web/webidl/lazy-property.cpp
void register_webidl_natives(engine::NativeRegistry& registry);
/// web/compression/natives.cpp
void register_compression_natives(engine::NativeRegistry& registry);
/// web/encoding/utf8.cpp
void register_encoding_natives(engine::NativeRegistry& registry);
/// web/html/structured-clone.cpp
void register_structured_clone_natives(engine::NativeRegistry& registry);
/// web/console/inspect.cpp
void register_inspect_natives(engine::NativeRegistry& registry);
/// web/url/url.cpp
void register_url_natives(engine::NativeRegistry& registry);
/// web/crypto/natives.cpp
void register_crypto_natives(engine::NativeRegistry& registry);
/// web/fetch/ports.cpp
void register_fetch_natives(engine::NativeRegistry& registry);

}  // namespace valor::web
