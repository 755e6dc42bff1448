#include "core/response-check.h"

#include "core/header-list.h"
#include "core/text.h"

namespace valor::core {

std::string refuse_response_status(std::string_view spelling) {
  return concat({"its status ", spelling, " is not a whole number from 200 to 599"});
}

std::string check_response_header(std::string_view name, std::string_view value) {
  constexpr size_t kShown = 100;
  if (!is_header_name(name)) return concat({"'", name.substr(0, kShown), "' cannot be the name of a header"});
  if (!is_header_value(value)) {
    return concat({"the value of its header '", name, "' holds characters that HTTP cannot carry"});
  }
  return {};
}

}  // namespace valor::core
