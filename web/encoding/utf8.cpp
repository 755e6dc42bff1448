// UTF-8 between JavaScript strings and bytes: https://encoding.spec.whatwg.org/#utf-8
#include <v8.h>

#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "web/encoding/utf8-validation.h"
#include "web/natives.h"

namespace valor::web {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

// utf8Encode(text: string): Uint8Array
void utf8_encode(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  if (!info[0]->IsString()) return;
  v8::Local<v8::String> text = info[0].As<v8::String>();
  size_t length = text->Utf8LengthV2(isolate);
  v8::Local<v8::ArrayBuffer> buffer;
  if (!v8::ArrayBuffer::MaybeNew(isolate, length, v8::BackingStoreInitializationMode::kUninitialized)
           .ToLocal(&buffer)) {
    throw_range_error(isolate, "Array buffer allocation failed");
    return;
  }
  if (length > 0) {
    text->WriteUtf8V2(isolate, static_cast<char*>(buffer->Data()), length, v8::String::WriteFlags::kReplaceInvalidUtf8);
  }
  info.GetReturnValue().Set(v8::Uint8Array::New(buffer, 0, length));
}

// utf8EncodeInto(text: string, into: Uint8Array): [read, written] | undefined
void utf8_encode_into(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  if (!info[0]->IsString() || !info[1]->IsUint8Array()) return;
  v8::Local<v8::Uint8Array> into = info[1].As<v8::Uint8Array>();
  // The length first: Buffer() moves small arrays off the heap, and a detached one has no data.
  size_t capacity = into->ByteLength();
  char* data = static_cast<char*>(into->Buffer()->Data()) + into->ByteOffset();
  size_t read = 0;
  size_t written = 0;
  if (capacity > 0) {
    written = info[0].As<v8::String>()->WriteUtf8V2(isolate, data, capacity,
                                                    v8::String::WriteFlags::kReplaceInvalidUtf8, &read);
  }
  v8::Local<v8::Value> result[] = {v8::Number::New(isolate, static_cast<double>(read)),
                                   v8::Number::New(isolate, static_cast<double>(written))};
  info.GetReturnValue().Set(v8::Array::New(isolate, result, 2));
}

struct Bytes {
  const uint8_t* data = nullptr;
  size_t size = 0;
  bool shared = false;  // other threads may write to them meanwhile
};

// Small typed arrays keep their bytes on the JavaScript heap, where they move; GetContents copies those to `scratch`.
Bytes bytes_of(v8::Local<v8::Value> value, uint8_t (&scratch)[64]) {
  if (value->IsArrayBufferView()) {
    v8::Local<v8::ArrayBufferView> view = value.As<v8::ArrayBufferView>();
    auto contents = view->GetContents(v8::MemorySpan<uint8_t>(scratch));
    bool shared = view->HasBuffer() && view->Buffer().As<v8::Value>()->IsSharedArrayBuffer();
    return {contents.data(), contents.size(), shared};
  }
  if (value->IsArrayBuffer()) {
    v8::Local<v8::ArrayBuffer> buffer = value.As<v8::ArrayBuffer>();
    return {static_cast<const uint8_t*>(buffer->Data()), buffer->ByteLength()};
  }
  if (value->IsSharedArrayBuffer()) {
    v8::Local<v8::SharedArrayBuffer> buffer = value.As<v8::SharedArrayBuffer>();
    return {static_cast<const uint8_t*>(buffer->Data()), buffer->ByteLength(), true};
  }
  return {};
}

// utf8Decode(bytes: BufferSource, fatal: boolean): string | undefined
void utf8_decode(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  uint8_t scratch[64];
  Bytes bytes = bytes_of(info[0], scratch);
  std::vector<uint8_t> copy;
  if (bytes.shared) {
    // V8 reads its input twice and relies on finding the same bytes.
    copy.assign(bytes.data, bytes.data + bytes.size);
    bytes.data = copy.data();
  }
  if (bytes.size == 0) {
    info.GetReturnValue().SetEmptyString();
    return;
  }
  if (bytes.size > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw_range_error(isolate, "The text is too long for a string");
    return;
  }
  const int size = static_cast<int>(bytes.size);
  v8::Local<v8::String> text;
  bool made = false;
  if (ascii_prefix(bytes.data, bytes.size) == bytes.size) {
    made = v8::String::NewFromOneByte(isolate, bytes.data, v8::NewStringType::kNormal, size).ToLocal(&text);
  } else {
    if (info[1]->IsTrue() && !is_well_formed_utf8(bytes.data, bytes.size)) return;
    made = v8::String::NewFromUtf8(isolate, reinterpret_cast<const char*>(bytes.data), v8::NewStringType::kNormal, size)
               .ToLocal(&text);
  }
  if (made) {
    info.GetReturnValue().Set(text);
  } else {
    throw_range_error(isolate, "The text is too long for a string");
  }
}

}  // namespace

void register_encoding_natives(engine::NativeRegistry& registry) {
  registry.add("utf8Encode", utf8_encode);
  registry.add("utf8EncodeInto", utf8_encode_into);
  registry.add("utf8Decode", utf8_decode);
}

}  // namespace valor::web
