// What V8's WebAssembly object needs of the engine around it.
#pragma once

#include <v8.h>

namespace valor::engine {

/// Gives the contexts made in `isolate` from now on compileStreaming() and instantiateStreaming(): V8 has them, and
/// compiles while bytes arrive, but does not know what a Response is. They call the hook
/// onWasmSource(source, push(bytes), finish(), abort(error)) with what they were given, once it is there.
void install_wasm_streaming(v8::Isolate* isolate);

}  // namespace valor::engine
