// What plug-ins are loaded from.
#include "core/definition.h"
#include "core/file-url.h"

namespace valor::core {

namespace {

std::string refuse_file(std::string_view name) {
  const std::string scheme = url_scheme(name);
  if (scheme.empty()) return {};
  if (scheme != "file") return "cannot be loaded: only files are supported; expected a path or a file: URL";
  Result<std::string> path = file_url_to_path(name);
  return path ? std::string() : path.error().message;
}

std::string refuse_url(std::string_view name) {
  const std::string scheme = url_scheme(name);
  if (scheme.empty() || scheme == "http" || scheme == "https") return {};
  return "cannot be loaded by a browser; expected an http: or https: URL, or one relative to that of the plug-in file";
}

}  // namespace

const Sources Sources::kFiles = {"the path or file: URL of a script or WASM module", refuse_file};
const Sources Sources::kUrls = {"the URL of a script or WASM module", refuse_url};

}  // namespace valor::core
