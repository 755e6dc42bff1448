// Reading of plug-in definitions: everything that can be wrong with one is said, where it stands and what was expected.
#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "core/definition.h"
#include "core/file-url.h"
#include "core/json-tree.h"
#include "core/json.h"
#include "core/router.h"
#include "core/suggestion.h"

namespace valor::core {

namespace {

using Kind = JsonValue::Kind;

constexpr size_t kMaxShown = 20;  // mistakes listed; more would hide the first
constexpr size_t kMaxName = 100;

// `text` as it may stand in a message: quoted, cut, control characters made visible.
std::string quoted(std::string_view text) {
  constexpr size_t kMax = 80;
  std::string out;
  append_json_string(out, text.size() <= kMax ? text : text.substr(0, kMax));
  if (text.size() > kMax) out += "...";
  return out;
}

struct Range {
  uint32_t least;
  uint32_t most;
};

// The types that have a field, as a set.
enum TypeSet : uint8_t {
  kStaticOnly = 1,
  kNativeOnly = 2,
  kStaticAndNative = 3,
  kWebOnly = 4,
  kNativeAndWeb = 6,
  kAllTypes = 7
};

struct Field {
  std::string_view key;
  TypeSet types;
};

constexpr std::array kFields = {
    Field{"type", kAllTypes},         Field{"name", kAllTypes},       Field{"prefix", kAllTypes},
    Field{"path", kStaticAndNative},  Field{"url", kWebOnly},         Field{"builtin", kStaticOnly},
    Field{"config", kAllTypes},       Field{"limits", kAllTypes},     Field{"instances", kAllTypes},
    Field{"root", kWebOnly},          Field{"location", kAllTypes},   Field{"permissions", kNativeAndWeb},
    Field{"fetch", kWebOnly},         Field{"web", kNativeOnly},      Field{"place", kNativeAndWeb},
    Field{"fallback", kNativeAndWeb}, Field{"prefer", kNativeAndWeb}, Field{"integrity", kNativeAndWeb},
};
constexpr std::array<std::string_view, kFields.size()> kKeys = [] {
  std::array<std::string_view, kFields.size()> keys;
  for (size_t index = 0; index < keys.size(); ++index) keys[index] = kFields[index].key;
  return keys;
}();
constexpr std::array<std::string_view, 3> kTypes = {"static", "native", "web"};
constexpr std::array kFetchRules = {FetchRules::kServer, FetchRules::kBrowser};
constexpr std::array kPlaces = {Place::kServer, Place::kBrowser, Place::kBoth};
constexpr std::array kFallbacks = {Fallback::kNone, Fallback::kNetwork};
constexpr std::array kPreferences = {Preference::kPluginFirst, Preference::kNetworkFirst, Preference::kPluginOnly};
constexpr std::array<std::string_view, 3> kLimitKeys = {"timeout_ms", "memory_mb", "queue"};
constexpr std::array<std::string_view, 2> kInstanceKeys = {"min", "max"};
constexpr std::array<std::string_view, 1> kPermissionKeys = {"net"};
constexpr std::array<std::string_view, 1> kFileKeys = {"plugins"};

class Reader {
 public:
  Reader(std::string_view file, Sources sources) : file_(file), sources_(sources) {}

  std::vector<JsonMistake>& mistakes() { return mistakes_; }

  void mistake(uint32_t line, std::string field, std::string message) {
    mistakes_.push_back({line, std::move(field), std::move(message)});
  }

  // Whether `value` is of this kind; reports when it is not.
  bool expect(const JsonValue& value, const std::string& field, Kind kind) {
    if (value.kind == kind) return true;
    mistake(value.line, field,
            "expected " + std::string(describe(kind)) + ", found " + std::string(describe(value.kind)));
    return false;
  }

  // `mounted` says whether the mount is known; it is not where it is wrong.
  Definition read_definition(const JsonValue& value, const std::string& field, bool& mounted);

