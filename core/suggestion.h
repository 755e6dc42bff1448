// What somebody who mistyped a word may have meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace valor::core {

/// `did you mean "..."?` with the known word that is nearest to `word`, or, where none is near, what is expected: the
/// list of all. Case is ignored, and '-' stands for '_'.
std::string suggest(std::string_view word, std::span<const std::string_view> known);

}  // namespace valor::core
