#include "plugins/js/request-strings.h"

namespace valor::plugins::js {

v8::Local<v8::String> RequestStrings::token(std::string_view text) {
  if (text.empty() || text.size() > kLongestKept) return this->text(text);
  size_t hash = text.size() * 31 + static_cast<unsigned char>(text.front()) * 7 +
                static_cast<unsigned char>(text[text.size() / 2]) * 3 + static_cast<unsigned char>(text.back());
  Entry& entry = entries_[hash % kEntries];
  if (entry.text == text) return entry.string.Get(isolate_);
  v8::Local<v8::String> string =
      v8::String::NewFromOneByte(isolate_, reinterpret_cast<const uint8_t*>(text.data()),
                                 v8::NewStringType::kInternalized, static_cast<int>(text.size()))
          .ToLocalChecked();
  entry.text = text;
  entry.string.Reset(isolate_, string);
  return string;
}

v8::Local<v8::String> RequestStrings::text(std::string_view text) {
  // Never empty: requests are far smaller than the longest string.
  return v8::String::NewFromOneByte(isolate_, reinterpret_cast<const uint8_t*>(text.data()), v8::NewStringType::kNormal,
                                    static_cast<int>(text.size()))
      .ToLocalChecked();
}

}  // namespace valor::plugins::js