  Error error() const;

 private:
  static const JsonValue* member(const JsonValue& object, std::string_view key) {
    for (const JsonMember& candidate : object.members) {
      if (candidate.key == key) return &candidate.value;
    }
    return nullptr;
  }
  static std::string join(const std::string& field, std::string_view key) {
    return field.empty() ? std::string(key) : field + '.' + std::string(key);
  }

 public:
  void refuse_unknown(const JsonValue& object, const std::string& field, std::span<const std::string_view> known) {
    for (const JsonMember& candidate : object.members) {
      if (std::find(known.begin(), known.end(), candidate.key) != known.end()) continue;
      mistake(candidate.line, field, "unknown key " + quoted(candidate.key) + "; " + suggest(candidate.key, known));
    }
  }

 private:
  // The text of a member, which must be a string with something in it; "" where it is absent or wrong.
  std::string text(const JsonValue& object, const std::string& field, std::string_view key) {
    const JsonValue* value = member(object, key);
    if (value == nullptr || !expect(*value, join(field, key), Kind::kString)) return {};
    if (value->text.empty()) mistake(value->line, join(field, key), "must not be empty");
    if (value->text.find('\0') != std::string::npos) {
      mistake(value->line, join(field, key), "must not hold a NUL character");
      return {};
    }
    return value->text;
  }

  void number(const JsonValue& object, const std::string& field, std::string_view key, Range range, uint32_t& to) {
    const JsonValue* value = member(object, key);
    if (value == nullptr) return;
    std::string expected =
        "expected a whole number from " + std::to_string(range.least) + " to " + std::to_string(range.most);
    if (value->kind != Kind::kUnsigned) {
      std::string found = value->kind == Kind::kNumber ? value->text.substr(0, 40) : std::string(describe(value->kind));
      mistake(value->line, join(field, key), expected + ", found " + found);
    } else if (value->number < range.least || value->number > range.most) {
      mistake(value->line, join(field, key), expected + ", found " + std::to_string(value->number));
    } else {
      to = static_cast<uint32_t>(value->number);
    }
  }

  bool read_type(const JsonValue& object, const std::string& field, PluginType& type);
  void read_name(const JsonValue& object, const std::string& field, Definition& definition);
  bool read_prefix(const JsonValue& object, const std::string& field, Definition& definition);
  void read_source(const JsonValue& object, const std::string& field, Definition& definition);
  std::string read_file(const JsonValue& object, const std::string& field, std::string_view key);
  void read_location(const JsonValue& object, const std::string& field, Definition& definition);
  void read_limits(const JsonValue& object, const std::string& field, Definition& definition);
  void read_instances(const JsonValue& object, const std::string& field, Instances& instances);
  void read_permissions(const JsonValue& object, const std::string& field, Permissions& permissions);
  void read_browser(const JsonValue& object, const std::string& field, Definition& definition);
  void read_integrity(const JsonValue& object, const std::string& field, Definition& definition);
  // One of a few words; `noun` says what it is.
  template <class Choice, size_t count>
  void choice(const JsonValue& object, const std::string& field, std::string_view key, std::string_view noun,
              const std::array<Choice, count>& choices, Choice& to) {
    const JsonValue* value = member(object, key);
    if (value == nullptr || !expect(*value, join(field, key), Kind::kString)) return;
    std::array<std::string_view, count> words;
    for (size_t index = 0; index < count; ++index) {
      words[index] = to_string(choices[index]);
      if (value->text != words[index]) continue;
      to = choices[index];
      return;
    }
    mistake(value->line, join(field, key),
            "unknown " + std::string(noun) + ' ' + quoted(value->text) + "; " + suggest(value->text, words));
  }
  void refuse_foreign(const JsonValue& object, const std::string& field, PluginType type);
  void require(const JsonValue& object, const std::string& field, std::string_view key, std::string_view why) {
    if (member(object, key) == nullptr) {
      mistake(object.line, join(field, key), "is missing; expected " + std::string(why));
    }
  }

