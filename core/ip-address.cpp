#include "core/ip-address.h"

#include <algorithm>

#include "core/ascii.h"

namespace valor::core {

namespace {

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool parse_v4(std::string_view text, uint8_t* out) {
  for (int part = 0; part < 4; ++part) {
    const size_t end = part == 3 ? text.size() : text.find('.');
    if (end == std::string_view::npos || end == 0 || end > 3 || (end > 1 && text[0] == '0')) return false;
    unsigned value = 0;
    for (const char c : text.substr(0, end)) {
      if (!is_digit(c)) return false;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (value > 255) return false;
    out[part] = static_cast<uint8_t>(value);
    text.remove_prefix(part == 3 ? end : end + 1);
  }
  return true;
}

// Groups of hexadecimal digits; at the end of an address the last may be an IPv4 one. Returns the bytes written, -1 for
// nonsense.
int parse_groups(std::string_view text, uint8_t* out, int room, bool at_end) {
  int written = 0;
  while (!text.empty()) {
    const size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (at_end && colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      return written + 4 <= room && parse_v4(group, out + written) ? written + 4 : -1;
    }
    if (group.empty() || group.size() > 4 || written + 2 > room) return -1;
    unsigned value = 0;
    for (const char c : group) {
      if (hex_digit(c) < 0) return -1;
      value = value * 16 + static_cast<unsigned>(hex_digit(c));
    }
    out[written++] = static_cast<uint8_t>(value >> 8);
    out[written++] = static_cast<uint8_t>(value);
    if (colon == std::string_view::npos) return written;
    text.remove_prefix(colon + 1);
    if (text.empty()) return -1;
  }
  return written;
}

struct Special {
  std::string_view network;
  unsigned bits;
  std::string_view kind;
};

// The first that holds an address decides.
constexpr Special kSpecialV4[] = {
    {"0.0.0.0", 32, "the unspecified address"}, {"0.0.0.0", 8, "a reserved address"},
    {"10.0.0.0", 8, "a private address"},       {"100.64.0.0", 10, "a private address"},
    {"127.0.0.0", 8, "a loopback address"},     {"169.254.0.0", 16, "a link-local address"},
    {"172.16.0.0", 12, "a private address"},    {"192.0.0.0", 24, "a reserved address"},
    {"192.0.2.0", 24, "a reserved address"},    {"192.88.99.0", 24, "a reserved address"},
    {"192.168.0.0", 16, "a private address"},   {"198.18.0.0", 15, "a private address"},
    {"198.51.100.0", 24, "a reserved address"}, {"203.0.113.0", 24, "a reserved address"},
    {"224.0.0.0", 4, "a multicast address"},    {"255.255.255.255", 32, "the broadcast address"},
    {"240.0.0.0", 4, "a reserved address"},
};
constexpr Special kSpecialV6[] = {
    {"::", 128, "the unspecified address"}, {"::1", 128, "a loopback address"},  {"fc00::", 7, "a private address"},
    {"fe80::", 10, "a link-local address"}, {"fec0::", 10, "a private address"}, {"ff00::", 8, "a multicast address"},
};

bool within(const IpAddress& address, std::string_view network, unsigned bits, bool v4) {
  return same_network(address, *IpAddress::parse(network), v4 ? 96 + bits : bits);
}

}  // namespace

IpAddress IpAddress::v4(const uint8_t* four) {
  IpAddress address;
  std::copy(kMapped.begin(), kMapped.end(), address.bytes.begin());
  std::copy(four, four + 4, address.bytes.begin() + 12);
  return address;
}

IpAddress IpAddress::v6(const uint8_t* sixteen) {
  IpAddress address;
  std::copy(sixteen, sixteen + 16, address.bytes.begin());
  return address;
}

bool IpAddress::is_v4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  IpAddress address;
  if (text.find(':') == std::string_view::npos) {
    uint8_t four[4];
    if (!parse_v4(text, four)) return std::nullopt;
    return v4(four);
  }
  const size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (parse_groups(text, address.bytes.data(), 16, true) != 16) return std::nullopt;
    return address;
  }
  uint8_t tail[16];
  const int before = parse_groups(text.substr(0, gap), address.bytes.data(), 14, false);
  if (before < 0) return std::nullopt;
  const int after = parse_groups(text.substr(gap + 2), tail, 14 - before, true);
  if (after < 0) return std::nullopt;
  std::copy(tail, tail + after, address.bytes.end() - after);
  return address;
}

std::string IpAddress::to_string() const {
  std::string text;
  if (is_v4()) {
    for (int at = 12; at < 16; ++at) {
      if (at > 12) text += '.';
      text += std::to_string(bytes[static_cast<size_t>(at)]);
    }
    return text;
  }
  const auto group = [&](int at) {
    return (bytes[static_cast<size_t>(2 * at)] << 8) | bytes[static_cast<size_t>(2 * at + 1)];
  };
  int gap = -1;
  int gap_length = 1;  // a single zero is written out
  for (int at = 0; at < 8; ++at) {
    int length = 0;
    while (at + length < 8 && group(at + length) == 0) ++length;
    if (length > gap_length) {
      gap = at;
      gap_length = length;
    }
  }
  for (int at = 0; at < 8;) {
    if (at == gap) {
      text += "::";
      at += gap_length;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    constexpr std::string_view kDigits = "0123456789abcdef";
    bool begun = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
      const auto digit = static_cast<size_t>((group(at) >> shift) & 15);
      begun = begun || digit != 0 || shift == 0;
      if (begun) text += kDigits[digit];
    }
    ++at;
  }
  return text;
}

bool same_network(const IpAddress& a, const IpAddress& b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(a.bytes.begin(), a.bytes.begin() + whole, b.bytes.begin())) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (a.bytes[whole] >> (8 - rest)) == (b.bytes[whole] >> (8 - rest));
}

std::string_view not_public(const IpAddress& address) {
  if (address.is_v4()) {
    for (const Special& special : kSpecialV4) {
      if (within(address, special.network, special.bits, true)) return special.kind;
    }
    return {};
  }
  for (const Special& special : kSpecialV6) {
    if (within(address, special.network, special.bits, false)) return special.kind;
  }
  // NAT64 and 6to4 reach the IPv4 address that they carry; so would the long-gone IPv4-compatible form.
  if (within(address, "64:ff9b::", 96, false) || within(address, "::", 96, false)) {
    return not_public(IpAddress::v4(&address.bytes[12]));
  }
  if (within(address, "2002::", 16, false)) return not_public(IpAddress::v4(&address.bytes[2]));
  // Everything else outside 2000::/3, and what lies in it for protocols (Teredo among them), documentation, benchmarks.
  if (!within(address, "2000::", 3, false) || within(address, "2001::", 23, false) ||
      within(address, "2001:db8::", 32, false) || within(address, "3fff::", 20, false)) {
    return "a reserved address";
  }
  return {};
}

}  // namespace valor::core
