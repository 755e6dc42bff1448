#include "plugins/js/response-parts.h"

#include <charconv>
#include <cstring>

#include "core/response-check.h"
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

// Copies a string whose characters are all below 256, one byte each. Returns false for others.
bool read_latin1(v8::Isolate* isolate, v8::Local<v8::String> string, std::string& text) {
  if (!string->IsOneByte() && !string->ContainsOnlyOneByte()) return false;
  auto length = static_cast<uint32_t>(string->Length());
  text.resize(length);
  string->WriteOneByteV2(isolate, 0, length, reinterpret_cast<uint8_t*>(text.data()));
  return true;
}

bool is_ascii(std::string_view text) {
  uint64_t seen = 0;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    seen |= word;
  }
  for (; at < text.size(); ++at) seen |= static_cast<uint8_t>(text[at]);
  return (seen & 0x8080808080808080) == 0;
}

// Copies a string as UTF-8.
void read_text(v8::Isolate* isolate, v8::Local<v8::String> string, std::string& text) {
  {
    // What most are, in one look instead of two walks.
    v8::String::ValueView view(isolate, string);
    if (view.is_one_byte()) {
      text.assign(reinterpret_cast<const char*>(view.data8()), view.length());
      if (is_ascii(text)) return;
    }
  }
  const size_t length = string->Utf8LengthV2(isolate);
  text.resize(length);
  string->WriteUtf8V2(isolate, text.data(), length, v8::String::WriteFlags::kReplaceInvalidUtf8);
}

}  // namespace

std::string_view read_body(v8::Isolate* isolate, v8::Local<v8::Value> body, std::string& text) {
  if (body->IsString()) {
    read_text(isolate, body.As<v8::String>(), text);
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

std::string HeadReader::read(v8::Local<v8::Value> status, v8::Local<v8::String> headers) {
  if (last_headers_.IsEmpty() || last_headers_ != headers) {
    last_headers_.Reset();
    std::string wrong = read_headers(headers);
    if (!wrong.empty()) return wrong;
    // Longer ones do not come again, and would be kept from the collector.
    constexpr size_t kLongestKept = 1024;
    if (text_.size() <= kLongestKept) last_headers_.Reset(isolate_, headers);
  }
  if (last_status_.IsEmpty() || last_status_ != status) {
    last_status_.Reset();
    std::string wrong = read_status(status);
    if (!wrong.empty()) return wrong;
    last_status_.Reset(isolate_, status);
  }
  return {};
}

std::string HeadReader::read_status(v8::Local<v8::Value> status) {
  head_.status = 200;
  if (status->IsUndefined()) return {};
  if (status->IsInt32()) {
    const int32_t number = status.As<v8::Int32>()->Value();
    if (core::is_response_status(number)) {
      head_.status = static_cast<uint16_t>(number);
      return {};
    }
  }
  if (!status->IsNumber()) return "its status is not a number";
  return core::refuse_response_status(engine::to_utf8(isolate_, status));
}

std::string HeadReader::read_headers(v8::Local<v8::String> headers) {
  head_.headers.clear();
  correlation_id_.clear();
  if (!read_latin1(isolate_, headers, text_)) return "a header holds characters that HTTP cannot carry";
  if (text_.empty()) return {};
  // The count is ours: no header can be mistaken for it.
  uint32_t count = 0;
  size_t at =
      static_cast<size_t>(std::from_chars(text_.data(), text_.data() + text_.size(), count).ptr - text_.data()) + 1;
  for (uint32_t index = 0; index < count; index++) {
    size_t name_end = text_.find('\0', at);
    size_t value_end = name_end == std::string::npos ? name_end : text_.find('\0', name_end + 1);
    if (value_end == std::string::npos) return "a header is broken";
    std::string_view name = std::string_view(text_).substr(at, name_end - at);
    std::string_view value = trim(std::string_view(text_).substr(name_end + 1, value_end - name_end - 1));
    std::string wrong = core::check_response_header(name, value);
    if (!wrong.empty()) return wrong;
    if (core::same_header_name(name, "x-correlation-id")) {
      correlation_id_ = value;
    } else {
      head_.headers.append(name, value);
    }
    at = value_end + 1;
  }
  // A NUL within a name or a value shifts everything after it.
  return at == text_.size() ? std::string() : "a header holds a zero character";
}

}  // namespace valor::plugins::js
