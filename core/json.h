// Writing JSON by hand, where a document is small and its shape is fixed, and the UTF-8 that JSON is made of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace valor::core {

/// Appends `text` to `out` as a JSON string, quotes included (RFC 8259 section 7). The output is valid UTF-8 whatever
/// the bytes are: what is not UTF-8 becomes U+FFFD, one for each maximal ill-formed part, as browsers decode it.
void append_json_string(std::string& out, std::string_view text);

/// The size of the well-formed UTF-8 sequence at the start of `text`, which is not empty; or 0, with `skip` set to the
/// size of the maximal ill-formed part. https://www.unicode.org/versions/Unicode15.0.0/ch03.pdf table 3-7
size_t utf8_sequence(std::string_view text, size_t& skip);

}  // namespace valor::core
