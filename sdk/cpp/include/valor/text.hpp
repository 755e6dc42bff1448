// Small text work that handlers need: header names, query strings, JSON strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace valor {

namespace detail {

inline char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

inline int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

inline bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

/// https://www.rfc-editor.org/rfc/rfc3629#section-3
inline void append_utf8(std::string& text, uint32_t code_point) {
  const auto continuation = [&](int shift) { text += static_cast<char>(0x80 | ((code_point >> shift) & 0x3f)); };
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    text += static_cast<char>(0xc0 | (code_point >> 6));
    continuation(0);
  } else if (code_point < 0x10000) {
    text += static_cast<char>(0xe0 | (code_point >> 12));
    continuation(6);
    continuation(0);
  } else {
    text += static_cast<char>(0xf0 | (code_point >> 18));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

/// The four hexadecimal digits at the start of `text`; -1 when there are none.
inline int32_t hex4(std::string_view text) {
  if (text.size() < 4) return -1;
  int32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

}  // namespace detail

namespace detail {

inline std::string decode_percent(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      decoded += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

/// Takes the text before the first slash off `path`, and the slash. `more`: whether there was one.
constexpr std::string_view take_segment(std::string_view& path, bool& more) {
  const size_t slash = path.find('/');
  more = slash != std::string_view::npos;
  const std::string_view segment = path.substr(0, slash);
  path = more ? path.substr(slash + 1) : std::string_view();
  return segment;
}

/// Walks a pattern such as "books/:id/*" along a path and calls parameter(name, text) for what its parts stand for, in
/// order. Returns whether the pattern fits. ":name" stands for one segment that is not empty, "*" for all that is left.
template <class Parameter>
constexpr bool match_path(std::string_view pattern, std::string_view path, Parameter&& parameter) {
  bool more_pattern = true;
  bool more_path = true;
  while (more_pattern && more_path) {
    if (pattern == "*") {
      parameter(pattern, path);
      return true;
    }
    const std::string_view wanted = take_segment(pattern, more_pattern);
    const std::string_view segment = take_segment(path, more_path);
    if (wanted.substr(0, 1) == ":") {
      if (segment.empty()) return false;
      parameter(wanted.substr(1), segment);
    } else if (wanted != segment) {
      return false;
    }
  }
  return more_pattern == more_path;
}

}  // namespace detail

/// What a name or value in a query string stands for: %XX and '+' decoded. A '%' without two hexadecimal digits stays.
/// https://url.spec.whatwg.org/#concept-urlencoded-parser
inline std::string decode_query(std::string_view text) {
  return detail::decode_percent(text, true);
}

/// What `name` stands for when `pattern` ("books/:id", see valor/router.hpp) meets `path`, %XX decoded; empty when the
/// pattern has no such parameter.
inline std::string find_in_path(std::string_view pattern, std::string_view path, std::string_view name) {
  std::string found;
  detail::match_path(pattern, path, [&](std::string_view parameter, std::string_view text) {
    if (parameter == name) found = detail::decode_percent(text, false);
  });
  return found;
}

/// The first value of `name` in a query string such as "a=1&b=2"; nothing when the name does not occur.
inline std::optional<std::string> find_in_query(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(pair.size() < query.size() ? pair.size() + 1 : pair.size());
    const size_t equals = pair.find('=');
    if (!pair.empty() && decode_query(pair.substr(0, equals)) == name) {
      return equals == std::string_view::npos ? std::string() : decode_query(pair.substr(equals + 1));
    }
  }
  return std::nullopt;
}

/// The text of a JSON string such as "\"Alice\""; nothing when `json` is not exactly one JSON string.
/// https://www.rfc-editor.org/rfc/rfc8259#section-7
inline std::optional<std::string> parse_json_string(std::string_view json) {
  if (json.size() < 2 || json.front() != '"' || json.back() != '"') return std::nullopt;
  json = json.substr(1, json.size() - 2);
  std::string text;
  text.reserve(json.size());
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"' || static_cast<unsigned char>(c) < 0x20) return std::nullopt;
    if (c != '\\') {
      text += c;
      continue;
    }
    if (++i == json.size()) return std::nullopt;
    constexpr std::string_view kShort = "\"\\/bfnrt";
    constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
    if (const size_t at = kShort.find(json[i]); at != std::string_view::npos) {
      text += kMeaning[at];
      continue;
    }
    int32_t unit = json[i] == 'u' ? detail::hex4(json.substr(i + 1)) : -1;
    if (unit < 0) return std::nullopt;
    i += 4;
    uint32_t code_point = static_cast<uint32_t>(unit);
    if (unit >= 0xd800 && unit <= 0xdfff) {
      // Two halves make one code point; a half alone stands for nothing.
      const bool second_follows = unit < 0xdc00 && json.substr(i + 1, 2) == "\\u";
      const int32_t second = second_follows ? detail::hex4(json.substr(i + 3)) : -1;
      if (second >= 0xdc00 && second <= 0xdfff) {
        code_point = 0x10000 + ((static_cast<uint32_t>(unit) & 0x3ff) << 10) + (static_cast<uint32_t>(second) & 0x3ff);
        i += 6;
      } else {
        code_point = 0xfffd;
      }
    }
    detail::append_utf8(text, code_point);
  }
  return text;
}

}  // namespace valor
