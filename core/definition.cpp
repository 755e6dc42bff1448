#include "core/definition.h"

#include "core/file-url.h"
#include "core/json.h"

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

void resolve_paths(Definition& definition, std::string_view folder) {
  auto below = [&](std::string& path) {
    if (path.empty() || path.front() == '/') return;
    while (path.compare(0, 2, "./") == 0) path.erase(0, path.find_first_not_of('/', 1));
    std::string_view slash = !folder.empty() && folder.back() == '/' ? "" : "/";
    path.insert(0, std::string(folder) + std::string(slash));
  };
  if (url_scheme(definition.url) == "file") {
    // A definition that was parsed holds none that fails here.
    Result<std::string> path = file_url_to_path(definition.url);
    if (path) definition.url = std::move(path).value();
  }
  below(definition.url);
  below(definition.root);
  if (definition.type == PluginType::kStatic || definition.path.find('/') != std::string::npos) below(definition.path);
}

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
  if (!definition.root.empty()) text("root", definition.root);
  if (!definition.location.empty()) text("location", definition.location);
  if (definition.type == PluginType::kStatic) text("builtin", definition.builtin);
  if (definition.type == PluginType::kWeb) text("fetch", to_string(definition.fetch));
  json += "\"config\":" + definition.config;
  json += ",\"limits\":{\"timeout_ms\":" + std::to_string(definition.limits.timeout_ms);
  // Memory is counted by V8: where there is none, no limit is promised.
  if (definition.type == PluginType::kWeb) json += ",\"memory_mb\":" + std::to_string(definition.limits.memory_mb);
  json += ",\"queue\":" + std::to_string(definition.limits.queue);
  json += "},\"instances\":{\"min\":" + std::to_string(definition.instances.min);
  json += ",\"max\":" + std::to_string(definition.instances.max) + '}';
  if (definition.permissions.net.declared()) {
    json += ",\"permissions\":{\"net\":[";
    for (const NetRule& rule : definition.permissions.net.rules()) {
      if (json.back() != '[') json += ',';
      append_json_string(json, rule.text);
    }
    json += "]}";
  }
  return json + '}';
}

}  // namespace valor::core