  std::string_view file_;
  Sources sources_;
  std::vector<JsonMistake> mistakes_;
};

bool Reader::read_type(const JsonValue& object, const std::string& field, PluginType& type) {
  require(object, field, "type", "\"static\", \"native\" or \"web\"");
  const JsonValue* value = member(object, "type");
  if (value == nullptr || !expect(*value, join(field, "type"), Kind::kString)) return false;
  for (PluginType candidate : {PluginType::kStatic, PluginType::kNative, PluginType::kWeb}) {
    if (value->text == to_string(candidate)) {
      type = candidate;
      return true;
    }
  }
  if (value->text == "wasi") {
    mistake(value->line, join(field, "type"), "\"wasi\" plug-ins are not run by this version of Valor yet");
  } else {
    mistake(value->line, join(field, "type"),
            "unknown type " + quoted(value->text) + "; " + suggest(value->text, kTypes));
  }
  return false;
}

void Reader::read_name(const JsonValue& object, const std::string& field, Definition& definition) {
  require(object, field, "name", "a name that no other plug-in has");
  definition.name = text(object, field, "name");
  bool valid =
      definition.name.size() <= kMaxName && std::all_of(definition.name.begin(), definition.name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
      });
  if (!valid) {
    mistake(member(object, "name")->line, join(field, "name"),
            "expected 1 to " + std::to_string(kMaxName) + " characters of A-Z a-z 0-9 . _ -, found " +
                quoted(definition.name));
    definition.name.clear();
  }
}

bool Reader::read_prefix(const JsonValue& object, const std::string& field, Definition& definition) {
  const JsonValue* value = member(object, "prefix");
  std::string key = value == nullptr ? "name" : "prefix";
  if (value == nullptr) value = member(object, "name");
  if (value == nullptr) return false;
  if (key == "prefix" && !expect(*value, join(field, key), Kind::kString)) return false;
  // A name that is wrong has been reported.
  if (key == "name" && definition.name.empty()) return false;
  const std::string& prefix = key == "prefix" ? value->text : definition.name;
  Result<std::string> mount = normalise_mount(prefix);
  if (mount) {
    definition.prefix = std::move(mount).value();
    return true;
  }
  if (key == "prefix") {
    mistake(value->line, join(field, key), quoted(prefix) + " " + mount.error().message);
  } else {
    mistake(value->line, join(field, key), quoted(prefix) + " cannot be the prefix too; give a \"prefix\"");
  }
  return false;
}

void Reader::read_source(const JsonValue& object, const std::string& field, Definition& definition) {
  switch (definition.type) {
    case PluginType::kStatic:
      definition.builtin = member(object, "builtin") == nullptr ? definition.name : text(object, field, "builtin");
      // Which of the built-in plug-ins take one is theirs to say.
      definition.path = text(object, field, "path");
      return;
    case PluginType::kNative:
      require(object, field, "path", "the shared library's path, or its name as a system library");
      definition.path = text(object, field, "path");
      definition.web = read_file(object, field, "web");
      return;
    case PluginType::kWeb:
      break;
  }
  require(object, field, "url",
          sources_ == Sources::kFiles ? "the path or file: URL of a script or WASM module"
                                      : "the URL of a script or WASM module");
  definition.url = read_file(object, field, "url");
  definition.root = text(object, field, "root");
}

// A file that is to be loaded; "" where it is absent.
std::string Reader::read_file(const JsonValue& object, const std::string& field, std::string_view key) {
  std::string file = text(object, field, key);
  const std::string scheme = url_scheme(file);
  if (scheme.empty()) return file;
  std::string why;
  if (sources_ == Sources::kUrls) {
    if (scheme != "http" && scheme != "https") {
      why =
          "cannot be loaded by a browser; expected an http: or https: URL, or one relative to that of the plug-in file";
    }
  } else if (scheme != "file") {
    why = "cannot be loaded: only files are supported; expected a path or a file: URL";
  } else if (Result<std::string> named = file_url_to_path(file); !named) {
    why = named.error().message;
  }
  if (!why.empty()) mistake(member(object, key)->line, join(field, key), quoted(file) + ' ' + why);
  return file;
}

void Reader::read_location(const JsonValue& object, const std::string& field, Definition& definition) {
  definition.location = text(object, field, "location");
  if (definition.location.empty()) return;
  std::string_view rest = definition.location;
  for (std::string_view scheme : {"http://", "https://"}) {
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  }
  bool printable = std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (rest.size() < definition.location.size() && !rest.empty() && rest.front() != '/' && printable) return;
  mistake(member(object, "location")->line, join(field, "location"),
          "expected an http: or https: URL in ASCII without fragment, found " + quoted(definition.location));
  definition.location.clear();
}

void Reader::read_limits(const JsonValue& object, const std::string& field, Definition& definition) {
  const JsonValue* value = member(object, "limits");
  std::string here = join(field, "limits");
  if (value == nullptr || !expect(*value, here, Kind::kObject)) return;
  refuse_unknown(*value, here, kLimitKeys);
  number(*value, here, "timeout_ms", {1, 86'400'000}, definition.limits.timeout_ms);
  number(*value, here, "memory_mb", {8, 65'536}, definition.limits.memory_mb);
  number(*value, here, "queue", {1, 1'000'000}, definition.limits.queue);
}

void Reader::read_instances(const JsonValue& object, const std::string& field, Instances& instances) {
  const JsonValue* value = member(object, "instances");
  std::string here = join(field, "instances");
  if (value == nullptr || !expect(*value, here, Kind::kObject)) return;
  refuse_unknown(*value, here, kInstanceKeys);
  number(*value, here, "min", {0, 1024}, instances.min);
  number(*value, here, "max", {1, 1024}, instances.max);
  if (instances.max >= instances.min) return;
  if (const JsonValue* most = member(*value, "max")) {
    mistake(most->line, join(here, "max"),
            "expected at least min, which is " + std::to_string(instances.min) + ", found " +
                std::to_string(instances.max));
  } else {
    instances.max = instances.min;
  }
}

void Reader::read_permissions(const JsonValue& object, const std::string& field, Permissions& permissions) {
  const JsonValue* value = member(object, "permissions");
  std::string here = join(field, "permissions");
  if (value == nullptr || !expect(*value, here, Kind::kObject)) return;
  refuse_unknown(*value, here, kPermissionKeys);
  const JsonValue* net = member(*value, "net");
  here = join(here, "net");
  if (net == nullptr || !expect(*net, here, Kind::kArray)) return;
  std::vector<NetRule> rules;
  for (size_t index = 0; index < net->items.size(); ++index) {
    const JsonValue& item = net->items[index];
    const std::string place = here + '[' + std::to_string(index) + ']';
    if (!expect(item, place, Kind::kString)) continue;
    Result<NetRule> rule = NetRule::parse(item.text);
    if (rule) {
      rules.push_back(std::move(rule).value());
    } else {
      mistake(item.line, place, quoted(item.text) + " " + rule.error().message);
    }
  }
  permissions.net = NetRules(std::move(rules));
}

// Where it runs, and what browsers do with its requests.
void Reader::read_browser(const JsonValue& object, const std::string& field, Definition& definition) {
  if (definition.type == PluginType::kStatic ||
      (definition.type == PluginType::kNative && member(object, "web") == nullptr)) {
    definition.place = Place::kServer;
  }
  const Place possible = definition.place;
  choice(object, field, "place", "place", kPlaces, definition.place);
  if (possible == Place::kServer && definition.place != Place::kServer && definition.type == PluginType::kNative) {
    mistake(member(object, "place")->line, join(field, "place"),
            "a native plug-in runs in browsers as WASM; expected its WASM build as \"web\"");
  }
  choice(object, field, "fallback", "fallback", kFallbacks, definition.fallback);
  choice(object, field, "prefer", "preference", kPreferences, definition.prefer);
  if (definition.prefer == Preference::kPluginOnly && definition.fallback == Fallback::kNetwork) {
    mistake(member(object, "fallback")->line, join(field, "fallback"),
            "\"network\" contradicts \"prefer\": \"plugin-only\"; leave one of them out");
  }
  if (definition.type != PluginType::kStatic) read_integrity(object, field, definition);
}

// Whether `path` is relative and spelt in the one way that can be compared: "../" at its start only, no empty or "."
// segments.
bool is_plain_path(std::string_view path) {
  bool down = false;
  while (true) {
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment.empty() || segment == "." || (segment == ".." && down)) return false;
    down = segment != "..";
    if (segment.size() == path.size()) return down && path.find_first_of(std::string_view("\\\0", 2)) == path.npos;
    path.remove_prefix(segment.size() + 1);
  }
}

void Reader::read_integrity(const JsonValue& object, const std::string& field, Definition& definition) {
  const JsonValue* value = member(object, "integrity");
  if (value == nullptr) return;
  const std::string here = join(field, "integrity");
  if (definition.type == PluginType::kNative && member(object, "web") == nullptr) {
    return mistake(value->line, here, "is that of the file at \"web\", which is missing");
  }
  auto read = [&](const JsonValue& text, const std::string& place, std::string path) {
    if (!expect(text, place, Kind::kString)) return;
    Result<Integrity> integrity = Integrity::parse(text.text);
    if (!integrity) return mistake(text.line, place, quoted(text.text) + ' ' + integrity.error().message);
    definition.integrity.push_back({std::move(path), std::move(integrity).value()});
  };
  if (value->kind == Kind::kString) return read(*value, here, "");
  if (value->kind != Kind::kObject) {
    return mistake(value->line, here,
                   "expected a string or an object of strings, found " + std::string(describe(value->kind)));
  }
  for (const JsonMember& file : value->members) {
    const std::string place = here + '[' + quoted(file.key) + ']';
    if (is_plain_path(file.key)) {
      read(file.value, place, file.key);
    } else {
      mistake(file.line, place, "expected a path relative to the folder of the plug-in's file, such as \"lib/a.js\"");
    }
  }
}

void Reader::refuse_foreign(const JsonValue& object, const std::string& field, PluginType type) {
  auto set = static_cast<TypeSet>(1 << static_cast<int>(type));
  for (const JsonMember& candidate : object.members) {
    for (const Field& known : kFields) {
      if (candidate.key != known.key || (known.types & set) != 0) continue;
      std::string_view owner = known.types == kStaticOnly     ? "\"static\""
                               : known.types == kNativeOnly   ? "\"native\""
                               : known.types == kWebOnly      ? "\"web\""
                               : known.types == kNativeAndWeb ? "\"native\" or \"web\""
                                                              : "\"native\" or \"static\"";
      mistake(candidate.line, join(field, known.key),
              "belongs to plug-ins of type " + std::string(owner) + "; the type of this one is \"" +
                  std::string(to_string(type)) + "\"");
    }
  }
  // No limit may be declared that is not enforced, and memory is counted by V8 alone.
  const JsonValue* limits = member(object, "limits");
  const JsonValue* memory = limits == nullptr || type == PluginType::kWeb ? nullptr : member(*limits, "memory_mb");
  if (memory != nullptr) {
    mistake(memory->line, join(join(field, "limits"), "memory_mb"),
            "is enforced for plug-ins of type \"web\" only; the type of this one is \"" + std::string(to_string(type)) +
                "\"");
  }
}

Definition Reader::read_definition(const JsonValue& value, const std::string& field, bool& mounted) {
  Definition definition;
  mounted = false;
  if (!expect(value, field, Kind::kObject)) return definition;
  refuse_unknown(value, field, kKeys);
  bool typed = read_type(value, field, definition.type);
  read_name(value, field, definition);
  mounted = read_prefix(value, field, definition);
  if (typed) {
    read_source(value, field, definition);
    refuse_foreign(value, field, definition.type);
  }
  read_location(value, field, definition);
  if (const JsonValue* config = member(value, "config")) definition.config = config->text;
  read_limits(value, field, definition);
  read_instances(value, field, definition.instances);
  read_permissions(value, field, definition.permissions);
  choice(value, field, "fetch", "rules", kFetchRules, definition.fetch);
  if (typed) read_browser(value, field, definition);
  return definition;
}

Error Reader::error() const {
  std::vector<JsonMistake> sorted = mistakes_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const JsonMistake& a, const JsonMistake& b) { return a.line < b.line; });
  std::string message;
  for (size_t index = 0; index < sorted.size() && index < kMaxShown; ++index) {
    const JsonMistake& mistake = sorted[index];
    if (index > 0) message += '\n';
    message += std::string(file_) + ':' + std::to_string(mistake.line) + ": ";
    if (!mistake.field.empty()) message += mistake.field + ": ";
    message += mistake.message;
  }
  if (sorted.size() > kMaxShown) message += "\n... and " + std::to_string(sorted.size() - kMaxShown) + " more";
  return {message};
}

}  // namespace

