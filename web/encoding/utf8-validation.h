// Is it well-formed UTF-8? Pure functions over bytes, without V8.
#pragma once

#include <cstddef>
#include <cstdint>

namespace valor::web {

/// How many bytes at the start are ASCII.
size_t ascii_prefix(const uint8_t* data, size_t size);

/// Whether the bytes are a whole number of well-formed sequences, with the bounds of
/// https://encoding.spec.whatwg.org/#utf-8-decoder (no overlong forms, surrogates, or values above U+10FFFF).
bool is_well_formed_utf8(const uint8_t* data, size_t size);

}  // namespace valor::web
