// The rules of fetch for what a guest asks: https://fetch.spec.whatwg.org/, as web/fetch/fetching.ts has them for
// JavaScript. Values in, values out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/message.h"
#include "core/result.h"
#include "plugins/outgoing/network.h"

namespace valor::plugins::abi {

inline constexpr unsigned kMaxRedirects = 20;

/// What is asked of one server, on the way through redirects.
struct FetchTarget {
  std::string method;
  outgoing::Url url;
  core::HeaderList headers;  ///< the guest's, and what fetches always have
  bool has_body = false;
  unsigned redirects = 0;
};

/// Checks what the guest passed and completes it. `base`: what a relative URL is relative to. The error says what
/// breaks a rule.
core::Result<FetchTarget> begin_fetch(const outgoing::Network& network, std::string_view method, std::string_view url,
                                      std::string_view base, std::string_view packed_headers, bool has_body);

/// Whether a response with this status sends elsewhere, where it has a location.
bool is_redirect(uint16_t status);

/// Changes `target` to where a redirect with `status` and `location` points. The error says why it cannot be followed.
core::Status follow_redirect(const outgoing::Network& network, uint16_t status, std::string_view location,
                             FetchTarget& target);

}  // namespace valor::plugins::abi
