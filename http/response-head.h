// The head of an HTTP/1.1 response as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/message.h"

namespace valor::http {

/// How the body that follows is framed.
enum class BodyFraming {
  kNone,            ///< no body and no length: 1xx, 204, 304
  kLength,          ///< content-length
  kDeclaredLength,  ///< the answer to HEAD: the content-length that the plug-in set, if any
  kChunked,
  kUntilClose,  ///< HTTP/1.0 and an unknown length
};

/// Whether a response with this status may have a body (RFC 9110 section 6.4.1).
bool status_has_body(uint16_t status);

/// How an answer's body is framed. `length`: where it is known; `body_follows`: it comes in pieces; `unframed`: the
/// other side knows no chunks (HTTP/1.0).
BodyFraming framing_of(const core::ResponseHead& head, std::optional<uint64_t> length, bool body_follows, bool is_head,
                       bool unframed);

enum class ConnectionHeader { kNone, kClose, kKeepAlive };

struct ResponseHeadParts {
  const core::ResponseHead& head;
  BodyFraming framing;
  uint64_t length = 0;  ///< kLength
  ConnectionHeader connection = ConnectionHeader::kNone;
  std::string_view request_id;
  std::string_view plugin;  ///< "" leaves x-valor-plugin out
  std::string_view server;
  int64_t unix_seconds = 0;
};

/// Appends status line and headers, the empty line included. Headers that belong to the connection (connection,
/// keep-alive, transfer-encoding, upgrade, content-length) or to Valor (x-correlation-id, x-valor-plugin) are dropped
/// from the plug-in's list; its date and server are kept.
void append_response_head(std::string& out, const ResponseHeadParts& parts);

/// The same headers as a list, without those of the connection.
core::HeaderList finished_headers(const ResponseHeadParts& parts);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::string_view http_date(int64_t unix_seconds, char (&buffer)[32]);

}  // namespace valor::http
