#include "plugins/builtin/content-coding.h"

#include <algorithm>
#include <array>

#include "core/ascii.h"

namespace valor::plugins::builtin {

namespace {

constexpr std::array kCodings = {Coding{"br", ".br"}, Coding{"gzip", ".gz"}};

// Takes what is before the next `separator` off the front.
std::string_view take(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = core::trim_blanks(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

// A qvalue in thousandths (RFC 9110 section 12.4.2); -1 for what is none.
int weight_of(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return -1;
  if (text.size() > 1 && text[1] != '.') return -1;
  int weight = (text[0] - '0') * 1000;
  int worth = 100;
  for (const char c : text.substr(std::min<size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return -1;
    weight += (c - '0') * worth;
    worth /= 10;
  }
  return weight <= 1000 ? weight : -1;
}

}  // namespace

std::vector<Coding> accepted_codings(const core::Request& request) {
  constexpr int kUnnamed = -1;
  std::array<int, kCodings.size()> weights;
  weights.fill(kUnnamed);
  int others = 0;
  for (const core::HeaderList::Header header : request.headers) {
    if (header.name != "accept-encoding") continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      std::string_view item = take(list, ',');
      const std::string_view name = take(item, ';');
      int weight = 1000;
      while (!item.empty()) {
        std::string_view parameter = take(item, ';');
        const std::string_view key = take(parameter, '=');
        if (core::same_header_name(key, "q")) weight = std::max(0, weight_of(core::trim_blanks(parameter)));
      }
      if (name == "*") others = weight;
      for (size_t i = 0; i < kCodings.size(); ++i) {
        // "x-gzip" is gzip (RFC 9110 section 8.4.1.3).
        if (core::same_header_name(name, kCodings[i].name) ||
            (kCodings[i].name == "gzip" && core::same_header_name(name, "x-gzip"))) {
          weights[i] = weight;
        }
      }
    }
  }
  std::vector<size_t> order;
  for (size_t i = 0; i < kCodings.size(); ++i) {
    if (weights[i] == kUnnamed) weights[i] = others;
    if (weights[i] > 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return weights[a] > weights[b]; });
  std::vector<Coding> codings;
  for (const size_t i : order) codings.push_back(kCodings[i]);
  return codings;
}

}  // namespace valor::plugins::builtin