Result<std::vector<Definition>> parse_plugin_file(std::string_view json, std::string_view file, Sources sources) {
  Reader reader(file, sources);
  std::optional<JsonValue> root = read_json(json, {"config", 3}, reader.mistakes());
  if (!root || !reader.expect(*root, "", Kind::kObject)) return reader.error();
  reader.refuse_unknown(*root, "", kFileKeys);
  const JsonValue* plugins = nullptr;
  for (const JsonMember& member : root->members) {
    if (member.key == "plugins") plugins = &member.value;
  }
  if (plugins == nullptr) {
    reader.mistake(root->line, "plugins", "is missing; expected an array of plug-in definitions");
    return reader.error();
  }
  std::vector<Definition> definitions;
  if (!reader.expect(*plugins, "plugins", Kind::kArray)) return reader.error();

  struct Place {
    std::string field;
    uint32_t line;
  };
  std::map<std::string, Place> names;
  std::map<std::string, Place> mounts;
  for (size_t index = 0; index < plugins->items.size(); ++index) {
    const JsonValue& item = plugins->items[index];
    std::string field = "plugins[" + std::to_string(index) + ']';
    bool mounted = false;
    definitions.push_back(reader.read_definition(item, field, mounted));
    const Definition& definition = definitions.back();
    if (!definition.name.empty()) {
      auto [first, is_new] = names.try_emplace(definition.name, Place{field, item.line});
      if (!is_new) {
        reader.mistake(item.line, field + ".name",
                       quoted(definition.name) + " is the name of " + first->second.field + " (line " +
                           std::to_string(first->second.line) + ") already");
      }
    }
    if (!mounted) continue;
    auto [first, is_new] = mounts.try_emplace(definition.prefix, Place{field, item.line});
    if (!is_new) {
      reader.mistake(item.line, field + ".prefix",
                     quoted("/" + definition.prefix) + " is the mount of " + first->second.field + " (line " +
                         std::to_string(first->second.line) + ") already");
    }
  }
  if (!reader.mistakes().empty()) return reader.error();
  return definitions;
}

Result<Definition> parse_definition(std::string_view json, std::string_view file, Sources sources) {
  Reader reader(file, sources);
  std::optional<JsonValue> root = read_json(json, {"config", 1}, reader.mistakes());
  if (!root) return reader.error();
  bool mounted = false;
  Definition definition = reader.read_definition(*root, "", mounted);
  if (!reader.mistakes().empty()) return reader.error();
  return definition;
}

}  // namespace valor::core
