#include "plugins/js/response-parts.h"

#include "engine/script-error.h"

namespace valor::plugins::js {

namespace {

// https://fetch.spec.whatwg.org/#concept-header-value-normalize
std::string_view trim(std::string_view value) {
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!value.empty() && blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && blank(value.back())) value.remove_suffix(1);
  return value;
}

// What is wrong with a header, in words for the plug-in's author; "" when nothing is.
std::string check_header(std::string_view name, std::string_view value) {
  if (!core::is_header_name(name)) return "'" + std::string(name.substr(0, 100)) + "' cannot be the name of a header";
  if (!core::is_header_value(value)) {
    return "the value of its header '" + std::string(name) + "' holds characters that HTTP cannot carry";
  }
  return {};
}

}  // namespace

std::string read_status(v8::Isolate* isolate, v8::Local<v8::Value> status, uint16_t& out) {
  out = 200;
  if (status->IsUndefined()) return {};
  if (status->IsInt32()) {
    int32_t number = status.As<v8::Int32>()->Value();
    if (number >= 200 && number <= 599) {
      out = static_cast<uint16_t>(number);
      return {};
    }
  }
  return "its status" + (status->IsNumber()
                             ? " " + engine::to_utf8(isolate, status) + " is not a whole number from 200 to 599"
                             : " is not a number");
}

std::string_view read_body(v8::Isolate* isolate, v8::Local<v8::Value> body, std::string& text) {
  if (body->IsString()) {
    v8::Local<v8::String> string = body.As<v8::String>();
    size_t length = string->Utf8LengthV2(isolate);
    text.resize(length);
    string->WriteUtf8V2(isolate, text.data(), length, v8::String::WriteFlags::kReplaceInvalidUtf8);
    return text;
  }
  if (body->IsArrayBuffer()) {
    v8::Local<v8::ArrayBuffer> buffer = body.As<v8::ArrayBuffer>();
    return {static_cast<const char*>(buffer->Data()), buffer->ByteLength()};
  }
  if (body->IsArrayBufferView()) {
    v8::Local<v8::ArrayBufferView> view = body.As<v8::ArrayBufferView>();
    const char* data = static_cast<const char*>(view->Buffer()->Data());
    return data == nullptr ? std::string_view() : std::string_view(data + view->ByteOffset(), view->ByteLength());
  }
  return {};
}

bool read_latin1(v8::Isolate* isolate, v8::Local<v8::String> string, std::string& text) {
  if (!string->IsOneByte() && !string->ContainsOnlyOneByte()) return false;
  auto length = static_cast<uint32_t>(string->Length());
  text.resize(length);
  string->WriteOneByteV2(isolate, 0, length, reinterpret_cast<uint8_t*>(text.data()));
  return true;
}

std::string read_head(v8::Isolate* isolate, v8::Local<v8::Value> status, uint32_t count, v8::Local<v8::String> headers,
                      std::string& text, core::ResponseHead& head, std::string& correlation_id) {
  head.headers.clear();
  correlation_id.clear();
  if (!read_latin1(isolate, headers, text)) return "a header holds characters that HTTP cannot carry";
  size_t at = 0;
  for (uint32_t index = 0; index < count; index++) {
    size_t name_end = text.find('\0', at);
    size_t value_end = name_end == std::string::npos ? name_end : text.find('\0', name_end + 1);
    if (value_end == std::string::npos) return "a header is broken";
    std::string_view name = std::string_view(text).substr(at, name_end - at);
    std::string_view value = trim(std::string_view(text).substr(name_end + 1, value_end - name_end - 1));
    std::string wrong = check_header(name, value);
    if (!wrong.empty()) return wrong;
    if (core::same_header_name(name, "x-correlation-id")) {
      correlation_id = value;
    } else {
      head.headers.append(name, value);
    }
    at = value_end + 1;
  }
  // A NUL within a name or a value shifts everything after it.
  if (at != text.size()) return "a header holds a zero character";
  return read_status(isolate, status, head.status);
}

}  // namespace valor::plugins::js
