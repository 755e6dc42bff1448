// JavaScript strings for parts of requests. Those that come again and again are made once.
#pragma once

#include <v8.h>

#include <array>
#include <string>
#include <string_view>

namespace valor::plugins::js {

class RequestStrings {
 public:
  explicit RequestStrings(v8::Isolate* isolate) : isolate_(isolate) {}

  /// A method or the name of a header.
  v8::Local<v8::String> token(std::string_view text);
  /// Any other text; each byte becomes one character. https://infra.spec.whatwg.org/#isomorphic-decode
  v8::Local<v8::String> text(std::string_view text);

 private:
  struct Entry {
    std::string text;
    v8::Global<v8::String> string;
  };
  // Longer ones are rare and not kept, so that no client can fill memory with them.
  static constexpr size_t kLongestKept = 40;
  static constexpr size_t kEntries = 128;

  v8::Isolate* isolate_;
  std::array<Entry, kEntries> entries_;
};

}  // namespace valor::plugins::js
