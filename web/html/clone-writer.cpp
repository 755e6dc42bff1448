#include "web/html/clone-writer.h"

#include <cstdlib>

namespace valor::web {

namespace {

v8::Local<v8::Private> platform_mark(v8::Isolate* isolate) {
  return v8::Private::ForApi(
      isolate, v8::String::NewFromUtf8Literal(isolate, "valor:platformObject", v8::NewStringType::kInternalized));
}

}  // namespace

v8::Maybe<bool> find_platform_class(v8::Local<v8::Context> context, v8::Local<v8::Object> object,
                                    PlatformClass& found) {
  v8::Local<v8::Private> mark = platform_mark(v8::Isolate::GetCurrent());
  for (v8::Local<v8::Value> holder = object->GetPrototypeV2(); holder->IsObject() && !holder->IsProxy();
       holder = holder.As<v8::Object>()->GetPrototypeV2()) {
    v8::Local<v8::Value> value;
    if (!holder.As<v8::Object>()->GetPrivate(context, mark).ToLocal(&value)) return v8::Nothing<bool>();
    if (!value->IsArray()) continue;
    v8::Local<v8::Array> functions = value.As<v8::Array>();
    if (!functions->Get(context, 0).ToLocal(&found.clone) || !functions->Get(context, 1).ToLocal(&found.transfer) ||
        !functions->Get(context, 2).ToLocal(&found.pack)) {
      return v8::Nothing<bool>();
    }
    return v8::Just(true);
  }
  return v8::Just(false);
}

void mark_platform_class(v8::Local<v8::Context> context, v8::Local<v8::Object> prototype,
                         const PlatformClass& functions) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::Local<v8::Value> list[] = {functions.clone, functions.transfer, functions.pack};
  prototype->SetPrivate(context, platform_mark(isolate), v8::Array::New(isolate, list, 3)).Check();
}

CloneWriter::CloneWriter(v8::Local<v8::Context> context, v8::Local<v8::Function> make_error)
    : isolate_(v8::Isolate::GetCurrent()), context_(context), make_error_(make_error) {}

void CloneWriter::ThrowDataCloneError(v8::Local<v8::String> message) {
  v8::Local<v8::Value> argument = message;
  v8::Local<v8::Value> error;
  if (make_error_->Call(isolate_, context_, v8::Undefined(isolate_), 1, &argument).ToLocal(&error)) {
    isolate_->ThrowException(error);
  }
}

v8::Maybe<bool> CloneWriter::IsHostObject(v8::Isolate*, v8::Local<v8::Object> object) {
  PlatformClass ignored;
  return find_platform_class(context_, object, ignored);
}

v8::Maybe<uint32_t> CloneWriter::GetSharedArrayBufferId(v8::Isolate*, v8::Local<v8::SharedArrayBuffer> buffer) {
  (void)refuse(buffer.As<v8::Object>()).IsNothing();
  return v8::Nothing<uint32_t>();
}

v8::Maybe<bool> CloneWriter::refuse(v8::Local<v8::Object> object) {
  v8::Local<v8::String> text = v8::String::NewFromUtf8Literal(isolate_, " object could not be cloned.");
  ThrowDataCloneError(v8::String::Concat(isolate_, object->GetConstructorName(), text));
  return v8::Nothing<bool>();
}

// One long string in many places is written as often: no copy may be larger than all that the isolate may hold.
void* CloneWriter::ReallocateBufferMemory(void* old_buffer, size_t size, size_t* actual_size) {
  if (limit_ == 0) {
    v8::HeapStatistics statistics;
    isolate_->GetHeapStatistics(&statistics);
    limit_ = statistics.heap_size_limit();
  }
  if (size > limit_) return nullptr;
  *actual_size = size;
  return std::realloc(old_buffer, size);
}

}  // namespace valor::web
