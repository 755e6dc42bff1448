#include "core/router.h"

#include <algorithm>
#include <array>

#include "core/ascii.h"
#include "core/text.h"

namespace valor::core {

namespace {

constexpr size_t kMaxMountSize = 1024;

struct Decoded {
  char byte;
  uint8_t size;  // of its spelling
  bool is_separator;
};

// The character at `at`, percent-decoded; an invalid encoding stands for itself.
Decoded decode_at(std::string_view path, size_t at) {
  char c = path[at];
  if (c == '%' && at + 2 < path.size()) {
    int high = hex_digit(path[at + 1]);
    int low = hex_digit(path[at + 2]);
    if (high >= 0 && low >= 0) return {static_cast<char>(high * 16 + low), 3, false};
  }
  return {c, 1, c == '/'};
}

bool same_decoded(std::string_view encoded, std::string_view plain) {
  // No mount holds a '%', so equal bytes are spelt plainly.
  if (encoded == plain) return true;
  size_t matched = 0;
  for (size_t at = 0; at < encoded.size(); ++matched) {
    auto [byte, size, is_separator] = decode_at(encoded, at);
    if (matched == plain.size() || byte != plain[matched] || (byte == '/' && !is_separator)) return false;
    at += size;
  }
  return matched == plain.size();
}

enum class Dots { kNone, kSingle, kDouble };

// https://url.spec.whatwg.org/#single-dot-path-segment and #double-dot-path-segment
Dots dots_of(std::string_view segment) {
  if (segment.empty() || segment.size() > 6) return Dots::kNone;
  size_t dots = 0;
  for (size_t at = 0; at < segment.size(); ++dots) {
    auto [byte, size, is_separator] = decode_at(segment, at);
    if (byte != '.') return Dots::kNone;
    at += size;
  }
  return dots == 1 ? Dots::kSingle : dots == 2 ? Dots::kDouble : Dots::kNone;
}

// Characters that end the scan of a path or may make it necessary to rewrite it.
constexpr std::array<bool, 256> make_notable() {
  std::array<bool, 256> notable{};
  for (char c : {'?', '#', '%', '.', '\\', '\t', '\n', '\r'}) notable[static_cast<uint8_t>(c)] = true;
  return notable;
}
constexpr auto kNotable = make_notable();

struct Scan {
  size_t path_size;
  bool rewrite;  // there may be dot segments or characters that a URL parser changes
};

Scan scan_path(std::string_view target) {
  Scan scan{target.size(), false};
  for (size_t at = 1; at < target.size(); ++at) {
    char c = target[at];
    if (!kNotable[static_cast<uint8_t>(c)]) continue;
    if (c == '?' || c == '#') {
      scan.path_size = at;
      break;
    }
    if (c == '.') {
      // A dot segment starts here at the earliest: `/.` followed by anything but an ordinary character.
      if (target[at - 1] != '/') continue;
      bool ordinary =
          at + 1 < target.size() && target[at + 1] != '/' && !kNotable[static_cast<uint8_t>(target[at + 1])];
      scan.rewrite = scan.rewrite || !ordinary;
    } else if (c == '%') {
      scan.rewrite = scan.rewrite || decode_at(target, at).byte == '.';
    } else {
      scan.rewrite = true;
    }
  }
  return scan;
}

// Appends `path` as a URL parser would leave it, but with its percent-encoding intact.
// https://url.spec.whatwg.org/#path-state
void append_resolved(std::string_view path, std::string& out) {
  // The parser drops these first. https://url.spec.whatwg.org/#concept-basic-url-parser step 3
  std::string cleaned;
  cleaned.reserve(path.size());
  for (char c : path) {
    if (c != '\t' && c != '\n' && c != '\r') cleaned += c == '\\' ? '/' : c;
  }
  std::string_view rest = std::string_view(cleaned).substr(1);
  while (true) {
    size_t end = rest.find('/');
    std::string_view segment = rest.substr(0, end);
    bool last = end == std::string_view::npos;
    switch (dots_of(segment)) {
      case Dots::kNone:
        out += '/';
        out += segment;
        break;
      case Dots::kDouble:
        if (size_t slash = out.rfind('/'); slash != std::string::npos) out.resize(slash);
        [[fallthrough]];
      case Dots::kSingle:
        if (last) out += '/';
        break;
    }
    if (last) return;
    rest.remove_prefix(end + 1);
  }
}

// Whether `url` could be taken for more than a path below the mount (see Match::url).
bool needs_dot(std::string_view url) {
  if (url.empty()) return false;
  if (url[0] == '/' || static_cast<uint8_t>(url[0]) <= 0x20) return true;
  for (char c : url) {
    if (c == '/' || c == '?') return false;
    if (c == ':') return true;
  }
  return false;
}

}  // namespace

Result<std::string> normalise_mount(std::string_view prefix) {
  constexpr std::string_view kAround = " \t/";
  size_t first = prefix.find_first_not_of(kAround);
  if (first == std::string_view::npos) return std::string();
  prefix = prefix.substr(first, prefix.find_last_not_of(kAround) - first + 1);

  if (prefix.size() > kMaxMountSize) return Error{format("is longer than %s bytes", {kMaxMountSize})};
  for (const char& c : prefix) {
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) return Error{"holds a control character"};
    if (c == '%') return Error{"holds '%'; write the characters themselves, not percent-encoded"};
    if (c == '?' || c == '#' || c == '\\') {
      return Error{format("holds '%s', which ends or cuts a path", {std::string_view(&c, 1)})};
    }
  }
  for (size_t at = 0; at <= prefix.size();) {
    size_t end = std::min(prefix.find('/', at), prefix.size());
    std::string_view segment = prefix.substr(at, end - at);
    if (segment.empty()) return Error{"holds an empty segment (two slashes in a row)"};
    if (dots_of(segment) != Dots::kNone) return Error{format("holds the dot segment '%s'", {segment})};
    at = end + 1;
  }
  return std::string(prefix);
}

