#include "core/suggestion.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/text.h"

namespace valor::core {

namespace {

constexpr size_t kLongest = 40;  // what is longer is compared by its beginning

// How many insertions, deletions, replacements and swaps of neighbours lead from one word to the other.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::array<uint8_t, kLongest + 1> rows[3] = {};
  for (uint8_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& last = rows[(i + 2) % 3];
    const auto& before_last = rows[(i + 1) % 3];
    row[0] = static_cast<uint8_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      int least = std::min(last[j], row[j - 1]) + 1;
      least = std::min(least, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        least = std::min(least, before_last[j - 2] + 1);
      }
      row[j] = static_cast<uint8_t>(least);
    }
  }
  return rows[a.size() % 3][b.size()];
}

}  // namespace

std::string suggest(std::string_view word, std::span<const std::string_view> known) {
  std::string lower = to_lower(word.substr(0, kLongest));
  std::replace(lower.begin(), lower.end(), '-', '_');
  std::string_view nearest;
  size_t least = 3;  // from three edits on, the likeness is chance
  for (std::string_view candidate : known) {
    // "timeout" for "timeout_ms" is near, however much is missing.
    bool cut = lower.size() > 2 && candidate.starts_with(lower);
    size_t distance = cut ? 1 : edit_distance(lower, candidate.substr(0, kLongest));
    if (distance < least && distance < candidate.size()) {
      least = distance;
      nearest = candidate;
    }
  }
  if (!nearest.empty()) return format("did you mean \"%s\"?", {nearest});
  std::string list;
  for (std::string_view candidate : known) append_format(list, "%s\"%s\"", {list.empty() ? "" : ", ", candidate});
  return format("expected %s%s", {known.size() > 1 ? "one of " : "", list});
}

}  // namespace valor::core
