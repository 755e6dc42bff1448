// What the console must know about values and JavaScript cannot ask without running their code.
#include <v8.h>

#include "web/natives.h"

namespace valor::web {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

// The numbers are those of web/console/value-kind.ts.
enum ValueKind : int {
  kOrdinary = 0,
  kProxy = 1,
  kPromise = 2,
  kMap = 3,
  kSet = 4,
  kMapIterator = 5,
  kSetIterator = 6,
  kWeakMap = 7,
  kWeakSet = 8,
  kWeakRef = 9,
  kDate = 10,
  kRegExp = 11,
  kError = 12,
  kArrayBuffer = 13,
  kSharedArrayBuffer = 14,
  kTypedArray = 15,
  kDataView = 16,
  kBoxedPrimitive = 17,
  kArguments = 18,
  kGenerator = 19,
  kModuleNamespace = 20,
  kArray = 21,
  kFunction = 22,
};

ValueKind kind_of(v8::Local<v8::Value> value) {
  if (value->IsProxy()) return kProxy;
  if (value->IsFunction()) return kFunction;
  if (value->IsArray()) return kArray;
  if (value->IsPromise()) return kPromise;
  if (value->IsMap()) return kMap;
  if (value->IsSet()) return kSet;
  if (value->IsMapIterator()) return kMapIterator;
  if (value->IsSetIterator()) return kSetIterator;
  if (value->IsWeakMap()) return kWeakMap;
  if (value->IsWeakSet()) return kWeakSet;
  if (value->IsWeakRef()) return kWeakRef;
  if (value->IsDate()) return kDate;
  if (value->IsRegExp()) return kRegExp;
  if (value->IsNativeError()) return kError;
  if (value->IsArrayBuffer()) return kArrayBuffer;
  if (value->IsSharedArrayBuffer()) return kSharedArrayBuffer;
  if (value->IsTypedArray()) return kTypedArray;
  if (value->IsDataView()) return kDataView;
  if (value->IsStringObject() || value->IsNumberObject() || value->IsBooleanObject() || value->IsSymbolObject() ||
      value->IsBigIntObject()) {
    return kBoxedPrimitive;
  }
  if (value->IsArgumentsObject()) return kArguments;
  if (value->IsGeneratorObject()) return kGenerator;
  if (value->IsModuleNamespaceObject()) return kModuleNamespace;
  return kOrdinary;
}

// classify(value: unknown): number
void classify(const Info& info) {
  info.GetReturnValue().Set(static_cast<int>(kind_of(info[0])));
}

// promiseState(promise): [0 pending, 1 fulfilled, 2 rejected; result]
void promise_state(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  if (!info[0]->IsPromise()) return;
  v8::Local<v8::Promise> promise = info[0].As<v8::Promise>();
  v8::Local<v8::Value> result = v8::Undefined(isolate);
  if (promise->State() != v8::Promise::kPending) result = promise->Result();
  v8::Local<v8::Value> parts[] = {v8::Integer::New(isolate, static_cast<int>(promise->State())), result};
  info.GetReturnValue().Set(v8::Array::New(isolate, parts, 2));
}

// previewEntries(collection): { entries, pairs }
void preview_entries(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  if (!info[0]->IsObject()) return;
  bool pairs = false;
  v8::Local<v8::Array> entries;
  if (!info[0].As<v8::Object>()->PreviewEntries(&pairs).ToLocal(&entries)) entries = v8::Array::New(isolate);
  v8::Local<v8::Object> result = v8::Object::New(isolate);
  result->Set(context, v8::String::NewFromUtf8Literal(isolate, "entries"), entries).Check();
  result->Set(context, v8::String::NewFromUtf8Literal(isolate, "pairs"), v8::Boolean::New(isolate, pairs)).Check();
  info.GetReturnValue().Set(result);
}

// proxyTarget(proxy): object | null
void proxy_target(const Info& info) {
  if (!info[0]->IsProxy()) return;
  info.GetReturnValue().Set(info[0].As<v8::Proxy>()->GetTarget());
}

}  // namespace

void register_inspect_natives(engine::NativeRegistry& registry) {
  registry.add("classify", classify);
  registry.add("promiseState", promise_state);
  registry.add("previewEntries", preview_entries);
  registry.add("proxyTarget", proxy_target);
}

}  // namespace valor::web
