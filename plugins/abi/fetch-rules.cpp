#include "plugins/abi/fetch-rules.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "core/blocked-ports.h"
#include "plugins/abi/packed-headers.h"

namespace valor::plugins::abi {

namespace {

// In errors, what a plug-in or server said is cut at this length.
constexpr size_t kShownOfText = 200;
// What belongs to the connection or follows from the body is not the plug-in's to say.
constexpr std::array<const char*, 7> kFraming = {"connection",       "content-length",    "expect", "keep-alive",
                                                 "proxy-connection", "transfer-encoding", "upgrade"};
// https://fetch.spec.whatwg.org/#request-body-header-name
constexpr std::array<const char*, 4> kOfBody = {"content-encoding", "content-language", "content-location",
                                                "content-type"};
// The standard knows Authorization; the others cannot be set in a browser, and are as secret.
constexpr std::array<const char*, 4> kSecret = {"authorization", "cookie", "host", "proxy-authorization"};

std::string quoted(std::string_view text) {
  return "'" + std::string(text.substr(0, kShownOfText)) + (text.size() > kShownOfText ? "...'" : "'");
}

// https://fetch.spec.whatwg.org/#concept-method-normalize
std::string normalized(std::string_view method) {
  for (const char* known : {"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"}) {
    if (core::same_header_name(method, known)) return known;
  }
  return std::string(method);
}

// https://fetch.spec.whatwg.org/#forbidden-method
bool is_forbidden_method(std::string_view method) {
  return core::same_header_name(method, "connect") || core::same_header_name(method, "trace") ||
         core::same_header_name(method, "track");
}

// RFC 9110 section 8.6: these mean to send something, and say so when it is nothing.
void say_length(FetchTarget& target) {
  target.headers.remove("content-length");
  if (!target.has_body && (target.method == "POST" || target.method == "PUT"))
    target.headers.set("content-length", "0");
}

// A Location is bytes. What is not ASCII stays what it is, which in most cases is UTF-8.
std::string percent_encoded(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
      continue;
    }
    char escaped[4];
    snprintf(escaped, sizeof(escaped), "%%%02X", byte);
    text += escaped;
  }
  return text;
}

bool is_http(const outgoing::Url& url) {
  return url.scheme == "http" || url.scheme == "https";
}

std::string blocked(uint16_t port) {
  return "port " + std::to_string(port) + " is blocked (https://fetch.spec.whatwg.org/#port-blocking)";
}

}  // namespace

core::Result<FetchTarget> begin_fetch(const outgoing::Network& network, std::string_view method, std::string_view url,
                                      std::string_view base, std::string_view packed_headers, bool has_body) {
  // A method is a token, as the name of a header is.
  if (!core::is_header_name(method) || is_forbidden_method(method)) {
    return core::Error{"the method " + quoted(method) + " cannot be sent"};
  }
  FetchTarget target;
  target.method = normalized(method);
  target.has_body = has_body;
  if (has_body && (target.method == "GET" || target.method == "HEAD")) {
    return core::Error{target.method + " has no body: leave VALOR_FETCH_BODY out"};
  }
  std::optional<outgoing::Url> parsed = network.parse(url, base);
  if (!parsed) return core::Error{quoted(url) + " is no URL"};
  if (!is_http(*parsed)) return core::Error{quoted(url) + " is neither http: nor https:"};
  if (parsed->has_credentials) {
    return core::Error{"there are credentials in the URL; send them in an authorization header"};
  }
  if (core::is_blocked_port(parsed->port)) return core::Error{blocked(parsed->port)};
  target.url = *std::move(parsed);
  if (const core::Status unpacked = unpack_headers(packed_headers, target.headers); !unpacked) return unpacked.error();
  for (const char* name : kFraming) target.headers.remove(name);
  // As fetch() of JavaScript has it.
  for (const auto& [name, value] :
       {std::pair{"accept", "*/*"}, {"accept-language", "*"}, {"user-agent", "Valor/0.1.0"}}) {
    if (!target.headers.has(name)) target.headers.append(name, value);
  }
  // Part of a coded content cannot be decoded.
  if (target.headers.has("range") && !target.headers.has("accept-encoding")) {
    target.headers.append("accept-encoding", "identity");
  }
  say_length(target);
  return target;
}

bool is_redirect(uint16_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// https://fetch.spec.whatwg.org/#http-redirect-fetch
core::Status follow_redirect(const outgoing::Network& network, uint16_t status, std::string_view location,
                             FetchTarget& target) {
  const std::string to = "it redirects to " + quoted(location);
  std::optional<outgoing::Url> next = network.parse(percent_encoded(location), target.url.href);
  if (!next) return core::Error{to + ", which is no URL"};
  if (!is_http(*next)) return core::Error{to + ", which is neither http: nor https:"};
  if (target.redirects == kMaxRedirects) {
    return core::Error{"it redirects more than " + std::to_string(kMaxRedirects) + " times"};
  }
  ++target.redirects;
  if (next->has_credentials) return core::Error{"it redirects to a URL with credentials in it"};
  if (core::is_blocked_port(next->port)) return core::Error{to + ", but " + blocked(next->port)};
  if (target.has_body && status != 303) {
    const bool becomes_get = (status == 301 || status == 302) && target.method == "POST";
    if (!becomes_get) return core::Error{to + ", and the request's body cannot be sent again"};
  }
  if (((status == 301 || status == 302) && target.method == "POST") ||
      (status == 303 && target.method != "GET" && target.method != "HEAD")) {
    target.method = "GET";
    target.has_body = false;
    for (const char* name : kOfBody) target.headers.remove(name);
  }
  if (next->origin != target.url.origin) {
    for (const char* name : kSecret) target.headers.remove(name);
  }
  if (next->fragment.empty()) next->fragment = target.url.fragment;
  target.url = *std::move(next);
  say_length(target);
  return core::Nothing{};
}

}  // namespace valor::plugins::abi
