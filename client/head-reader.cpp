#include "client/head-reader.h"

namespace valor::client {

namespace {

// Against an upstream that sends headers without end.
constexpr size_t kMaxHead = 256 * 1024;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

HeadReader::Step HeadReader::broken(std::string why) {
  problem_ = std::move(why);
  return Step::kBroken;
}

bool HeadReader::is_value(std::string_view value) const {
  if (rules_ == HeadRules::kStrict) return core::is_header_value(value);
  return value.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos;
}

HeadReader::Step HeadReader::end() {
  return complete_ || !begun_ || !problem_.empty() || rules_ != HeadRules::kBrowser ? Step::kMore : end_of_head();
}

HeadReader::Step HeadReader::feed(std::string_view line) {
  if (!problem_.empty()) return Step::kBroken;
  if (complete_) return Step::kMore;
  bytes_ += line.size();
  if (bytes_ > kMaxHead) return broken("the response's head is larger than 256 KiB");
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (!begun_) return status_line(line);
  return line.empty() ? end_of_head() : field_line(line);
}

HeadReader::Step HeadReader::status_line(std::string_view line) {
  // "HTTP/1.1 200 OK"; the reason may be missing. https://www.rfc-editor.org/rfc/rfc9112#section-4
  const size_t space = line.find(' ');
  if (!line.starts_with("HTTP/") || space == std::string_view::npos || line.size() < space + 4 ||
      !is_digit(line[space + 1]) || !is_digit(line[space + 2]) || !is_digit(line[space + 3]) ||
      (line.size() > space + 4 && line[space + 4] != ' ')) {
    return broken("the response has no status line");
  }
  head_.headers.clear();
  length_.reset();
  head_.status =
      static_cast<uint16_t>((line[space + 1] - '0') * 100 + (line[space + 2] - '0') * 10 + (line[space + 3] - '0'));
  if (head_.status < 100 || head_.status > 599) return broken("the response's status is not from 100 to 599");
  // Only a client that asked for another protocol may be told to switch.
  if (head_.status == 101) return broken("the response switches protocols without being asked to");
  reason_ = trim(line.substr(space + 4));
  if (!is_value(reason_)) return broken("the response's status line has a control character");
  begun_ = true;
  return Step::kMore;
}

HeadReader::Step HeadReader::field_line(std::string_view line) {
  const size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  // Folded lines, which begin with a blank, fail here too: RFC 9112 section 5.2 lets a proxy refuse them.
  if (colon == std::string_view::npos || !core::is_header_name(name)) {
    return broken("the response has a header line without a proper name");
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_value(value)) return broken("the response has a header with a control character");
  head_.headers.append(name, value);
  return Step::kMore;
}

HeadReader::Step HeadReader::end_of_head() {
  if (head_.status < 200) {
    begun_ = false;
    return Step::kMore;
  }
  const bool chunked = head_.headers.has("transfer-encoding");
  for (const core::HeaderList::Header header : head_.headers) {
    if (header.name != "content-length") continue;
    if (header.value.empty() || header.value.size() > 18) return broken("the response's content-length is no number");
    uint64_t value = 0;
    for (const char c : header.value) {
      if (!is_digit(c)) return broken("the response's content-length is no number");
      value = value * 10 + static_cast<uint64_t>(c - '0');
    }
    if (length_.value_or(value) != value) return broken("the response has two different content-lengths");
    length_ = value;
  }
  if (chunked) length_.reset();
  complete_ = true;
  return Step::kComplete;
}

}  // namespace valor::client
