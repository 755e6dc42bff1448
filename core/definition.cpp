#include "core/definition.h"

#include "core/file-url.h"
#include "core/json.h"
#include "core/text.h"

namespace valor::core {

std::string_view to_string(PluginType type) {
  switch (type) {
    case PluginType::kStatic:
      return "static";
    case PluginType::kNative:
      return "native";
    case PluginType::kWeb:
      return "web";
  }
  return "";
}

std::string_view to_string(FetchRules rules) {
  return rules == FetchRules::kBrowser ? "browser" : "server";
}

std::string_view to_string(Place place) {
  return place == Place::kServer ? "server" : place == Place::kBrowser ? "browser" : "both";
}

std::string_view to_string(Fallback fallback) {
  return fallback == Fallback::kNetwork ? "network" : "none";
}

std::string_view to_string(Preference preference) {
  switch (preference) {
    case Preference::kPluginFirst:
      return "plugin-first";
    case Preference::kNetworkFirst:
      return "network-first";
    case Preference::kPluginOnly:
      return "plugin-only";
  }
  return "";
}

void resolve_paths(Definition& definition, std::string_view folder) {
  auto below = [&](std::string& path) {
    if (path.empty() || path.front() == '/') return;
    while (path.compare(0, 2, "./") == 0) path.erase(0, path.find_first_not_of('/', 1));
    std::string_view slash = !folder.empty() && folder.back() == '/' ? "" : "/";
    path = concat({folder, slash, path});
  };
  for (std::string* source : {&definition.url, &definition.web}) {
    if (url_scheme(*source) == "file") {
      // A definition that was parsed holds none that fails here.
      Result<std::string> path = file_url_to_path(*source);
      if (path) *source = std::move(path).value();
    }
    below(*source);
  }
  below(definition.root);
  if (definition.type == PluginType::kStatic || definition.path.find('/') != std::string::npos) below(definition.path);
}

namespace {

void append_integrity(std::string& json, const std::vector<FileIntegrity>& files) {
  if (files.empty()) return;
  json += ",\"integrity\":";
  if (files.front().path.empty()) return append_json_string(json, files.front().integrity.text);
  json += '{';
  for (const FileIntegrity& file : files) {
    if (json.back() != '{') json += ',';
    append_json_string(json, file.path);
    json += ':';
    append_json_string(json, file.integrity.text);
  }
  json += '}';
}

}  // namespace

std::string to_json(const Definition& definition) {
  std::string json = "{";
  auto text = [&](std::string_view key, std::string_view value) {
    append_json_string(json, key);
    json += ':';
    append_json_string(json, value);
    json += ',';
  };
  text("type", to_string(definition.type));
  text("name", definition.name);
  text("prefix", definition.prefix.empty() ? "/" : definition.prefix);
  if (!definition.path.empty()) text("path", definition.path);
  if (definition.type == PluginType::kWeb) text("url", definition.url);
  if (!definition.web.empty()) text("web", definition.web);
  if (!definition.root.empty()) text("root", definition.root);
  if (!definition.location.empty()) text("location", definition.location);
  if (definition.type == PluginType::kStatic) text("builtin", definition.builtin);
  if (definition.type == PluginType::kWeb) text("fetch", to_string(definition.fetch));
  if (definition.type != PluginType::kStatic) {
    text("place", to_string(definition.place));
    text("fallback", to_string(definition.fallback));
    text("prefer", to_string(definition.prefer));
  }
  // Memory is counted by V8: where there is none, no limit is promised.
  const bool counted = definition.type == PluginType::kWeb;
  json += concat(
      {"\"config\":", definition.config, ",\"limits\":{\"timeout_ms\":", decimal(definition.limits.timeout_ms),
       counted ? ",\"memory_mb\":" : "", counted ? decimal(definition.limits.memory_mb) : "",
       ",\"queue\":", decimal(definition.limits.queue), "},\"instances\":{\"min\":", decimal(definition.instances.min),
       ",\"max\":", decimal(definition.instances.max), "}"});
  if (definition.permissions.net.declared()) {
    json += ",\"permissions\":{\"net\":[";
    for (const NetRule& rule : definition.permissions.net.rules()) {
      if (json.back() != '[') json += ',';
      append_json_string(json, rule.text);
    }
    json += "]}";
  }
  append_integrity(json, definition.integrity);
  return json + '}';
}

}  // namespace valor::core
