// What a gateway changes in the heads that pass through it, as rules on plain values (RFC 9110 section 7.6).
#pragma once

#include <string>
#include <string_view>

#include "core/message.h"
#include "core/result.h"

namespace valor::plugins::builtin {

/// Where requests are forwarded to.
struct Upstream {
  std::string origin;  ///< "http://host:port"
  std::string path;    ///< "" or "/base", with a slash at the end where the operator wrote one
};

/// Reads the upstream's URL: http or https, without user, query and fragment. The error says what was expected.
core::Result<Upstream> parse_upstream(const std::string& url);

/// The request-target at the upstream for a mount-relative url (core::Request::url). "" for one that cannot be
/// forwarded: dot segments would lead out of the upstream's path, blanks and controls out of the request line.
std::string upstream_target(const Upstream& upstream, std::string_view url);

struct ForwardingRules {
  bool preserve_host = false;    ///< send the client's host instead of the upstream's
  bool trust_forwarded = false;  ///< keep X-Forwarded-* and Forwarded that the client sent
};

/// The headers for the upstream: without those of the client's connection, with via and x-forwarded-host and -proto.
core::HeaderList forward_request_headers(const core::Request& request, const ForwardingRules& rules);

/// Removes from a response's headers what belongs to the upstream's connection or is the server's to say, and adds via.
core::HeaderList forward_response_headers(const core::HeaderList& headers);

/// Whether the request has been through servers of this kind so often that it must be going round in circles.
bool is_looping(const core::Request& request);

}  // namespace valor::plugins::builtin
