// Parsing and changing URLs: https://url.spec.whatwg.org/#concept-url-parser
// A URL is its serialisation and the places of its parts in it; url.ts cuts the parts out when they are asked for.
#include <v8.h>

#include <cstring>
#include <string>
#include <string_view>

#include "web/natives.h"
#include "web/url/ada.h"
#include "web/url/parse.h"

namespace valor::web {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

bool is_short_text(v8::Local<v8::Value> value) {
  return value->IsString() && static_cast<size_t>(value.As<v8::String>()->Length()) <= kMaxUrlLength;
}

/// A string as UTF-8, lone surrogates replaced. Short ones, nearly all, stay on the stack.
class Utf8 {
 public:
  Utf8(v8::Isolate* isolate, v8::Local<v8::String> text) {
    size_ = text->Utf8LengthV2(isolate);
    if (size_ > sizeof(small_)) {
      large_.resize(size_);
      data_ = large_.data();
    }
    if (size_ > 0) text->WriteUtf8V2(isolate, data_, size_, v8::String::WriteFlags::kReplaceInvalidUtf8);
  }
  Utf8(const Utf8&) = delete;
  Utf8& operator=(const Utf8&) = delete;

  const char* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }

 private:
  char small_[512];
  std::string large_;
  char* data_ = small_;
  size_t size_ = 0;
};

/// Writes the places into `parts`, a Uint32Array of 8, and returns the serialisation.
void return_url(const Info& info, const Url& url, v8::Local<v8::Value> parts) {
  v8::Isolate* isolate = info.GetIsolate();
  static_assert(sizeof(ada_url_components) == 8 * sizeof(uint32_t));
  if (parts->IsUint32Array() && parts.As<v8::Uint32Array>()->ByteLength() == sizeof(ada_url_components)) {
    v8::Local<v8::Uint32Array> array = parts.As<v8::Uint32Array>();
    std::memcpy(static_cast<char*>(array->Buffer()->Data()) + array->ByteOffset(), ada_get_components(url.get()),
                sizeof(ada_url_components));
  }
  ada_string href = ada_get_href(url.get());
  v8::Local<v8::String> text;
  // A serialised URL is ASCII.
  if (v8::String::NewFromOneByte(isolate, reinterpret_cast<const uint8_t*>(href.data), v8::NewStringType::kNormal,
                                 static_cast<int>(href.length))
          .ToLocal(&text)) {
    info.GetReturnValue().Set(text);
  }
}

// urlParse(input: string, base: string | undefined, parts: Uint32Array): string | undefined
void url_parse(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  if (!is_short_text(info[0])) return;
  Utf8 input(isolate, info[0].As<v8::String>());
  Url url;
  if (!info[1]->IsUndefined()) {
    if (!is_short_text(info[1])) return;
    Utf8 base(isolate, info[1].As<v8::String>());
    url = parse_url(input.view(), base.view());
  } else {
    url = parse_url(input.view());
  }
  if (url != nullptr) return_url(info, url, info[2]);
}

// The order is that of UrlPart in url-record.ts.
bool set_part(ada_url url, uint32_t part, const Utf8& value) {
  switch (part) {
    case 0:
      return ada_set_protocol(url, value.data(), value.size());
    case 1:
      return ada_set_username(url, value.data(), value.size());
    case 2:
      return ada_set_password(url, value.data(), value.size());
    case 3:
      return ada_set_host(url, value.data(), value.size());
    case 4:
      return ada_set_hostname(url, value.data(), value.size());
    case 5:
      return ada_set_port(url, value.data(), value.size());
    case 6:
      return ada_set_pathname(url, value.data(), value.size());
    case 7:
      ada_set_search(url, value.data(), value.size());
      return true;
    case 8:
      ada_set_hash(url, value.data(), value.size());
      return true;
    default:
      return false;
  }
}

// urlSet(href: string, part: UrlPart, value: string, parts: Uint32Array): string | undefined
void url_set(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  if (!is_short_text(info[0]) || !info[1]->IsUint32() || !is_short_text(info[2])) return;
  Utf8 href(isolate, info[0].As<v8::String>());
  Url url(ada_parse(href.data(), href.size()));
  if (!ada_is_valid(url.get())) return;
  Utf8 value(isolate, info[2].As<v8::String>());
  if (!set_part(url.get(), info[1].As<v8::Uint32>()->Value(), value) || has_invalid_punycode(url.get())) return;
  return_url(info, url, info[3]);
}

}  // namespace

void register_url_natives(engine::NativeRegistry& registry) {
  registry.add("urlParse", url_parse);
  registry.add("urlSet", url_set);
}

}  // namespace valor::web
