// Properties of the global whose value is made when somebody first looks: to JavaScript they are ordinary data
// properties all along.
#include <v8.h>

#include "web/natives.h"

namespace valor::web {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

// The functions that make the values, by name, are in an object that belongs to the target. V8 has a place for them in
// the property itself, but what stands there goes into the part of a snapshot that is shared by contexts, together with
// a copy of all that it can reach.
v8::Local<v8::Private> makers_key(v8::Isolate* isolate) {
  return v8::Private::ForApi(
      isolate, v8::String::NewFromUtf8Literal(isolate, "valor:lazyProperties", v8::NewStringType::kInternalized));
}

void make_value(v8::Local<v8::Name> name, const v8::PropertyCallbackInfo<v8::Value>& info) {
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Value> makers;
  v8::Local<v8::Value> make;
  v8::Local<v8::Value> value;
  if (info.HolderV2()->GetPrivate(context, makers_key(isolate)).ToLocal(&makers) && makers->IsObject() &&
      makers.As<v8::Object>()->Get(context, name).ToLocal(&make) && make->IsFunction() &&
      make.As<v8::Function>()->Call(context, v8::Undefined(isolate), 0, nullptr).ToLocal(&value)) {
    info.GetReturnValue().Set(value);
  }
}

// defineLazyProperty(target: object, name: string, make: () => unknown): not enumerable, writable, configurable
void define_lazy_property(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  if (!info[0]->IsObject() || !info[1]->IsName() || !info[2]->IsFunction()) return;
  v8::Local<v8::Object> target = info[0].As<v8::Object>();
  v8::Local<v8::Value> makers;
  // Each of these fails only when the isolate is being terminated.
  if (!target->GetPrivate(context, makers_key(isolate)).ToLocal(&makers)) return;
  if (!makers->IsObject()) {
    makers = v8::Object::New(isolate, v8::Null(isolate), nullptr, nullptr, 0);
    if (!target->SetPrivate(context, makers_key(isolate), makers).FromMaybe(false)) return;
  }
  (void)makers.As<v8::Object>()->Set(context, info[1], info[2]).FromMaybe(false);
  (void)target->SetLazyDataProperty(context, info[1].As<v8::Name>(), make_value, v8::Local<v8::Value>(), v8::DontEnum)
      .FromMaybe(false);
}

}  // namespace

void register_webidl_natives(engine::NativeRegistry& registry) {
  registry.add("defineLazyProperty", define_lazy_property);
  registry.add_reference("makeLazyValue", reinterpret_cast<intptr_t>(&make_value));
}

}  // namespace valor::web
