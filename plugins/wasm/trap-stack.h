// The stack of a trap as people read it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace valor::plugins::wasm {

/// Frames in V8's form, one a line, such as
///     at boom (wasm://wasm/6b2a5e0e:wasm-function[3]:0x41)
/// with the name of the file instead of V8's own URL, and with places as in the file: `moved_bytes` is how much further
/// back the code was when V8 compiled it. Without blanks in front and a line break at the end.
std::string readable_stack(std::string_view stack, std::string_view file, uint64_t moved_bytes);

}  // namespace valor::plugins::wasm
