#include "core/file-url.h"

#include "core/ascii.h"
#include "core/text.h"

namespace valor::core {

std::string url_scheme(std::string_view text) {
  // https://url.spec.whatwg.org/#scheme-start-state
  if (text.empty() || !is_letter(text[0])) return {};
  for (size_t at = 1; at < text.size(); ++at) {
    char c = text[at];
    if (c == ':') return to_lower(text.substr(0, at));
    if (!is_letter(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return {};
  }
  return {};
}

Result<std::string> file_url_to_path(std::string_view url) {
  url.remove_prefix(url.find(':') + 1);
  url = url.substr(0, url.find_first_of("?#"));
  if (url.substr(0, 2) == "//") {
    url.remove_prefix(2);
    size_t slash = std::min(url.find('/'), url.size());
    std::string host = to_lower(url.substr(0, slash));
    if (!host.empty() && host != "localhost") {
      return Error{format("names the host \"%s\"; a file URL has three slashes: file:///folder/file", {host})};
    }
    url.remove_prefix(slash);
  }
  std::string path;
  for (size_t at = 0; at < url.size(); ++at) {
    int high = url[at] == '%' && at + 2 < url.size() ? hex_digit(url[at + 1]) : -1;
    int low = high >= 0 ? hex_digit(url[at + 2]) : -1;
    if (low < 0) {
      path += url[at];
      continue;
    }
    char c = static_cast<char>(high * 16 + low);
    if (c == '\0' || c == '/') return Error{format("holds %s, which no file name can hold", {url.substr(at, 3)})};
    path += c;
    at += 2;
  }
  if (path.empty() || path.back() == '/') return Error{"names no file"};
  return path;
}

}  // namespace valor::core
