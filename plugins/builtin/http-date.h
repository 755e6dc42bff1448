// Times as HTTP writes them (RFC 9110 section 5.6.7), independent of the locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace valor::plugins::builtin {

/// Seconds since 1970 as IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT". For the years 0 to 9999.
std::string format_http_date(int64_t unix_seconds);

/// Reads any of the three forms that a recipient must accept. nullopt for anything else.
/// `now` (seconds since 1970) decides the century of two-digit years.
std::optional<int64_t> parse_http_date(std::string_view text, int64_t now);

}  // namespace valor::plugins::builtin
