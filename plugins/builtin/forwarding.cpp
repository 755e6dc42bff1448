#include "plugins/builtin/forwarding.h"

#include <curl/urlapi.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "core/ascii.h"
#include "plugins/builtin/answers.h"

namespace valor::plugins::builtin {

namespace {

constexpr std::string_view kVia = "1.1 valor";
// A chain of servers is sensible, a long one is a loop.
constexpr size_t kMaxHops = 10;

// RFC 9110 section 7.6.1, and proxy-* by section 11.7 and by custom.
constexpr std::array<std::string_view, 9> kHopByHop = {
    "connection",        "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
};
// Framing and hosts are written anew, 100-continue is settled with the client here.
constexpr std::array<std::string_view, 3> kOwnRequest = {"host", "content-length", "expect"};
// What the client says about who it is, unless it is trusted.
constexpr std::array<std::string_view, 7> kForwarded = {
    "forwarded",        "x-forwarded-for",    "x-forwarded-host", "x-forwarded-proto",
    "x-forwarded-port", "x-forwarded-prefix", "x-real-ip",
};
// Added by the connection to the client.
constexpr std::array<std::string_view, 3> kOwnResponse = {"content-length", "x-correlation-id", "x-valor-plugin"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view one) { return core::same_header_name(one, name); });
}

// Calls `function` with every item of the comma-separated headers called `name`.
template <class Function>
void for_each_item(const core::HeaderList& headers, std::string_view name, Function function) {
  for (const core::HeaderList::Header header : headers) {
    if (header.name != name) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      function(core::trim_blanks(rest.substr(0, comma)));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
}

std::vector<std::string_view> named_by_connection(const core::HeaderList& headers) {
  std::vector<std::string_view> names;
  for_each_item(headers, "connection", [&](std::string_view item) { names.push_back(item); });
  return names;
}

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::optional<std::string> part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return std::nullopt;
  std::string result = text;
  curl_free(text);
  return result;
}

// https://url.spec.whatwg.org/#double-dot-path-segment; the single dot is harmless but as pointless.
bool is_dot_segment(std::string_view segment) {
  const auto decoded = percent_decode(segment);
  return decoded && (*decoded == "." || *decoded == "..");
}

bool has_dot_segment(std::string_view path) {
  while (true) {
    const size_t end = path.find_first_of("/\\");
    if (is_dot_segment(path.substr(0, end))) return true;
    if (end == std::string_view::npos) return false;
    path = path.substr(end + 1);
  }
}

}  // namespace

core::Result<Upstream> parse_upstream(const std::string& url) {
  constexpr std::string_view kExpected = "expected a URL like http://127.0.0.1:9000/base";
  const core::Error unusable{"\"" + url + "\" is no URL that can be forwarded to; " + std::string(kExpected)};
  const std::unique_ptr<CURLU, UrlDeleter> parsed(curl_url());
  if (parsed == nullptr || url.find('\0') != std::string::npos ||
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS) != CURLUE_OK) {
    return unusable;
  }
  const auto scheme = part(parsed.get(), CURLUPART_SCHEME);
  const auto host = part(parsed.get(), CURLUPART_HOST);
  if (!scheme || (*scheme != "http" && *scheme != "https") || !host || host->empty()) return unusable;
  if (part(parsed.get(), CURLUPART_USER) || part(parsed.get(), CURLUPART_PASSWORD)) {
    return core::Error{"the URL holds a user name or password, which is not sent; " + std::string(kExpected)};
  }
  if (url.find_first_of("?#") != std::string::npos) {
    return core::Error{"the URL holds a query or fragment; " + std::string(kExpected)};
  }
  Upstream upstream;
  upstream.origin = *scheme + "://" + *host;
  if (const auto port = part(parsed.get(), CURLUPART_PORT)) upstream.origin += ":" + *port;
  upstream.path = part(parsed.get(), CURLUPART_PATH).value_or("");
  if (upstream.path == "/" && !url.ends_with('/')) upstream.path.clear();
  const bool bad =
      std::any_of(upstream.path.begin(), upstream.path.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
  if (bad || has_dot_segment(upstream.path)) return unusable;
  return upstream;
}

std::string upstream_target(const Upstream& upstream, std::string_view url) {
  if (url.starts_with("./")) url.remove_prefix(2);
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '#') return {};
  }
  if (has_dot_segment(url.substr(0, url.find('?')))) return {};
  std::string target = upstream.path;
  if (!url.empty() && url.front() != '?' && !target.ends_with('/')) target += '/';
  target += url;
  if (target.empty() || target.front() != '/') target.insert(0, "/");
  return target;
}

core::HeaderList forward_request_headers(const core::Request& request, const ForwardingRules& rules) {
  const std::vector<std::string_view> named = named_by_connection(request.headers);
  core::HeaderList result;
  std::string via;
  for (const core::HeaderList::Header header : request.headers) {
    if (contains(kHopByHop, header.name) || contains(named, header.name) || contains(kOwnRequest, header.name))
      continue;
    if (!rules.trust_forwarded && contains(kForwarded, header.name)) continue;
    if (header.name == "via") {
      via.append(via.empty() ? "" : ", ").append(header.value);
      continue;
    }
    result.append(header.name, header.value);
  }
  if (rules.preserve_host && !request.authority.empty()) result.append("host", request.authority);
  if (!request.authority.empty() && !result.has("x-forwarded-host")) {
    result.append("x-forwarded-host", request.authority);
  }
  if (!result.has("x-forwarded-proto")) result.append("x-forwarded-proto", request.scheme);
  result.append("via", via.append(via.empty() ? "" : ", ").append(kVia));
  return result;
}

core::HeaderList forward_response_headers(const core::HeaderList& headers) {
  const std::vector<std::string_view> named = named_by_connection(headers);
  core::HeaderList result;
  for (const core::HeaderList::Header header : headers) {
    if (contains(kHopByHop, header.name) || contains(named, header.name) || contains(kOwnResponse, header.name)) {
      continue;
    }
    result.append(header.name, header.value);
  }
  result.append("via", kVia);
  return result;
}

bool is_looping(const core::Request& request) {
  size_t hops = 0;
  for_each_item(request.headers, "via", [&](std::string_view item) { hops += item == kVia ? 1 : 0; });
  return hops >= kMaxHops;
}

}  // namespace valor::plugins::builtin
