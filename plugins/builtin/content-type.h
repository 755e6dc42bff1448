// The media type of a file, told from its name.
#pragma once

#include <string_view>

namespace valor::plugins::builtin {

/// A content-type value for a file of this name, for example "text/html;charset=utf-8"; case of the extension does not
/// matter. "application/octet-stream" for what is unknown.
std::string_view content_type_of(std::string_view file_name);

}  // namespace valor::plugins::builtin
