// Errors as clients see them: RFC 9457 application/problem+json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/message.h"

namespace valor::core {

struct Problem {
  uint16_t status;
  std::string detail;          ///< a sentence: what, where, how to fix it
  std::string plugin = {};     ///< name, where one is concerned
  std::string limit = {};      ///< for example "timeout_ms", where a limit tripped
  uint64_t limit_value = 0;    ///< its value
  uint32_t retry_after_s = 0;  ///< 503: seconds; sent as Retry-After
  std::string stack = {};      ///< of code that crashed, a line for each frame
};

/// The reason phrase of a status (RFC 9110 section 15), or "" for an unknown one.
std::string_view status_text(uint16_t status);

/// The JSON body. `type` is "about:blank", `title` the status text. `request_id` may be empty.
std::string to_json(const Problem& problem, std::string_view request_id);

/// The head that belongs to it: status, content-type, cache-control: no-store, retry-after.
ResponseHead to_head(const Problem& problem);

}  // namespace valor::core
