#include "core/json.h"

#include <cstdint>

namespace valor::core {

namespace {

void append_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHex[static_cast<uint8_t>(c) >> 4];
      out += kHex[static_cast<uint8_t>(c) & 15];
  }
}

}  // namespace

size_t utf8_sequence(std::string_view text, size_t& skip) {
  auto byte = [&](size_t index) { return static_cast<uint8_t>(text[index]); };
  uint8_t first = byte(0);
  if (first < 0x80) return 1;
  size_t size = first >= 0xC2 && first <= 0xDF   ? 2
                : first >= 0xE0 && first <= 0xEF ? 3
                : first >= 0xF0 && first <= 0xF4 ? 4
                                                 : 0;
  skip = 1;
  if (size == 0) return 0;
  // The second byte's range keeps out overlong forms, surrogates and values beyond U+10FFFF.
  uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  for (size_t at = 1; at < size; ++at) {
    if (at >= text.size() || byte(at) < low || byte(at) > high) {
      skip = at;
      return 0;
    }
    low = 0x80;
    high = 0xBF;
  }
  return size;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  size_t at = 0;
  while (at < text.size()) {
    char c = text[at];
    if (static_cast<uint8_t>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
      append_escape(out, c);
      ++at;
      continue;
    }
    size_t skip = 0;
    if (size_t size = utf8_sequence(text.substr(at), skip)) {
      out += text.substr(at, size);
      at += size;
    } else {
      out += "\xEF\xBF\xBD";
      at += skip;
    }
  }
  out += '"';
}

}  // namespace valor::core
