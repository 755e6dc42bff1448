// What the case plug-ins share: numbers in the query.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <valor/vlugin.hpp>

/// The number of a query parameter; nothing when it is not there, 0 when it is none.
inline std::optional<uint64_t> number_in(const valor::Request& request, std::string_view name) {
  const std::optional<std::string> text = request.query(name);
  if (!text) return std::nullopt;
  uint64_t number = 0;
  std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}
