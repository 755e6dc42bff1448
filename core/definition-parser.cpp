// Reading of plug-in definitions: everything that can be wrong with one is said, where it stands and what was expected.
#include <algorithm>
#include <array>
#include <span>

#include "core/definition.h"
#include "core/hash-index.h"
#include "core/json-tree.h"
#include "core/router.h"
#include "core/suggestion.h"
#include "core/text.h"

namespace valor::core {

namespace {

using Kind = JsonValue::Kind;

constexpr size_t kMaxShown = 20;  // mistakes listed; more would hide the first
constexpr size_t kMaxName = 100;

struct Range {
  uint32_t least;
  uint32_t most;
};

// The types that have a field, as a set: bit n is the one that has the number n.
enum TypeSet : uint8_t {
  kStaticOnly = 1,
  kNativeOnly = 2,
  kStaticAndNative = 3,
  kWebOnly = 4,
  kNativeAndWeb = 6,
  kAllTypes = 7
};
constexpr std::array<const char*, 8> kOwners = {
    "", "\"static\"", "\"native\"", "\"native\" or \"static\"", "\"web\"", "", "\"native\" or \"web\"", ""};

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
constexpr std::array<std::string_view, 3> kLimitKeys = {"timeout_ms", "memory_mb", "queue"};
constexpr std::array<std::string_view, 2> kInstanceKeys = {"min", "max"};
constexpr std::array<std::string_view, 1> kPermissionKeys = {"net"};
constexpr std::array<std::string_view, 1> kFileKeys = {"plugins"};

// An object of the document, with its place for messages: "plugins[2]", "" for the document itself.
struct Object {
  const JsonValue& value;
  const std::string& place;

  std::string place_of(const char* key) const {
    return format("%s%s%s", {place, place.empty() || *key == '\0' ? "" : ".", key});
  }
  const JsonValue* member(const char* key) const {
    for (const JsonValue& candidate : value.children) {
      if (candidate.key == key) return &candidate;
    }
    return nullptr;
  }
};

class Reader {
 public:
  Reader(std::string_view file, const Sources& sources) : file_(file), sources_(sources) {}

  std::vector<JsonMistake>& mistakes() { return mistakes_; }

  // In the member `key` of `object`; "": in the object.
  void mistake(uint32_t line, const Object& object, const char* key, const char* pattern, Arguments arguments = {}) {
    std::string text = object.place_of(key);
    if (!text.empty()) text += ": ";
    append_format(text, pattern, arguments);
    mistakes_.push_back({line, std::move(text)});
  }

  // Whether `value` is of this kind; reports when it is not.
  bool expect(const JsonValue& value, const Object& object, const char* key, Kind kind) {
    if (value.kind == kind) return true;
    mistake(value.line, object, key, "expected %s, found %s", {describe(kind), describe(value.kind)});
    return false;
  }

  void refuse_unknown(const Object& object, std::span<const std::string_view> known) {
    for (const JsonValue& candidate : object.value.children) {
      if (std::find(known.begin(), known.end(), candidate.key) != known.end()) continue;
      mistake(candidate.key_line, object, "", "unknown key %q; %s", {candidate.key, suggest(candidate.key, known)});
    }
  }

  // `mounted` says whether the mount is known; it is not where it is wrong.
  void read_definition(const Object& object, Definition& definition, bool& mounted);

  Error error() const;

 private:
  // The member, where it is there and of this kind; reports where it is of another.
  const JsonValue* member(const Object& object, const char* key, Kind kind) {
    const JsonValue* value = object.member(key);
    return value != nullptr && expect(*value, object, key, kind) ? value : nullptr;
  }

  // The text of a member, which must be a string with something in it; left alone where it is absent or wrong.
  void text(const Object& object, const char* key, std::string& to) {
    const JsonValue* value = member(object, key, Kind::kString);
    if (value == nullptr) return;
    if (value->text.empty()) mistake(value->line, object, key, "must not be empty");
    if (value->text.find('\0') == std::string::npos) {
      to = value->text;
    } else {
      mistake(value->line, object, key, "must not hold a NUL character");
    }
  }

