// Requests and responses as everybody inside Valor sees them: plain data, no bytes of any protocol.
#pragma once

#include <cstdint>
#include <string>

#include "core/header-list.h"

namespace valor::core {

/// The head of a request. Its body is read through the Exchange (core/exchange.h).
struct Request {
  std::string method;  ///< as sent, for example "GET"; methods are case-sensitive (RFC 9110 section 9.1)
  std::string target;  ///< origin-form: path and query as the client sent them, starts with '/'
  std::string url;     ///< the target relative to the mount: no leading slash, query included, "" for the mount itself
  std::string scheme;  ///< "http" or "https"
  std::string authority;  ///< host[:port] from the Host header or an absolute-form target; may be empty (HTTP/1.0)
  std::string id;         ///< x-request-id; set by routing before anybody else sees the request
  HeaderList headers;     ///< names in lower case; holds x-request-id once routed
  uint8_t hops = 0;       ///< how many plug-ins passed it on inside this server; 0: it came from outside

  /// Empties all fields and keeps their memory.
  void clear();
};

/// The head of a response. x-correlation-id, x-valor-plugin, date, server and the framing headers are added by the
/// connection; a plug-in that sets content-length, transfer-encoding or connection is overruled.
struct ResponseHead {
  uint16_t status = 200;  ///< 200 to 599
  HeaderList headers;
};

}  // namespace valor::core
