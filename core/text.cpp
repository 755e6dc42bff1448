#include "core/text.h"

namespace valor::core {

std::string concat(Parts parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
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
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace valor::core
