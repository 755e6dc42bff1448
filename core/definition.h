// A plug-in definition: what an operator writes about one plug-in in a plug-in file or sends to the registry.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/integrity.h"
#include "core/net-rules.h"
#include "core/result.h"

namespace valor::core {

enum class PluginType {
  kStatic,  ///< built in: "builtin" names which (default: the plug-in's name)
  kNative,  ///< a shared library: "path"
  kWeb,     ///< a script or a WASM module: "url"
};

constexpr std::array<std::string_view, 3> kTypeNames = {"static", "native", "web"};
constexpr std::string_view to_string(PluginType type) {
  return kTypeNames[static_cast<size_t>(type)];
}

/// Enforced for every instance. JSON: "limits": {"timeout_ms": 30000, "memory_mb": 128, "queue": 1024}.
struct Limits {
  uint32_t timeout_ms = 30'000;  ///< from arrival of a request to its answer's head; also for loading. 1..86,400,000
  uint32_t memory_mb = 128;      ///< JS heap, ArrayBuffers and WASM memory of one instance, MiB. 8..65,536
  uint32_t queue = 1024;         ///< requests waiting or running at one instance. 1..1,000,000
};

/// JSON: "instances": {"min": 1, "max": 1}. min 0: the first starts with the first request.
struct Instances {
  uint32_t min = 1;  ///< started at registration. 0..1024
  uint32_t max = 1;  ///< at least 1 and at least min. ..1024
};

/// JSON: "permissions": {"net": ["api.example.org", "*.example.com:8443", "10.0.0.0/8"]}. For kWeb and kNative,
/// whose own sockets nobody can keep back.
struct Permissions {
  NetRules net;  ///< where fetch() may connect to
};

/// How fetch() behaves. JSON: "fetch": "server" or "browser". For kWeb.
enum class FetchRules {
  kServer,   ///< as on other servers: no CORS, no forbidden headers, no cookies
  kBrowser,  ///< as in a page at the plug-in's location: the whole Fetch standard
};

constexpr std::array<std::string_view, 2> kFetchRulesNames = {"server", "browser"};
constexpr std::string_view to_string(FetchRules rules) {
  return kFetchRulesNames[static_cast<size_t>(rules)];
}

/// Where a plug-in runs. JSON: "place": "server", "browser" or "both". Built-in plug-ins, and native ones without a
/// WASM build, are on the server only. This and the two that follow are for kWeb and kNative.
enum class Place { kServer, kBrowser, kBoth };

/// What a browser does with a request that the plug-in declines or cannot answer. JSON: "fallback".
enum class Fallback {
  kNone,     ///< "none": the plug-in's error is the answer
  kNetwork,  ///< "network": the server gets the request
};

/// Whom a browser asks first. JSON: "prefer".
enum class Preference {
  kPluginFirst,   ///< "plugin-first"
  kNetworkFirst,  ///< "network-first": the plug-in answers where the network does not
  kPluginOnly,    ///< "plugin-only": the network is never asked, whatever happens
};

constexpr std::array<std::string_view, 3> kPlaceNames = {"server", "browser", "both"};
constexpr std::string_view to_string(Place place) {
  return kPlaceNames[static_cast<size_t>(place)];
}
constexpr std::array<std::string_view, 2> kFallbackNames = {"none", "network"};
constexpr std::string_view to_string(Fallback fallback) {
  return kFallbackNames[static_cast<size_t>(fallback)];
}
constexpr std::array<std::string_view, 3> kPreferenceNames = {"plugin-first", "network-first", "plugin-only"};
constexpr std::string_view to_string(Preference preference) {
  return kPreferenceNames[static_cast<size_t>(preference)];
}

/// What one file must hash to.
struct FileIntegrity {
  std::string path;  ///< relative to the folder of the plug-in's own file (`url` or `web`); "": that file itself
  Integrity integrity;
};

struct Definition {
  PluginType type = PluginType::kWeb;
  FetchRules fetch = FetchRules::kServer;
  Place place = Place::kBoth;
  Fallback fallback = Fallback::kNone;
  Preference prefer = Preference::kPluginFirst;
  std::string name;    ///< unique; 1 to 100 characters of A-Z a-z 0-9 . _ -
  std::string prefix;  ///< mount without slashes at the ends; default: name; "" mounts at the root ("prefix": "/")
  std::string path;    ///< kNative: library, without a slash a system library's name; kStatic: folder, if it needs one
  std::string url;     ///< kWeb: script or WASM module, a file path (absolute after resolve_paths)
  std::string web;     ///< kNative: its WASM build, for browsers; as url
  std::string root;    ///< kWeb: folder that its imports may reach; "": that of the script
  std::string location;         ///< public URL of the mount where it is another than the server's with the prefix
  std::string builtin;          ///< kStatic: which one
  std::string config = "null";  ///< any JSON value, as compact JSON text
  Limits limits;
  Instances instances;
  Permissions permissions;
  /// kWeb and kNative with `web`. JSON: "integrity": "sha384-...", or {"lib/a.js": "sha384-...", ...}.
  std::vector<FileIntegrity> integrity;
};

/// What `url` and `web` may name, which depends on who loads it.
struct Sources {
  const char* expected;                          ///< what they name, in words
  std::string (*refuse)(std::string_view name);  ///< why it cannot be loaded, or ""

  static const Sources kFiles;  ///< the server: paths and file: URLs
  static const Sources kUrls;   ///< a browser: relative references, http: and https: URLs
};

/// Parses a plug-in file: {"plugins": [definition, ...]}. `file` names it in errors. Every mistake is reported, one a
/// line, as FILE:LINE: FIELD: what is wrong, what was expected (and the nearest known key for an unknown one).
/// Names and mounts that appear twice are mistakes too. Paths stay as written.
Result<std::vector<Definition>> parse_plugin_file(std::string_view json, std::string_view file,
                                                  const Sources& sources = Sources::kFiles);

/// Parses one definition, as the registry gets it. Errors as above; `file` is for example "request body".
Result<Definition> parse_definition(std::string_view json, std::string_view file,
                                    const Sources& sources = Sources::kFiles);

/// For definitions from files: makes relative `url`, `web`, `root` and `path` relative to `folder` (no trailing slash).
/// The `path` of a native plug-in stays when it has no slash.
void resolve_paths(Definition& definition, std::string_view folder);

/// One definition as JSON, every field with its value in force.
std::string to_json(const Definition& definition);

}  // namespace valor::core
