// Putting messages together.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace valor::core {

using Parts = std::initializer_list<std::string_view>;

/// One after another. In WASM a fraction of the size of as many `+`.
std::string concat(Parts parts);

std::string decimal(uint64_t number);

/// In ASCII.
std::string to_lower(std::string_view text);

}  // namespace valor::core
