// What goes into a plug-in under test, and what comes out of it.
#pragma once

#include <valor.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <valor/text.hpp>
#include <vector>

namespace valor::test {

/// In order; a name may repeat.
using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// A request of a client.
struct Request {
  std::string method = "GET";
  std::string url;  ///< relative to the mount: no leading slash
  HeaderList headers = {};
  std::optional<std::string> body = std::nullopt;  ///< whole; its length is declared
  bool body_follows = false;                       ///< instead: by Exchange::push() and end_body()
  uint64_t window = UINT64_MAX;  ///< bytes of the answer that the client takes before Exchange::take()
};

/// What a client has got so far.
struct Answer {
  int status = 0;  ///< 0: nothing yet. 500: the plug-in failed before it answered, or its answer was none
  HeaderList headers = {};
  std::string body = {};
  std::vector<std::string> pieces = {};           ///< the body as it was written
  std::optional<uint64_t> length = std::nullopt;  ///< as announced
  bool ended = false;                             ///< nothing will follow
  bool broken = false;                            ///< it ended within the body
  std::string failure = {};                       ///< why, where the plug-in failed: for the log, not for the client

  /// The value of the first header of that name (in any case); empty when there is none.
  std::string header(std::string_view name) const {
    for (const auto& [its_name, value] : headers) {
      if (detail::same_name(its_name, name)) return value;
    }
    return {};
  }
};

/// A request that the plug-in sends by valor::fetch().
struct FetchCall {
  std::string method;
  std::string url;  ///< as the plug-in gave it
  HeaderList headers;
  std::string body;  ///< whole: the test answers when it has been sent
  bool manual_redirect = false;
};

/// What the test answers to that.
struct FetchReply {
  int status = 200;
  HeaderList headers = {};
  std::string body = {};
  std::string error = {};     ///< not empty: there is no response, for this reason
  bool breaks_off = false;    ///< the body ends before it is whole
  uint64_t milliseconds = 0;  ///< until the head is there, by the clock of the test
  std::string url = {};       ///< not empty: where it comes from, after redirects
};

struct LogLine {
  uint32_t level;  ///< VALOR_LOG_...
  std::string text;
};

namespace internal {

/// A head in one block, as valor.h lays it out.
template <class Fixed>
std::vector<uint64_t> pack_head(Fixed fixed, std::vector<std::pair<valor_span Fixed::*, std::string_view>> texts,
                                const HeaderList& headers) {
  std::string block(sizeof(Fixed) + headers.size() * sizeof(valor_header), '\0');
  const auto add = [&](std::string_view text) {
    const valor_span span{static_cast<uint32_t>(block.size()), static_cast<uint32_t>(text.size())};
    block.append(text);
    return span;
  };
  for (const auto& [member, text] : texts) fixed.*member = add(text);
  for (size_t i = 0; i < headers.size(); ++i) {
    std::string name = headers[i].first;
    for (char& c : name) c = detail::lower(c);
    const valor_span name_at = add(name);
    const valor_header header{name_at, add(headers[i].second)};
    std::memcpy(block.data() + sizeof(Fixed) + i * sizeof(header), &header, sizeof(header));
  }
  fixed.size = sizeof(Fixed);
  fixed.headers = sizeof(Fixed);
  fixed.header_count = static_cast<uint32_t>(headers.size());
  std::memcpy(block.data(), &fixed, sizeof(fixed));
  std::vector<uint64_t> words((block.size() + 7) / 8);
  std::memcpy(words.data(), block.data(), block.size());
  return words;
}

inline bool is_token(std::string_view text) {
  constexpr std::string_view kSigns = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    const char l = detail::lower(c);
    if (!(l >= 'a' && l <= 'z') && !(c >= '0' && c <= '9') && kSigns.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

inline bool is_header_value(std::string_view text) {
  if (text.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos) return false;
  return text.empty() || (std::string_view(" \t").find(text.front()) == std::string_view::npos &&
                          std::string_view(" \t").find(text.back()) == std::string_view::npos);
}

/// The pairs of a block; nothing when one breaks a rule.
inline std::optional<HeaderList> unpack_headers(const void* block, size_t size) {
  HeaderList headers;
  std::string_view rest(static_cast<const char*>(block), size);
  while (!rest.empty()) {
    uint32_t sizes[2];
    if (rest.size() < sizeof(sizes)) return std::nullopt;
    std::memcpy(sizes, rest.data(), sizeof(sizes));
    rest.remove_prefix(sizeof(sizes));
    if (sizes[0] > rest.size() || sizes[1] > rest.size() - sizes[0]) return std::nullopt;
    const std::string_view name = rest.substr(0, sizes[0]);
    const std::string_view value = rest.substr(sizes[0], sizes[1]);
    if (!is_token(name) || !is_header_value(value)) return std::nullopt;
    headers.emplace_back(name, value);
    rest.remove_prefix(size_t{sizes[0]} + sizes[1]);
  }
  return headers;
}

}  // namespace internal
}  // namespace valor::test
