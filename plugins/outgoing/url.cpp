// URLs by the parser in the node binary, as in plug-ins of JavaScript.
#include "plugins/outgoing/instance-network.h"
#include "web/url/parse.h"

namespace valor::plugins::outgoing {

namespace {

constexpr uint32_t kAbsent = 0xffffffff;

uint16_t default_port(std::string_view scheme) {
  if (scheme == "http") return 80;
  return scheme == "https" ? 443 : 0;
}

}  // namespace

std::optional<Url> InstanceNetwork::parse(std::string_view url, std::string_view base) const {
  if (url.size() > web::kMaxUrlLength) return std::nullopt;
  const web::Url parsed = web::parse_url(url, base);
  if (parsed == nullptr) return std::nullopt;
  const ada_string whole = ada_get_href(parsed.get());
  const std::string_view href(whole.data, whole.length);
  const ada_url_components& parts = *ada_get_components(parsed.get());
  Url result;
  const size_t hash = parts.hash_start == kAbsent ? href.size() : parts.hash_start;
  result.href = href.substr(0, hash);
  result.fragment = href.substr(hash);
  result.scheme = href.substr(0, parts.protocol_end - 1);
  result.port = parts.port == kAbsent ? default_port(result.scheme) : static_cast<uint16_t>(parts.port);
  // Before the host is an '@' where there are credentials.
  result.has_credentials = parts.host_start < href.size() && href[parts.host_start] == '@';
  const size_t host = parts.host_start + (result.has_credentials ? 1 : 0);
  result.origin = result.scheme + "://";
  result.origin.append(href.substr(host, parts.pathname_start - host));
  return result;
}

}  // namespace valor::plugins::outgoing
