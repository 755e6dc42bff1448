#include "plugins/builtin/preconditions.h"

#include <algorithm>
#include <optional>

#include "core/ascii.h"
#include "plugins/builtin/http-date.h"

namespace valor::plugins::builtin {

namespace {

enum class Comparison { kStrong, kWeak };

// RFC 9110 section 8.8.3.2.
bool same_etag(std::string_view a, std::string_view b, Comparison comparison) {
  if (comparison == Comparison::kStrong) return a == b && !a.starts_with("W/");
  if (a.starts_with("W/")) a.remove_prefix(2);
  if (b.starts_with("W/")) b.remove_prefix(2);
  return a == b;
}

// Whether a list of entity tags, or "*", names `etag`. A comma may stand inside a tag's quotes.
bool list_names(std::string_view list, std::string_view etag, Comparison comparison) {
  list = core::trim_blanks(list);
  if (list == "*") return true;
  while (!list.empty()) {
    const size_t quote = list.find('"');
    if (quote == std::string_view::npos) return false;
    const size_t end = list.find('"', quote + 1);
    if (end == std::string_view::npos) return false;
    const size_t start = quote >= 2 && list.substr(quote - 2, 2) == "W/" ? quote - 2 : quote;
    if (same_etag(list.substr(start, end + 1 - start), etag, comparison)) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

// Over all headers of the name: a list may be spread over several.
std::optional<bool> header_names(const core::Request& request, std::string_view name, std::string_view etag,
                                 Comparison comparison) {
  std::optional<bool> result;
  for (const core::HeaderList::Header header : request.headers) {
    if (header.name == name) result = result.value_or(false) || list_names(header.value, etag, comparison);
  }
  return result;
}

std::optional<int64_t> date_of(const core::Request& request, std::string_view name, int64_t now) {
  const auto value = request.headers.get(name);
  return value ? parse_http_date(*value, now) : std::nullopt;
}

// A whole decimal number that fits; nullopt otherwise.
std::optional<uint64_t> number(std::string_view text) {
  if (text.empty() || text.size() > 19) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

}  // namespace

Verdict evaluate(const core::Request& request, const Validators& validators, int64_t now) {
  if (const auto match = header_names(request, "if-match", validators.etag, Comparison::kStrong)) {
    if (!*match) return Verdict::kFailed;
  } else if (const auto date = date_of(request, "if-unmodified-since", now)) {
    if (validators.last_modified > *date) return Verdict::kFailed;
  }
  if (const auto match = header_names(request, "if-none-match", validators.etag, Comparison::kWeak)) {
    return *match ? Verdict::kNotModified : Verdict::kProceed;
  }
  if (const auto date = date_of(request, "if-modified-since", now)) {
    if (validators.last_modified <= *date) return Verdict::kNotModified;
  }
  return Verdict::kProceed;
}

Range evaluate_range(const core::Request& request, const Validators& validators, uint64_t size, int64_t now) {
  constexpr Range kWhole{RangeKind::kWhole};
  if (request.method != "GET" || request.headers.count("range") != 1) return kWhole;
  std::string_view range = *request.headers.get("range");

  // RFC 9110 section 13.1.5. A date must be the very same and, to be a strong validator, old enough; a file that was
  // changed within the last seconds has a weak tag.
  if (const auto condition = request.headers.get("if-range")) {
    const bool is_tag = condition->ends_with('"');
    const bool holds =
        is_tag ? same_etag(*condition, validators.etag, Comparison::kStrong)
               : parse_http_date(*condition, now) == validators.last_modified && !validators.etag.starts_with("W/");
    if (!holds) return kWhole;
  }

  constexpr std::string_view kUnit = "bytes=";
  if (range.size() < kUnit.size() || !core::same_header_name(range.substr(0, kUnit.size()), kUnit)) return kWhole;
  range = core::trim_blanks(range.substr(kUnit.size()));
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos || range.find(',') != std::string_view::npos) return kWhole;
  const auto first = number(range.substr(0, dash));
  const auto last = number(range.substr(dash + 1));

  if (dash == 0) {  // "-500": the last 500 bytes
    if (!last) return kWhole;
    if (*last == 0 || size == 0) return {RangeKind::kUnsatisfiable};
    const uint64_t length = std::min(*last, size);
    return {RangeKind::kPart, size - length, length};
  }
  const bool open = dash + 1 == range.size();
  if (!first || (!open && (!last || *last < *first))) return kWhole;
  if (*first >= size) return {RangeKind::kUnsatisfiable};
  const uint64_t end = open ? size - 1 : std::min(*last, size - 1);
  return {RangeKind::kPart, *first, end - *first + 1};
}

}  // namespace valor::plugins::builtin
