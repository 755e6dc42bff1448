// IP addresses as values: read from text, told apart by what they reach.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace valor::core {

struct IpAddress {
  /// In network order; an IPv4 address is its IPv4-mapped form, ::ffff:a.b.c.d.
  std::array<uint8_t, 16> bytes{};

  static IpAddress v4(const uint8_t* four);
  static IpAddress v6(const uint8_t* sixteen);
  bool is_v4() const;

  /// Four decimal numbers, or any form of RFC 4291 section 2.2; no brackets, no zone.
  static std::optional<IpAddress> parse(std::string_view text);
  /// As people write it, IPv6 by RFC 5952.
  std::string to_string() const;

  bool operator==(const IpAddress&) const = default;
};

/// Whether the first `bits` (of 128) of both are the same.
bool same_network(const IpAddress& a, const IpAddress& b, unsigned bits);

/// What kind of place an address that is not on the public internet names: "a loopback address", "a private address",
/// ... "" for a public one. Addresses that carry an IPv4 address (mapped, NAT64, 6to4) are what that one is.
/// https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-special-registry
std::string_view not_public(const IpAddress& address);

}  // namespace valor::core
