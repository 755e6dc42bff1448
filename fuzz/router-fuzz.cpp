// Targets against mounts: whatever the target, the answer is the one that a slow, literal reading of the rules gives,
// and the rest stays below the mount.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/router.h"

using namespace valor::core;

namespace {

constexpr std::string_view kMounts[] = {"", "a", "a/b", "a/b/c", "hello", "b c", "\xC3\xA9", ".x"};

void require(bool condition) {
  if (!condition) std::abort();
}

int digit(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (c >= 'A' && c <= 'F') c = static_cast<char>(c + 32);
  size_t at = kDigits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::string decode(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size() && digit(text[at + 1]) >= 0 && digit(text[at + 2]) >= 0) {
      out += static_cast<char>(digit(text[at + 1]) * 16 + digit(text[at + 2]));
      at += 2;
    } else {
      out += text[at];
    }
  }
  return out;
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts(1);
  for (char c : path) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

struct Expected {
  uint32_t id;
  std::string url;
};

// `target` starts with a slash.
Expected expect(std::string_view target) {
  target = target.substr(0, target.find('#'));
  size_t query_at = std::min(target.find('?'), target.size());
  std::string path;
  for (char c : target.substr(1, query_at - 1)) {
    if (c != '\t' && c != '\n' && c != '\r') path += c == '\\' ? '/' : c;
  }
  std::vector<std::string> segments;
  std::vector<std::string> parts = split(path);
  for (size_t index = 0; index < parts.size(); ++index) {
    // Every spelling of a dot has at most three characters, so a decoded dot segment is one.
    std::string decoded = decode(parts[index]);
    bool dots = decoded == "." || decoded == "..";
    if (decoded == ".." && !segments.empty()) segments.pop_back();
    if (!dots) segments.push_back(parts[index]);
    if (dots && index + 1 == parts.size()) segments.emplace_back();
  }
  Expected best{0, ""};
  size_t best_size = 0;
  for (uint32_t id = 0; id < std::size(kMounts); ++id) {
    std::vector<std::string> mount = kMounts[id].empty() ? std::vector<std::string>() : split(kMounts[id]);
    if (mount.size() > segments.size() || mount.size() < best_size) continue;
    bool same = std::equal(mount.begin(), mount.end(), segments.begin(),
                           [](const std::string& want, const std::string& have) { return decode(have) == want; });
    if (!same) continue;
    best.id = id;
    best_size = mount.size();
  }
  for (size_t index = best_size; index < segments.size(); ++index) {
    if (index > best_size) best.url += '/';
    best.url += segments[index];
  }
  std::string first = best.url.substr(0, best.url.find('/'));
  best.url += target.substr(query_at);
  bool as_url = !best.url.empty() && (best.url[0] == '/' || static_cast<uint8_t>(best.url[0]) <= 0x20);
  if (as_url || first.find(':') != std::string::npos) best.url.insert(0, "./");
  return best;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Router router = [] {
    Router made;
    for (uint32_t id = 0; id < std::size(kMounts); ++id) require(made.add(kMounts[id], id).ok());
    return made;
  }();
  std::string_view target(reinterpret_cast<const char*>(data), size);
  Match match;
  std::string scratch;
  bool found = router.find(target, match, scratch);
  require(found == (!target.empty() && target[0] == '/'));
  if (found) {
    Expected expected = expect(target);
    require(match.id == expected.id);
    require(match.url == expected.url);
    require(match.url.empty() || match.url[0] != '/');
  }
  (void)normalise_mount(target);
  return 0;
}
