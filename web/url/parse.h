// Parsing URLs where there is no JavaScript: https://url.spec.whatwg.org/#concept-url-parser
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "web/url/ada.h"

namespace valor::web {

/// Longer texts are no URLs, in Chromium neither. Parsing takes several copies outside of the JavaScript heap, which a
/// plug-in could otherwise use to get past its memory limit.
inline constexpr size_t kMaxUrlLength = size_t{2} * 1024 * 1024;

struct FreeUrl {
  void operator()(void* url) const { ada_free(url); }
};
using Url = std::unique_ptr<void, FreeUrl>;

/// `input` and `base` are UTF-8. nullptr when it is no URL. Without a base `input` must be absolute.
Url parse_url(std::string_view input);
Url parse_url(std::string_view input, std::string_view base);

/// https://url.spec.whatwg.org/#concept-domain-to-ascii: ada takes labels whose punycode is not valid as they are.
/// Those that are valid stand for something else than themselves.
bool has_invalid_punycode(ada_url url);

}  // namespace valor::web
