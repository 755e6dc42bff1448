#include "core/text.h"

#include "core/ascii.h"
#include "core/json.h"

namespace valor::core {

// Out of line, because every caller would carry the two forms of a string.
[[gnu::noinline]] Argument::Argument(const std::string& text) : text_(text.data()), size_(text.size()) {}

void append_format(std::string& out, const char* pattern, Arguments arguments) {
  const Argument* next = arguments.begin();
  for (; *pattern != '\0'; ++pattern) {
    if (*pattern != '%') {
      out += *pattern;
      continue;
    }
    const Argument& argument = *next++;
    const bool quote = *++pattern == 'q';
    if (argument.is_number()) {
      out += decimal(argument.number());
    } else if (quote) {
      out += quoted(argument.text());
    } else {
      out += argument.text();
    }
  }
}

std::string format(const char* pattern, Arguments arguments) {
  std::string text;
  append_format(text, pattern, arguments);
  return text;
}

std::string quoted(std::string_view text) {
  constexpr size_t kMax = 80;
  std::string out;
  append_json_string(out, text.substr(0, kMax));
  if (text.size() > kMax) out += "...";
  return out;
}

std::string decimal(uint64_t number) {
  char digits[20];
  char* const end = digits + sizeof(digits);
  char* at = end;
  do {
    *--at = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return {at, end};
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = to_lower(c);
  return lower;
}

}  // namespace valor::core
