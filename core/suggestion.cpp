#include "core/suggestion.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/text.h"

namespace valor::core {

namespace {

// How many insertions, deletions, replacements and swaps of neighbours lead from one word to the other.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string suggest(std::string_view word, std::span<const std::string_view> known) {
  std::string lower = to_lower(word.substr(0, 40));
  std::replace(lower.begin(), lower.end(), '-', '_');
  std::string_view nearest;
  size_t least = 3;  // from three edits on, the likeness is chance
  for (std::string_view candidate : known) {
    // "timeout" for "timeout_ms" is near, however much is missing.
    bool cut = lower.size() > 2 && candidate.starts_with(lower);
    size_t distance = cut ? 1 : edit_distance(lower, candidate);
    if (distance < least && distance < candidate.size()) {
      least = distance;
      nearest = candidate;
    }
  }
  if (!nearest.empty()) return concat({"did you mean \"", nearest, "\"?"});
  std::string list;
  for (std::string_view candidate : known) list += concat({list.empty() ? "\"" : ", \"", candidate, "\""});
  return concat({"expected ", known.size() > 1 ? "one of " : "", list});
}

}  // namespace valor::core
