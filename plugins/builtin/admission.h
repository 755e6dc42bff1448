// Who may talk to the registry. With a token: whoever sends it (RFC 6750). Without one: programs on this machine, but
// no web page. A page of another origin can make a browser send requests to localhost (request forgery), and with a DNS
// name that it points at 127.0.0.1 even read the answers (DNS rebinding). Browsers cannot keep the Host, Origin and
// Sec-Fetch-Site headers from telling of both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/message.h"

namespace valor::plugins::builtin {

struct Admission {
  uint16_t status = 0;  ///< 0: admitted; 401: sends no token; 403: refused
  std::string detail = {};
};

/// Whether `request` may use the registry. `token` empty: none is asked for.
Admission admit(const core::Request& request, std::string_view token);

/// Who sends a request, as far as its headers tell.
enum class Sender {
  kLocal,        ///< a program on this machine, or a page that the browser got from here
  kPlugin,       ///< a plug-in of this server
  kOtherHost,    ///< somebody who calls this machine by a name that is not its own
  kOtherOrigin,  ///< a page of another origin
};

/// `evidence` is set to the header that tells of the last two.
Sender sender_of(const core::Request& request, std::string& evidence);

/// Whether a Host header's value names this machine by a loopback address, "localhost" or a name below it.
bool is_loopback_authority(std::string_view authority);

/// Compares in a time that depends on the lengths only.
bool same_secret(std::string_view presented, std::string_view secret);

/// Whether a content-type's value is application/json, with or without parameters.
bool is_json_type(std::string_view content_type);

}  // namespace valor::plugins::builtin
