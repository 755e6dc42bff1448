#include "web/url/parse.h"

#include <algorithm>

namespace valor::web {

namespace {

constexpr uint8_t kNotSpecial = 1;

Url checked(Url url) {
  if (!ada_is_valid(url.get()) || has_invalid_punycode(url.get())) url.reset();
  return url;
}

}  // namespace

bool has_invalid_punycode(ada_url url) {
  ada_string host = ada_get_hostname(url);
  std::string_view rest(host.data, host.length);
  if (rest.find("xn--") == std::string_view::npos || ada_get_scheme_type(url) == kNotSpecial) return false;
  while (!rest.empty()) {
    std::string_view label = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(rest.size(), label.size() + 1));
    if (!label.starts_with("xn--")) continue;
    ada_owned_string decoded = ada_idna_to_unicode(label.data(), label.size());
    bool invalid = std::string_view(decoded.data, decoded.length).starts_with("xn--") || decoded.length == 0;
    ada_free_owned_string(decoded);
    if (invalid) return true;
  }
  return false;
}

Url parse_url(std::string_view input) {
  return checked(Url(ada_parse(input.data(), input.size())));
}

Url parse_url(std::string_view input, std::string_view base) {
  return checked(Url(ada_parse_with_base(input.data(), input.size(), base.data(), base.size())));
}

}  // namespace valor::web
