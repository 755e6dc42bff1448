#include "web/crypto/bytes.h"

#include <openssl/err.h>

#include <cstring>
#include <limits>

namespace valor::web::crypto {

ByteRange::ByteRange(v8::Local<v8::Value> value) {
  if (value->IsArrayBufferView()) {
    auto contents = value.As<v8::ArrayBufferView>()->GetContents(v8::MemorySpan<uint8_t>(scratch_));
    if (contents.data() == nullptr) return;
    data_ = contents.data();
    size_ = contents.size();
  } else if (value->IsArrayBuffer()) {
    v8::Local<v8::ArrayBuffer> buffer = value.As<v8::ArrayBuffer>();
    if (buffer->Data() == nullptr) return;
    data_ = static_cast<const uint8_t*>(buffer->Data());
    size_ = buffer->ByteLength();
  }
}

Result::Result(v8::Isolate* isolate, size_t size) : isolate_(isolate), size_(size) {
  if (size > static_cast<size_t>(std::numeric_limits<int>::max())) return;
  if (!v8::ArrayBuffer::MaybeNew(isolate, size).ToLocal(&buffer_)) return;
  if (size > 0) data_ = static_cast<uint8_t*>(buffer_->Data());
}

void Result::finish(const Info& info, size_t size) {
  if (size >= size_) {
    finish(info);
    return;
  }
  Result shorter(isolate_, size);
  if (!shorter.ok()) return;
  std::memcpy(shorter.data(), data_, size);
  shorter.finish(info);
}

std::string name_of(v8::Isolate* isolate, v8::Local<v8::Value> value) {
  if (!value->IsString()) return {};
  char text[kMaxName + 1];
  size_t length = value.As<v8::String>()->WriteUtf8V2(isolate, text, kMaxName);
  return {text, length};
}

size_t size_of(v8::Local<v8::Value> value) {
  if (!value->IsNumber()) return 0;
  double number = value.As<v8::Number>()->Value();
  return number >= 0 && number <= 9007199254740991.0 ? static_cast<size_t>(number) : 0;
}

ErrorScope::~ErrorScope() {
  ERR_clear_error();
}

}  // namespace valor::web::crypto
