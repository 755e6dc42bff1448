#include "client/proxy-settings.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <optional>

#include "core/ip-address.h"

namespace valor::client {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

bool is_in_network(std::string_view host, std::string_view entry) {
  const size_t slash = entry.find('/');
  const std::optional<core::IpAddress> address = core::IpAddress::parse(host);
  const std::optional<core::IpAddress> network = core::IpAddress::parse(entry.substr(0, slash));
  if (!address || !network || address->is_v4() != network->is_v4()) return false;
  unsigned bits = network->is_v4() ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string number(entry.substr(slash + 1));
    if (number.empty() || number.size() > 3 || number.find_first_not_of("0123456789") != std::string::npos)
      return false;
    bits = std::min(bits, static_cast<unsigned>(std::stoul(number)));
  }
  return core::same_network(*address, *network, bits + (network->is_v4() ? 96 : 0));
}

}  // namespace

ProxySettings::ProxySettings(const Environment& environment) {
  const auto first = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (std::string value = environment(name); !value.empty()) return value;
    }
    return std::string();
  };
  // Not HTTP_PROXY: in CGI programs that is a header of the client's request (https://httpoxy.org).
  http_ = first({"http_proxy", "all_proxy", "ALL_PROXY"});
  https_ = first({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  exempt_ = lower(first({"no_proxy", "NO_PROXY"}));
}

const ProxySettings& ProxySettings::of_process() {
  static const ProxySettings kSettings([](const char* name) {
    const char* value = getenv(name);
    return std::string(value == nullptr ? "" : value);
  });
  return kSettings;
}

bool ProxySettings::is_exempt(std::string_view host) const {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::string_view list = exempt_;
  while (!list.empty()) {
    const size_t end = list.find_first_of(", \t");
    std::string_view entry = list.substr(0, end);
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    if (entry == "*") return true;
    if (entry.starts_with('.')) entry.remove_prefix(1);
    if (entry.empty()) continue;
    if (host == entry || is_in_network(host, entry)) return true;
    if (host.size() > entry.size() && host.ends_with(entry) && host[host.size() - entry.size() - 1] == '.') return true;
  }
  return false;
}

std::string ProxySettings::proxy_for(std::string_view scheme, std::string_view host) const {
  const std::string& proxy = scheme == "https" ? https_ : http_;
  return proxy.empty() || is_exempt(host) ? std::string() : proxy;
}

}  // namespace valor::client