  void number(const Object& object, const char* key, Range range, uint32_t& to) {
    const JsonValue* value = object.member(key);
    if (value == nullptr) return;
    if (value->kind == Kind::kUnsigned && value->number >= range.least && value->number <= range.most) {
      to = static_cast<uint32_t>(value->number);
      return;
    }
    std::string_view found = describe(value->kind);
    if (value->kind == Kind::kUnsigned || value->kind == Kind::kNumber) {
      found = std::string_view(value->text).substr(0, 40);
    }
    mistake(value->line, object, key, "expected a whole number from %s to %s, found %s",
            {size_t{range.least}, size_t{range.most}, found});
  }

  bool read_type(const Object& object, PluginType& type);
  void read_name(const Object& object, Definition& definition);
  bool read_prefix(const Object& object, Definition& definition);
  void read_source(const Object& object, Definition& definition);
  void read_file(const Object& object, const char* key, std::string& to);
  void read_location(const Object& object, Definition& definition);
  void read_limits(const Object& object, Limits& limits);
  void read_instances(const Object& object, Instances& instances);
  void read_permissions(const Object& object, Permissions& permissions);
  void read_browser(const Object& object, Definition& definition);
  void read_integrity(const Object& object, Definition& definition);
  void refuse_foreign(const Object& object, PluginType type);

  // One of a few words; `noun` says what it is. Whether it is there and right.
  template <class Choice>
  bool choice(const Object& object, const char* key, const char* noun, std::span<const std::string_view> words,
              Choice& to) {
    const size_t chosen = choose(object, key, noun, words);
    if (chosen < words.size()) to = static_cast<Choice>(chosen);
    return chosen < words.size();
  }
  size_t choose(const Object& object, const char* key, const char* noun, std::span<const std::string_view> words) {
    const JsonValue* value = member(object, key, Kind::kString);
    if (value == nullptr) return words.size();
    const auto found = std::find(words.begin(), words.end(), value->text);
    if (found == words.end()) {
      mistake(value->line, object, key, "unknown %s %q; %s", {noun, value->text, suggest(value->text, words)});
    }
    return static_cast<size_t>(found - words.begin());
  }

  void require(const Object& object, const char* key, const char* why) {
    if (object.member(key) == nullptr) mistake(object.value.line, object, key, "is missing; expected %s", {why});
  }

