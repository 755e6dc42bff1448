// file: URLs, which name files. https://url.spec.whatwg.org/#file-state and RFC 8089
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace valor::core {

/// The scheme that `text` begins with ("file", "https"; lower case), or "" when it is a plain path.
std::string url_scheme(std::string_view text);

/// The file path that a file: URL names, percent-decoded, without query and fragment; relative ("file:x.js") as it is.
/// Fails, saying why, for a host other than localhost and for what no path can hold (%00, %2F).
Result<std::string> file_url_to_path(std::string_view url);

}  // namespace valor::core
