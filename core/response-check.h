// What a plug-in may answer with, in words for its author.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace valor::core {

/// Of a final response that a plug-in gives.
constexpr bool is_response_status(int64_t status) {
  return status >= 200 && status <= 599;
}

/// The words for another one, which JavaScript spells so.
std::string refuse_response_status(std::string_view spelling);

/// What is wrong with a header; "" when nothing is. `value` is without blanks around it.
std::string check_response_header(std::string_view name, std::string_view value);

}  // namespace valor::core