  std::string_view file_;
  const Sources& sources_;
  std::vector<JsonMistake> mistakes_;
};

bool Reader::read_type(const Object& object, PluginType& type) {
  require(object, "type", "\"static\", \"native\" or \"web\"");
  const JsonValue* value = object.member("type");
  if (value == nullptr || value->kind != Kind::kString || value->text != "wasi") {
    return choice(object, "type", "type", kTypeNames, type);
  }
  mistake(value->line, object, "type", "\"wasi\" plug-ins are not run by this version of Valor yet");
  return false;
}

void Reader::read_name(const Object& object, Definition& definition) {
  require(object, "name", "a name that no other plug-in has");
  std::string& name = definition.name;
  text(object, "name", name);
  bool valid = name.size() <= kMaxName && std::all_of(name.begin(), name.end(), [](char c) {
                 return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                        c == '_' || c == '-';
               });
  if (!valid) {
    mistake(object.member("name")->line, object, "name", "expected 1 to %s characters of A-Z a-z 0-9 . _ -, found %q",
            {kMaxName, name});
    name.clear();
  }
}

bool Reader::read_prefix(const Object& object, Definition& definition) {
  const JsonValue* value = object.member("prefix");
  const bool given = value != nullptr;
  if (given && !expect(*value, object, "prefix", Kind::kString)) return false;
  // A name that is wrong has been reported.
  if (!given && definition.name.empty()) return false;
  const std::string& prefix = given ? value->text : definition.name;
  Result<std::string> mount = normalise_mount(prefix);
  if (mount) {
    definition.prefix = std::move(mount).value();
    return true;
  }
  if (given) {
    mistake(value->line, object, "prefix", "%q %s", {prefix, mount.error().message});
  } else {
    mistake(object.member("name")->line, object, "name", "%q cannot be the prefix too; give a \"prefix\"", {prefix});
  }
  return false;
}

void Reader::read_source(const Object& object, Definition& definition) {
  switch (definition.type) {
    case PluginType::kStatic:
      definition.builtin = definition.name;
      text(object, "builtin", definition.builtin);
      // Which of the built-in plug-ins take one is theirs to say.
      text(object, "path", definition.path);
      return;
    case PluginType::kNative:
      require(object, "path", "the shared library's path, or its name as a system library");
      text(object, "path", definition.path);
      read_file(object, "web", definition.web);
      return;
    case PluginType::kWeb:
      break;
  }
  require(object, "url", sources_.expected);
  read_file(object, "url", definition.url);
  text(object, "root", definition.root);
}

// A file that is to be loaded.
void Reader::read_file(const Object& object, const char* key, std::string& to) {
  text(object, key, to);
  const std::string why = to.empty() ? std::string() : sources_.refuse(to);
  if (why.empty()) return;
  mistake(object.member(key)->line, object, key, "%q %s", {to, why});
}

void Reader::read_location(const Object& object, Definition& definition) {
  std::string& location = definition.location;
  text(object, "location", location);
  if (location.empty()) return;
  std::string_view rest = location;
  for (std::string_view scheme : {"http://", "https://"}) {
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  }
  bool printable = std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (rest.size() < location.size() && !rest.empty() && rest.front() != '/' && printable) return;
  mistake(object.member("location")->line, object, "location",
          "expected an http: or https: URL in ASCII without fragment, found %q", {location});
  location.clear();
}

void Reader::read_limits(const Object& object, Limits& limits) {
  const JsonValue* value = member(object, "limits", Kind::kObject);
  if (value == nullptr) return;
  const std::string place = object.place_of("limits");
  const Object here{*value, place};
  refuse_unknown(here, kLimitKeys);
  number(here, "timeout_ms", {1, 86'400'000}, limits.timeout_ms);
  number(here, "memory_mb", {8, 65'536}, limits.memory_mb);
  number(here, "queue", {1, 1'000'000}, limits.queue);
}

void Reader::read_instances(const Object& object, Instances& instances) {
  const JsonValue* value = member(object, "instances", Kind::kObject);
  if (value == nullptr) return;
  const std::string place = object.place_of("instances");
  const Object here{*value, place};
  refuse_unknown(here, kInstanceKeys);
  number(here, "min", {0, 1024}, instances.min);
  number(here, "max", {1, 1024}, instances.max);
  if (instances.max >= instances.min) return;
  if (const JsonValue* most = here.member("max")) {
    mistake(most->line, here, "max", "expected at least min, which is %s, found %s",
            {size_t{instances.min}, size_t{instances.max}});
  } else {
    instances.max = instances.min;
  }
}

void Reader::read_permissions(const Object& object, Permissions& permissions) {
  const JsonValue* value = member(object, "permissions", Kind::kObject);
  if (value == nullptr) return;
  const std::string place = object.place_of("permissions");
  const Object here{*value, place};
  refuse_unknown(here, kPermissionKeys);
  const JsonValue* net = member(here, "net", Kind::kArray);
  if (net == nullptr) return;
  std::vector<NetRule> rules;
  for (size_t index = 0; index < net->children.size(); ++index) {
    const JsonValue& item = net->children[index];
    const std::string item_place = format("%s.net[%s]", {place, index});
    const Object rule_object{item, item_place};
    if (!expect(item, rule_object, "", Kind::kString)) continue;
    Result<NetRule> rule = NetRule::parse(item.text);
    if (rule) {
      rules.push_back(std::move(rule).value());
    } else {
      mistake(item.line, rule_object, "", "%q %s", {item.text, rule.error().message});
    }
  }
  permissions.net = NetRules(std::move(rules));
}

// Where it runs, and what browsers do with its requests.
void Reader::read_browser(const Object& object, Definition& definition) {
  const bool server_only = definition.type == PluginType::kNative && object.member("web") == nullptr;
  if (server_only || definition.type == PluginType::kStatic) definition.place = Place::kServer;
  choice(object, "place", "place", kPlaceNames, definition.place);
  if (server_only && definition.place != Place::kServer) {
    mistake(object.member("place")->line, object, "place",
            "a native plug-in runs in browsers as WASM; expected its WASM build as \"web\"");
  }
  choice(object, "fallback", "fallback", kFallbackNames, definition.fallback);
  choice(object, "prefer", "preference", kPreferenceNames, definition.prefer);
  if (definition.prefer == Preference::kPluginOnly && definition.fallback == Fallback::kNetwork) {
    mistake(object.member("fallback")->line, object, "fallback",
            "\"network\" contradicts \"prefer\": \"plugin-only\"; leave one of them out");
  }
  if (definition.type != PluginType::kStatic) read_integrity(object, definition);
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

void Reader::read_integrity(const Object& object, Definition& definition) {
  const JsonValue* value = object.member("integrity");
  if (value == nullptr) return;
  if (definition.type == PluginType::kNative && object.member("web") == nullptr) {
    return mistake(value->line, object, "integrity", "is that of the file at \"web\", which is missing");
  }
  const std::string place = object.place_of("integrity");
  auto read = [&](const Object& hashes, const std::string& path) {
    const JsonValue& text = hashes.value;
    if (!expect(text, hashes, "", Kind::kString)) return;
    Result<Integrity> integrity = Integrity::parse(text.text);
    if (!integrity) return mistake(text.line, hashes, "", "%q %s", {text.text, integrity.error().message});
    definition.integrity.push_back({path, std::move(integrity).value()});
  };
  if (value->kind == Kind::kString) return read({*value, place}, "");
  if (value->kind != Kind::kObject) {
    return mistake(value->line, object, "integrity", "expected a string or an object of strings, found %s",
                   {describe(value->kind)});
  }
  for (const JsonValue& file : value->children) {
    const std::string file_place = format("%s[%q]", {place, file.key});
    if (is_plain_path(file.key)) {
      read({file, file_place}, file.key);
    } else {
      mistake(file.key_line, {file, file_place}, "",
              "expected a path relative to the folder of the plug-in's file, such as \"lib/a.js\"");
    }
  }
}

void Reader::refuse_foreign(const Object& object, PluginType type) {
  for (const JsonValue& candidate : object.value.children) {
    for (const Field& known : kFields) {
      if (candidate.key != known.key || (known.types >> static_cast<int>(type) & 1) != 0) continue;
      mistake(candidate.key_line, object, known.key.data(),
              "belongs to plug-ins of type %s; the type of this one is %q", {kOwners[known.types], to_string(type)});
    }
  }
  // No limit may be declared that is not enforced, and memory is counted by V8 alone.
  const JsonValue* limits = type == PluginType::kWeb ? nullptr : object.member("limits");
  if (limits == nullptr) return;
  const std::string place = object.place_of("limits");
  const Object here{*limits, place};
  if (const JsonValue* memory = here.member("memory_mb")) {
    mistake(memory->line, here, "memory_mb",
            "is enforced for plug-ins of type \"web\" only; the type of this one is %q", {to_string(type)});
  }
}

void Reader::read_definition(const Object& object, Definition& definition, bool& mounted) {
  mounted = false;
  if (!expect(object.value, object, "", Kind::kObject)) return;
  refuse_unknown(object, kKeys);
  bool typed = read_type(object, definition.type);
  read_name(object, definition);
  mounted = read_prefix(object, definition);
  if (typed) {
    read_source(object, definition);
    refuse_foreign(object, definition.type);
  }
  read_location(object, definition);
  if (const JsonValue* config = object.member("config")) definition.config = config->text;
  read_limits(object, definition.limits);
  read_instances(object, definition.instances);
  read_permissions(object, definition.permissions);
  choice(object, "fetch", "rules", kFetchRulesNames, definition.fetch);
  if (typed) read_browser(object, definition);
}

// By line, those of a line in the order in which they were found.
Error Reader::error() const {
  std::string message;
  size_t shown = 0;
  uint32_t line = 0;  // up to which all are shown
  while (shown < kMaxShown && shown < mistakes_.size()) {
    uint32_t next = UINT32_MAX;
    for (const JsonMistake& mistake : mistakes_) {
      if (mistake.line > line) next = std::min(next, mistake.line);
    }
    line = next;
    for (const JsonMistake& mistake : mistakes_) {
      if (mistake.line != line || shown++ >= kMaxShown) continue;
      append_format(message, "%s%s:%s: %s", {message.empty() ? "" : "\n", file_, size_t{line}, mistake.text});
    }
  }
  if (mistakes_.size() > kMaxShown) append_format(message, "\n... and %s more", {mistakes_.size() - kMaxShown});
  return {message};
}

}  // namespace

Result<std::vector<Definition>> parse_plugin_file(std::string_view json, std::string_view file,
                                                  const Sources& sources) {
  Reader reader(file, sources);
  JsonValue root;
  if (!read_json(json, {"config", 3}, root, reader.mistakes())) return reader.error();
  const std::string nowhere;
  const Object document{root, nowhere};
  if (!reader.expect(root, document, "", Kind::kObject)) return reader.error();
  reader.refuse_unknown(document, kFileKeys);
  const JsonValue* plugins = document.member("plugins");
  if (plugins == nullptr) {
    reader.mistake(root.line, document, "plugins", "is missing; expected an array of plug-in definitions");
    return reader.error();
  }
  if (!reader.expect(*plugins, document, "plugins", Kind::kArray)) return reader.error();

  std::vector<Definition> definitions(plugins->children.size());
  HashIndex names;
  HashIndex mounts;
  for (uint32_t index = 0; index < definitions.size(); ++index) {
    const JsonValue& item = plugins->children[index];
    Definition& definition = definitions[index];
    const std::string place = format("plugins[%s]", {size_t{index}});
    const Object object{item, place};
    bool mounted = false;
    reader.read_definition(object, definition, mounted);
    auto only_once = [&](HashIndex& all, std::string Definition::* text, const char* key, const char* pattern,
                         const std::string& shown) {
      const uint64_t hash = hash_text(definition.*text);
      auto same = [&](uint32_t other) { return definitions[other].*text == definition.*text; };
      const uint32_t first = all.find(hash, same);
      if (first == HashIndex::kNone) return all.insert(hash, index);
      reader.mistake(item.line, object, key, pattern, {shown, size_t{first}, size_t{plugins->children[first].line}});
    };
    if (!definition.name.empty()) {
      only_once(names, &Definition::name, "name", "%q is the name of plugins[%s] (line %s) already", definition.name);
    }
    if (mounted) {
      only_once(mounts, &Definition::prefix, "prefix", "%q is the mount of plugins[%s] (line %s) already",
                '/' + definition.prefix);
    }
  }
  if (!reader.mistakes().empty()) return reader.error();
  return definitions;
}

Result<Definition> parse_definition(std::string_view json, std::string_view file, const Sources& sources) {
  Reader reader(file, sources);
  JsonValue root;
  if (!read_json(json, {"config", 1}, root, reader.mistakes())) return reader.error();
  Definition definition;
  bool mounted = false;
  const std::string nowhere;
  reader.read_definition({root, nowhere}, definition, mounted);
  if (!reader.mistakes().empty()) return reader.error();
  return definition;
}

}  // namespace valor::core
