// The router finds the plug-in that answers a request: mounts are path prefixes, and the longest mount that holds the
// whole path wins. `/hello` answers `/hello`, `/hello/` and all below, but not `/hellox`.
//
// A path is cut into segments at `/` (and at `\`, which the URL Standard treats alike in http URLs). Dot segments, also
// written with %2e, are resolved first, so that `..` cannot lead out of a mount. A percent-encoded character matches
// the character itself, but %2F never separates segments. https://url.spec.whatwg.org/#path-state
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash-index.h"
#include "core/result.h"

namespace valor::core {

struct Match {
  uint32_t id = 0;
  /// The target relative to the mount: a relative reference without leading slash, query included, fragment dropped,
  /// percent-encoding as sent; "" for the mount itself. Where the rest itself begins with a slash or could be read as a
  /// URL of its own (`/hello//evil.example`, `/hello/http://x`) it begins with "./", so that resolving it against the
  /// mount's URL always stays below the mount (RFC 3986 section 4.2).
  std::string_view url;
};

/// A mount as the router stores it: blanks and slashes around `prefix` removed. Fails, saying why, for empty or dot
/// segments and for characters that a path cannot hold as they are: ? # % \ and control characters.
/// "" and "/" are the root mount, which comes out as "".
Result<std::string> normalise_mount(std::string_view prefix);

/// Built once, then only read: find() is thread-safe as long as nobody adds.
class Router {
 public:
  /// Mounts `id` at `prefix` (see normalise_mount). Fails when the prefix is no mount or is taken.
  Status add(std::string_view prefix, uint32_t id);

  /// Finds the plug-in for `target`, a request target in origin-form (path and query). Returns false when no mount
  /// holds it, or when it does not start with '/'. `scratch` is used only where the target must be rewritten (dot
  /// segments, backslashes); `match.url` points into `target` or `scratch` and lives as long as both stay unchanged.
  /// Time grows linearly with the target; allocates only through `scratch`.
  bool find(std::string_view target, Match& match, std::string& scratch) const;

  size_t size() const { return mounts_.size(); }

 private:
  struct Mount {
    std::string prefix;
    uint64_t hash;
    uint32_t id;
  };

  const Mount* look_up(uint64_t hash, std::string_view encoded_path) const;

  std::vector<Mount> mounts_;
  HashIndex index_;
  size_t longest_ = 0;  // bytes of the longest prefix: nothing beyond it can match
};

}  // namespace valor::core