Status Router::add(std::string_view prefix, uint32_t id) {
  Result<std::string> mount = normalise_mount(prefix);
  if (!mount) return Error{format("the mount \"%s\" %s", {prefix, mount.error().message})};
  // Only mounts are in the index, so nobody can flood it with collisions.
  const uint64_t hash = hash_text(*mount);
  if (look_up(hash, *mount) != nullptr) {
    return Error{format("the mount \"%s\" is taken", {*mount})};
  }
  longest_ = std::max(longest_, mount->size());
  mounts_.push_back({std::move(mount).value(), hash, id});
  index_.insert(hash, static_cast<uint32_t>(mounts_.size() - 1));
  return Nothing{};
}

const Router::Mount* Router::look_up(uint64_t hash, std::string_view encoded_path) const {
  const uint32_t found =
      index_.find(hash, [&](uint32_t mount) { return same_decoded(encoded_path, mounts_[mount].prefix); });
  return found == HashIndex::kNone ? nullptr : &mounts_[found];
}

bool Router::find(std::string_view target, Match& match, std::string& scratch) const {
  if (mounts_.empty() || target.empty() || target[0] != '/') return false;
  Scan scan = scan_path(target);
  target = target.substr(0, target.find('#', scan.path_size));
  if (scan.rewrite) {
    scratch.clear();
    append_resolved(target.substr(0, scan.path_size), scratch);
    size_t path_size = scratch.size();
    scratch += target.substr(scan.path_size);
    target = scratch;
    scan.path_size = path_size;
  }

  std::string_view path = target.substr(0, scan.path_size);
  const Mount* best = look_up(kHashStart, {});
  size_t best_end = 0;
  uint64_t hash = kHashStart;
  size_t decoded = 0;
  size_t segment_at = 1;
  for (size_t at = 1; decoded <= longest_;) {
    if (at == path.size() || path[at] == '/') {
      // No mount has an empty segment, so nothing longer can match after one.
      if (at == segment_at) break;
      if (const Mount* mount = look_up(hash, path.substr(1, at - 1))) {
        best = mount;
        best_end = at;
      }
      if (at == path.size()) break;
      segment_at = at + 1;
    }
    char byte = path[at];
    size_t size = 1;
    if (byte == '%') {
      Decoded decoded_byte = decode_at(path, at);
      byte = decoded_byte.byte;
      size = decoded_byte.size;
    }
    hash = hash_byte(hash, byte);
    at += size;
    ++decoded;
  }
  if (best == nullptr) return false;

  size_t rest_at = best_end < path.size() && path[best_end] == '/' ? best_end + 1 : best_end;
  std::string_view url = target.substr(rest_at);
  if (needs_dot(url)) {
    if (scan.rewrite) {
      scratch.erase(0, rest_at);
      scratch.insert(0, "./");
    } else {
      scratch.assign("./");
      scratch += url;
    }
    url = scratch;
  }
  match.id = best->id;
  match.url = url;
  return true;
}

}  // namespace valor::core
