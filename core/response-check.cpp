#include "core/response-check.h"

#include "core/header-list.h"
#include "core/text.h"

namespace valor::core {

std::string refuse_response_status(std::string_view spelling) {
  return format("its status %s is not a whole number from 200 to 599", {spelling});
}

std::string check_response_header(std::string_view name, std::string_view value) {
  constexpr size_t kShown = 100;
  if (!is_header_name(name)) return format("'%s' cannot be the name of a header", {name.substr(0, kShown)});
  if (!is_header_value(value)) {
    return format("the value of its header '%s' holds characters that HTTP cannot carry", {name});
  }
  return {};
}

}  // namespace valor::core
