#include "engine/webassembly.h"

#include <memory>
#include <string>

#include "engine/isolate.h"
#include "engine/script-error.h"

namespace valor::engine {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

// Every function here has V8's handle of one compilation as its data, which keeps it alive.
std::shared_ptr<v8::WasmStreaming> compilation_of(const Info& info) {
  return v8::WasmStreaming::Unpack(info.GetIsolate(), info.Data());
}

// push(bytes: Uint8Array, before: number): V8 keeps the bytes outside of the heap, so they are held against the limit
// here.
void push(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  Isolate* self = Isolate::from(isolate);
  if (self == nullptr || !info[0]->IsUint8Array() || !info[1]->IsNumber()) return;
  v8::Local<v8::Uint8Array> bytes = info[0].As<v8::Uint8Array>();
  const double length = info[1].As<v8::Number>()->Value() + static_cast<double>(bytes->ByteLength());
  if (length > static_cast<double>(self->memory().limit())) {
    isolate->ThrowException(v8::Exception::RangeError(to_v8(isolate, "The module is larger than memory_mb")));
    return;
  }
  const auto* start = static_cast<const uint8_t*>(bytes->Buffer()->Data()) + bytes->ByteOffset();
  compilation_of(info)->OnBytesReceived(start, bytes->ByteLength());
}

// finish(url: string): all bytes are there
void finish(const Info& info) {
  const std::string url = to_utf8(info.GetIsolate(), info[0]);
  std::shared_ptr<v8::WasmStreaming> compilation = compilation_of(info);
  if (!url.empty()) compilation->SetUrl(url.data(), url.size());
  compilation->Finish({});
}

// abort(error: unknown): the promise is rejected with it
void abort(const Info& info) {
  compilation_of(info)->Abort(info[0]);
}

void on_source(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  Isolate* self = Isolate::from(isolate);
  v8::Local<v8::Function> hook = self != nullptr ? self->hook("onWasmSource") : v8::Local<v8::Function>();
  if (hook.IsEmpty()) return;
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Value> arguments[4] = {info[0]};
  v8::FunctionCallback functions[] = {push, finish, abort};
  for (size_t i = 0; i < 3; i++) {
    v8::Local<v8::Function> function;
    if (!v8::Function::New(context, functions[i], info.Data(), 0, v8::ConstructorBehavior::kThrow).ToLocal(&function)) {
      return;
    }
    arguments[i + 1] = function;
  }
  // It catches what goes wrong; what is left is that the code is stopped.
  (void)hook->Call(isolate, context, v8::Undefined(isolate), 4, arguments).IsEmpty();
}

}  // namespace

void install_wasm_streaming(v8::Isolate* isolate) {
  isolate->SetWasmStreamingCallback(on_source);
}

}  // namespace valor::engine
