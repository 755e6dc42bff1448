#include "core/definition.h"

#include "core/file-url.h"
#include "core/json.h"
#include "core/text.h"

namespace valor::core {

void resolve_paths(Definition& definition, std::string_view folder) {
  auto below = [&](std::string& path) {
    if (path.empty() || path.front() == '/') return;
    while (path.compare(0, 2, "./") == 0) path.erase(0, path.find_first_not_of('/', 1));
    std::string_view slash = !folder.empty() && folder.back() == '/' ? "" : "/";
    path = format("%s%s%s", {folder, slash, path});
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

// Members of an object, each behind a comma.
class Members {
 public:
  explicit Members(std::string& json) : json_(json) {}

  void text(const char* key, std::string_view value) {
    name(key);
    append_json_string(json_, value);
  }
  void given(const char* key, const std::string& value) {
    if (!value.empty()) text(key, value);
  }
  void number(const char* key, uint32_t value) {
    name(key);
    json_ += decimal(value);
  }
  void raw(const char* key, std::string_view value) {
    name(key);
    json_ += value;
  }
  void open(const char* key, char bracket) {
    name(key);
    json_ += bracket;
  }
  void close(char bracket) { json_ += bracket; }
  void item(std::string_view value) {
    separate();
    append_json_string(json_, value);
  }

 private:
  void separate() {
    if (json_.back() != '{' && json_.back() != '[') json_ += ',';
  }
  void name(std::string_view key) {
    item(key);
    json_ += ':';
  }

  std::string& json_;
};

}  // namespace

std::string to_json(const Definition& definition) {
  std::string json = "{";
  Members members(json);
  // Memory is counted by V8: where there is none, no limit is promised.
  const bool is_web = definition.type == PluginType::kWeb;
  members.text("type", to_string(definition.type));
  members.text("name", definition.name);
  members.text("prefix", definition.prefix.empty() ? "/" : std::string_view(definition.prefix));
  members.given("path", definition.path);
  if (is_web) members.text("url", definition.url);
  members.given("web", definition.web);
  members.given("root", definition.root);
  members.given("location", definition.location);
  if (definition.type == PluginType::kStatic) members.text("builtin", definition.builtin);
  if (is_web) members.text("fetch", to_string(definition.fetch));
  if (definition.type != PluginType::kStatic) {
    members.text("place", to_string(definition.place));
    members.text("fallback", to_string(definition.fallback));
    members.text("prefer", to_string(definition.prefer));
  }
  members.raw("config", definition.config);
  members.open("limits", '{');
  members.number("timeout_ms", definition.limits.timeout_ms);
  if (is_web) members.number("memory_mb", definition.limits.memory_mb);
  members.number("queue", definition.limits.queue);
  members.close('}');
  members.open("instances", '{');
  members.number("min", definition.instances.min);
  members.number("max", definition.instances.max);
  members.close('}');
  if (definition.permissions.net.declared()) {
    members.open("permissions", '{');
    members.open("net", '[');
    for (const NetRule& rule : definition.permissions.net.rules()) members.item(rule.text);
    members.close(']');
    members.close('}');
  }
  const std::vector<FileIntegrity>& files = definition.integrity;
  if (!files.empty() && files.front().path.empty()) {
    members.text("integrity", files.front().integrity.text);
  } else if (!files.empty()) {
    members.open("integrity", '{');
    for (const FileIntegrity& file : files) members.text(file.path.c_str(), file.integrity.text);
    members.close('}');
  }
  return json + '}';
}

}  // namespace valor::core
