// The natives of web/ as a module for node, so that the tests of the TypeScript run on the real ones.
#include <node.h>

#include "web/natives.h"

namespace {

// addNatives(target: object): gives it the functions, which belong to the context that the object comes from
void add_natives(const v8::FunctionCallbackInfo<v8::Value>& info) {
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Object> target = info[0].As<v8::Object>();
  v8::Local<v8::Context> context = target->GetCreationContextChecked(isolate);
  valor::engine::NativeRegistry registry;
  valor::web::register_web_natives(registry);
  for (const auto& native : registry.natives()) {
    v8::Local<v8::String> name = v8::String::NewFromUtf8(isolate, native.name).ToLocalChecked();
    target->Set(context, name, v8::Function::New(context, native.callback).ToLocalChecked()).Check();
  }
}

}  // namespace

NODE_MODULE_INIT() {
  NODE_SET_METHOD(exports, "addNatives", add_natives);
}
