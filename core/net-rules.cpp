#include "core/net-rules.h"

#include <algorithm>

#include "core/text.h"

namespace valor::core {

namespace {

constexpr std::string_view kExpected =
    "expected a host (\"api.example.org\"), the names below one (\"*.example.org\"), an address or network "
    "(\"10.0.0.0/8\", \"[::1]\"), or \"*\" for all public addresses, each with or without \":PORT\"; or \"self\" for "
    "the "
    "plug-ins of this server";

Error wrong(std::string_view what) {
  return {format("%s; %s", {what, kExpected})};
}

// A whole decimal number without leading zero.
bool parse_number(std::string_view text, unsigned most, unsigned& out) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  out = value;
  return value <= most;
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 253 || host.front() == '.' || host.find("..") != std::string_view::npos) {
    return false;
  }
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

// Without the dot that ends an absolute name.
std::string_view without_root(std::string_view host) {
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  return host;
}

bool port_fits(const NetRule& rule, uint16_t port) {
  return rule.port == 0 || rule.port == port;
}

std::string list_of(const std::vector<NetRule>& rules) {
  if (rules.empty()) return "is empty";
  std::string text = "allows ";
  for (size_t at = 0; at < rules.size(); ++at) append_format(text, "%s\"%s\"", {at == 0 ? "" : ", ", rules[at].text});
  return text;
}

std::string how_to_allow(std::string_view target, uint16_t port) {
  return format(
      "; to allow it, add \"%s\" or \"%s:%s\" to \"permissions\": {\"net\": [...]} of the plug-in's definition",
      {target, target, size_t{port}});
}

std::string in_brackets(const IpAddress& address) {
  return address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
}

}  // namespace

Result<NetRule> NetRule::parse(std::string_view text) {
  NetRule rule;
  rule.text = text;
  const std::string lower = to_lower(text);
  const std::string_view rest = lower;
  if (rest.find("://") != std::string_view::npos) return wrong("is a URL; rules have no scheme and no path");

  // What stands before the port: an IPv6 address may stand in brackets, and without them has no port.
  std::string place = lower;
  std::string port;
  bool has_port = false;
  if (rest.starts_with('[')) {
    const size_t close = rest.find(']');
    if (close == std::string_view::npos) return wrong("has no closing bracket");
    const std::string_view address = rest.substr(1, close - 1);
    if (address.find(':') == std::string_view::npos) return wrong("has brackets around what is no IPv6 address");
    const std::string_view after = rest.substr(close + 1);
    const size_t colon = after.find(':');
    const std::string_view prefix = after.substr(0, colon);
    if (!prefix.empty() && !prefix.starts_with('/')) return wrong("has something other than a port after its bracket");
    place = format("%s%s", {address, prefix});
    has_port = colon != std::string_view::npos;
    if (has_port) port = after.substr(colon + 1);
  } else if (std::count(rest.begin(), rest.end(), ':') == 1) {
    has_port = true;
    place = rest.substr(0, rest.find(':'));
    port = rest.substr(rest.find(':') + 1);
  }
  if (has_port) {
    unsigned number = 0;
    if (!parse_number(port, 65'535, number) || number == 0) return wrong("has no port from 1 to 65535 after its colon");
    rule.port = static_cast<uint16_t>(number);
  }

  if (place == "*") return rule;
  if (place == "self" && !has_port) {
    rule.kind = Kind::kSelf;
    return rule;
  }
  if (place.starts_with("*.")) {
    rule.kind = Kind::kDomain;
    rule.host = without_root(std::string_view(place).substr(1));
    if (!is_host_name(std::string_view(rule.host).substr(1))) return wrong("is no host name after its \"*.\"");
    return rule;
  }
  const size_t slash = place.find('/');
  if (const std::optional<IpAddress> address = IpAddress::parse(std::string_view(place).substr(0, slash))) {
    rule.kind = Kind::kNetwork;
    rule.network = *address;
    if (slash == std::string::npos) return rule;
    const unsigned most = address->is_v4() && place.find(':') == std::string::npos ? 32 : 128;
    unsigned bits = 0;
    if (!parse_number(std::string_view(place).substr(slash + 1), most, bits)) {
      return wrong(format("has no number from 0 to %s after its slash", {size_t{most}}));
    }
    rule.bits = bits + (128 - most);
    return rule;
  }
  if (slash != std::string::npos) return wrong("has a slash, but no address before it");
  rule.kind = Kind::kHost;
  rule.host = without_root(place);
  if (!is_host_name(rule.host)) return wrong("is neither a host name (punycode where it is not ASCII) nor an address");
  // "10.0.0" or "1.2.3.256" would be a name that no URL can have.
  const std::string_view last = std::string_view(rule.host).substr(rule.host.rfind('.') + 1);
  if (!last.empty() && std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return wrong("is no address of four numbers");
  }
  return rule;
}

bool NetRules::trusts_name(std::string_view host, uint16_t port) const {
  host = without_root(host);
  return std::any_of(rules_.begin(), rules_.end(), [&](const NetRule& rule) {
    if (!port_fits(rule, port)) return false;
    if (rule.kind == NetRule::Kind::kHost) return host == rule.host;
    return rule.kind == NetRule::Kind::kDomain && host.size() > rule.host.size() && host.ends_with(rule.host);
  });
}

bool NetRules::allows_self() const {
  return !declared_ || std::any_of(rules_.begin(), rules_.end(),
                                   [](const NetRule& rule) { return rule.kind == NetRule::Kind::kSelf; });
}

bool NetRules::may_allow_addresses(uint16_t port) const {
  return !declared_ || std::any_of(rules_.begin(), rules_.end(), [&](const NetRule& rule) {
    return port_fits(rule, port) && (rule.kind == NetRule::Kind::kPublic || rule.kind == NetRule::Kind::kNetwork);
  });
}

std::string NetRules::refusal(std::string_view host, const IpAddress& address, uint16_t port) const {
  if (trusts_name(host, port)) return {};
  const std::string_view special = not_public(address);
  if (!declared_ && special.empty()) return {};
  for (const NetRule& rule : rules_) {
    if (!port_fits(rule, port)) continue;
    if (rule.kind == NetRule::Kind::kPublic && special.empty()) return {};
    if (rule.kind == NetRule::Kind::kNetwork && same_network(rule.network, address, rule.bits)) return {};
  }
  const std::string shown = in_brackets(address);
  std::string text = std::string(host);
  if (host != shown) text += " is " + shown + ", which";
  text += special.empty() ? " is a public address" : " is " + std::string(special);
  text += declared_ ? ", and \"net\" " + list_of(rules_) : ", and without a rule only public addresses are allowed";
  return text + how_to_allow(host, port);
}

std::string NetRules::refusal(std::string_view host, uint16_t port) const {
  return std::string(host) + " at port " + std::to_string(port) + " is not allowed: \"net\" " + list_of(rules_) +
         how_to_allow(host, port);
}

}  // namespace valor::core
