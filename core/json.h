// Writing JSON by hand, where a document is small and its shape is fixed.
#pragma once

#include <string>
#include <string_view>

namespace valor::core {

/// Appends `text` to `out` as a JSON string, quotes included (RFC 8259 section 7). The output is valid UTF-8 whatever
/// the bytes are: what is not UTF-8 becomes U+FFFD, one for each maximal ill-formed part, as browsers decode it.
void append_json_string(std::string& out, std::string_view text);

}  // namespace valor::core
