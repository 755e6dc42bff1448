// Conditional and range requests (RFC 9110 sections 13 and 14), as rules on plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/message.h"

namespace valor::plugins::builtin {

/// What identifies the state of a file.
struct Validators {
  std::string etag;       ///< with quotes, and W/ in front where weak
  int64_t last_modified;  ///< seconds since 1970
};

enum class Verdict {
  kProceed,      ///< answer as usual
  kNotModified,  ///< 304
  kFailed,       ///< 412
};

/// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since of a GET or HEAD, in the order of
/// RFC 9110 section 13.2.2. `now`: seconds since 1970.
Verdict evaluate(const core::Request& request, const Validators& validators, int64_t now);

enum class RangeKind {
  kWhole,          ///< 200: no range is asked for, or none that counts
  kPart,           ///< 206
  kUnsatisfiable,  ///< 416
};

struct Range {
  RangeKind kind;
  uint64_t first = 0;
  uint64_t length = 0;
};

/// The part of a representation of `size` bytes that a GET asks for with Range and If-Range. Several ranges in one
/// request count as none, which RFC 9110 section 14.2 leaves to the server.
Range evaluate_range(const core::Request& request, const Validators& validators, uint64_t size, int64_t now);

}  // namespace valor::plugins::builtin
