// The content-codings that a client takes (RFC 9110 section 12.5.3).
#pragma once

#include <string_view>
#include <vector>

#include "core/message.h"

namespace valor::plugins::builtin {

struct Coding {
  std::string_view name;       ///< as in content-encoding
  std::string_view extension;  ///< of files that hold it, with the dot
};

/// Those of br and gzip that the request's accept-encoding allows, the client's favourite first; of two that it likes
/// alike br, which is smaller. Empty without that header, since a coding that is not named may not be understood.
std::vector<Coding> accepted_codings(const core::Request& request);

}  // namespace valor::plugins::builtin
