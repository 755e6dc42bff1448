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
#include "core/text.h"

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
constexpr std::array kTypes = {PluginType::kStatic, PluginType::kNative, PluginType::kWeb};
constexpr std::array kFetchRules = {FetchRules::kServer, FetchRules::kBrowser};
constexpr std::array kPlaces = {Place::kServer, Place::kBrowser, Place::kBoth};
constexpr std::array kFallbacks = {Fallback::kNone, Fallback::kNetwork};
constexpr std::array kPreferences = {Preference::kPluginFirst, Preference::kNetworkFirst, Preference::kPluginOnly};
constexpr std::array<std::string_view, 3> kLimitKeys = {"timeout_ms", "memory_mb", "queue"};
constexpr std::array<std::string_view, 2> kInstanceKeys = {"min", "max"};
constexpr std::array<std::string_view, 1> kPermissionKeys = {"net"};
constexpr std::array<std::string_view, 1> kFileKeys = {"plugins"};

// Where something stands, for messages: the place of an object ("plugins[2]", "" for the document), and a member's key.
struct Where {
  std::string_view object;
  std::string_view key = {};

  std::string text() const { return concat({object, object.empty() || key.empty() ? "" : ".", key}); }
};

struct Object {
  const JsonValue& value;
  std::string_view place;

  Where at(std::string_view key) const { return {place, key}; }
  const JsonValue* member(std::string_view key) const {
    for (const JsonMember& candidate : value.members) {
      if (candidate.key == key) return &candidate.value;
    }
    return nullptr;
  }
};

class Reader {
 public:
  Reader(std::string_view file, Sources sources) : file_(file), sources_(sources) {}

  std::vector<JsonMistake>& mistakes() { return mistakes_; }

  void mistake(uint32_t line, const Where& place, Parts message) {
    mistakes_.push_back({line, place.text(), concat(message)});
  }

  // Whether `value` is of this kind; reports when it is not.
  bool expect(const JsonValue& value, const Where& place, Kind kind) {
    if (value.kind == kind) return true;
    mistake(value.line, place, {"expected ", describe(kind), ", found ", describe(value.kind)});
    return false;
  }

  void refuse_unknown(const Object& object, std::span<const std::string_view> known) {
    for (const JsonMember& candidate : object.value.members) {
      if (std::find(known.begin(), known.end(), candidate.key) != known.end()) continue;
      mistake(candidate.line, {object.place},
              {"unknown key ", quoted(candidate.key), "; ", suggest(candidate.key, known)});
    }
  }

  // `mounted` says whether the mount is known; it is not where it is wrong.
  Definition read_definition(const JsonValue& value, std::string_view place, bool& mounted);

  Error error() const;

 private:
  // The member, where it is there and of this kind; reports where it is of another.
  const JsonValue* member(const Object& object, std::string_view key, Kind kind) {
    const JsonValue* value = object.member(key);
    return value != nullptr && expect(*value, object.at(key), kind) ? value : nullptr;
  }

  // The text of a member, which must be a string with something in it; "" where it is absent or wrong.
  std::string text(const Object& object, std::string_view key) {
    const JsonValue* value = member(object, key, Kind::kString);
    if (value == nullptr) return {};
    if (value->text.empty()) mistake(value->line, object.at(key), {"must not be empty"});
    if (value->text.find('\0') == std::string::npos) return value->text;
    mistake(value->line, object.at(key), {"must not hold a NUL character"});
    return {};
  }

  void number(const Object& object, std::string_view key, Range range, uint32_t& to) {
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
    mistake(value->line, object.at(key),
            {"expected a whole number from ", decimal(range.least), " to ", decimal(range.most), ", found ", found});
  }

  bool read_type(const Object& object, PluginType& type);
  void read_name(const Object& object, Definition& definition);
  bool read_prefix(const Object& object, Definition& definition);
  void read_source(const Object& object, Definition& definition);
  std::string read_file(const Object& object, std::string_view key);
  void read_location(const Object& object, Definition& definition);
  void read_limits(const Object& object, Limits& limits);
  void read_instances(const Object& object, Instances& instances);
  void read_permissions(const Object& object, Permissions& permissions);
  void read_browser(const Object& object, Definition& definition);
  void read_integrity(const Object& object, Definition& definition);
  void refuse_foreign(const Object& object, PluginType type);

  // One of a few words; `noun` says what it is.
  template <class Choice, size_t count>
  bool choice(const Object& object, std::string_view key, std::string_view noun,
              const std::array<Choice, count>& choices, Choice& to) {
    std::array<std::string_view, count> words;
    for (size_t index = 0; index < count; ++index) words[index] = to_string(choices[index]);
    const size_t chosen = choose(object, key, noun, words);
    if (chosen < count) to = choices[chosen];
    return chosen < count;
  }
  size_t choose(const Object& object, std::string_view key, std::string_view noun,
                std::span<const std::string_view> words) {
    const JsonValue* value = member(object, key, Kind::kString);
    if (value == nullptr) return words.size();
    const auto found = std::find(words.begin(), words.end(), value->text);
    if (found == words.end()) {
      mistake(value->line, object.at(key),
              {"unknown ", noun, " ", quoted(value->text), "; ", suggest(value->text, words)});
    }
    return static_cast<size_t>(found - words.begin());
  }

  void require(const Object& object, std::string_view key, std::string_view why) {
    if (object.member(key) == nullptr) mistake(object.value.line, object.at(key), {"is missing; expected ", why});
  }

  std::string_view file_;
  Sources sources_;
  std::vector<JsonMistake> mistakes_;
};

bool Reader::read_type(const Object& object, PluginType& type) {
  require(object, "type", "\"static\", \"native\" or \"web\"");
  const JsonValue* value = object.member("type");
  if (value == nullptr || value->kind != Kind::kString || value->text != "wasi") {
    return choice(object, "type", "type", kTypes, type);
  }
  mistake(value->line, object.at("type"), {"\"wasi\" plug-ins are not run by this version of Valor yet"});
  return false;
}

void Reader::read_name(const Object& object, Definition& definition) {
  require(object, "name", "a name that no other plug-in has");
  definition.name = text(object, "name");
  bool valid =
      definition.name.size() <= kMaxName && std::all_of(definition.name.begin(), definition.name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
      });
  if (!valid) {
    mistake(object.member("name")->line, object.at("name"),
            {"expected 1 to ", decimal(kMaxName), " characters of A-Z a-z 0-9 . _ -, found ", quoted(definition.name)});
    definition.name.clear();
  }
}

bool Reader::read_prefix(const Object& object, Definition& definition) {
  const JsonValue* value = object.member("prefix");
  const bool given = value != nullptr;
  if (given && !expect(*value, object.at("prefix"), Kind::kString)) return false;
  // A name that is wrong has been reported.
  if (!given && definition.name.empty()) return false;
  const std::string& prefix = given ? value->text : definition.name;
  Result<std::string> mount = normalise_mount(prefix);
  if (mount) {
    definition.prefix = std::move(mount).value();
    return true;
  }
  if (given) {
    mistake(value->line, object.at("prefix"), {quoted(prefix), " ", mount.error().message});
  } else {
    mistake(object.member("name")->line, object.at("name"),
            {quoted(prefix), " cannot be the prefix too; give a \"prefix\""});
  }
  return false;
}

void Reader::read_source(const Object& object, Definition& definition) {
  switch (definition.type) {
    case PluginType::kStatic:
      definition.builtin = object.member("builtin") == nullptr ? definition.name : text(object, "builtin");
      // Which of the built-in plug-ins take one is theirs to say.
      definition.path = text(object, "path");
      return;
    case PluginType::kNative:
      require(object, "path", "the shared library's path, or its name as a system library");
      definition.path = text(object, "path");
      definition.web = read_file(object, "web");
      return;
    case PluginType::kWeb:
      break;
  }
  require(object, "url",
          sources_ == Sources::kFiles ? "the path or file: URL of a script or WASM module"
                                      : "the URL of a script or WASM module");
  definition.url = read_file(object, "url");
  definition.root = text(object, "root");
}

// A file that is to be loaded; "" where it is absent.
std::string Reader::read_file(const Object& object, std::string_view key) {
  std::string file = text(object, key);
  const std::string scheme = url_scheme(file);
  if (scheme.empty()) return file;
  std::string why;
  if (sources_ == Sources::kUrls) {
    if (scheme == "http" || scheme == "https") return file;
    why = "cannot be loaded by a browser; expected an http: or https: URL, or one relative to that of the plug-in file";
  } else if (scheme != "file") {
    why = "cannot be loaded: only files are supported; expected a path or a file: URL";
  } else {
    Result<std::string> named = file_url_to_path(file);
    if (named) return file;
    why = named.error().message;
  }
  mistake(object.member(key)->line, object.at(key), {quoted(file), " ", why});
  return file;
}

void Reader::read_location(const Object& object, Definition& definition) {
  definition.location = text(object, "location");
  if (definition.location.empty()) return;
  std::string_view rest = definition.location;
  for (std::string_view scheme : {"http://", "https://"}) {
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  }
  bool printable = std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (rest.size() < definition.location.size() && !rest.empty() && rest.front() != '/' && printable) return;
  mistake(object.member("location")->line, object.at("location"),
          {"expected an http: or https: URL in ASCII without fragment, found ", quoted(definition.location)});
  definition.location.clear();
}

void Reader::read_limits(const Object& object, Limits& limits) {
  const JsonValue* value = member(object, "limits", Kind::kObject);
  if (value == nullptr) return;
  const std::string place = object.at("limits").text();
  const Object here{*value, place};
  refuse_unknown(here, kLimitKeys);
  number(here, "timeout_ms", {1, 86'400'000}, limits.timeout_ms);
  number(here, "memory_mb", {8, 65'536}, limits.memory_mb);
  number(here, "queue", {1, 1'000'000}, limits.queue);
}

void Reader::read_instances(const Object& object, Instances& instances) {
  const JsonValue* value = member(object, "instances", Kind::kObject);
  if (value == nullptr) return;
  const std::string place = object.at("instances").text();
  const Object here{*value, place};
  refuse_unknown(here, kInstanceKeys);
  number(here, "min", {0, 1024}, instances.min);
  number(here, "max", {1, 1024}, instances.max);
  if (instances.max >= instances.min) return;
  if (const JsonValue* most = here.member("max")) {
    mistake(most->line, here.at("max"),
            {"expected at least min, which is ", decimal(instances.min), ", found ", decimal(instances.max)});
  } else {
    instances.max = instances.min;
  }
}

void Reader::read_permissions(const Object& object, Permissions& permissions) {
  const JsonValue* value = member(object, "permissions", Kind::kObject);
  if (value == nullptr) return;
  const std::string place = object.at("permissions").text();
  const Object here{*value, place};
  refuse_unknown(here, kPermissionKeys);
  const JsonValue* net = member(here, "net", Kind::kArray);
  if (net == nullptr) return;
  std::vector<NetRule> rules;
  for (size_t index = 0; index < net->items.size(); ++index) {
    const JsonValue& item = net->items[index];
    const std::string item_place = concat({place, ".net[", decimal(index), "]"});
    if (!expect(item, {item_place}, Kind::kString)) continue;
    Result<NetRule> rule = NetRule::parse(item.text);
    if (rule) {
      rules.push_back(std::move(rule).value());
    } else {
      mistake(item.line, {item_place}, {quoted(item.text), " ", rule.error().message});
    }
  }
  permissions.net = NetRules(std::move(rules));
}

// Where it runs, and what browsers do with its requests.
void Reader::read_browser(const Object& object, Definition& definition) {
  const bool server_only = definition.type == PluginType::kNative && object.member("web") == nullptr;
  if (server_only || definition.type == PluginType::kStatic) definition.place = Place::kServer;
  choice(object, "place", "place", kPlaces, definition.place);
  if (server_only && definition.place != Place::kServer) {
    mistake(object.member("place")->line, object.at("place"),
            {"a native plug-in runs in browsers as WASM; expected its WASM build as \"web\""});
  }
  choice(object, "fallback", "fallback", kFallbacks, definition.fallback);
  choice(object, "prefer", "preference", kPreferences, definition.prefer);
  if (definition.prefer == Preference::kPluginOnly && definition.fallback == Fallback::kNetwork) {
    mistake(object.member("fallback")->line, object.at("fallback"),
            {"\"network\" contradicts \"prefer\": \"plugin-only\"; leave one of them out"});
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
  const Where here = object.at("integrity");
  if (definition.type == PluginType::kNative && object.member("web") == nullptr) {
    return mistake(value->line, here, {"is that of the file at \"web\", which is missing"});
  }
  auto read = [&](const JsonValue& text, const Where& where, std::string_view path) {
    if (!expect(text, where, Kind::kString)) return;
    Result<Integrity> integrity = Integrity::parse(text.text);
    if (!integrity) return mistake(text.line, where, {quoted(text.text), " ", integrity.error().message});
    definition.integrity.push_back({std::string(path), std::move(integrity).value()});
  };
  if (value->kind == Kind::kString) return read(*value, here, "");
  if (value->kind != Kind::kObject) {
    return mistake(value->line, here, {"expected a string or an object of strings, found ", describe(value->kind)});
  }
  for (const JsonMember& file : value->members) {
    const std::string place = concat({here.text(), "[", quoted(file.key), "]"});
    if (is_plain_path(file.key)) {
      read(file.value, {place}, file.key);
    } else {
      mistake(file.line, {place},
              {"expected a path relative to the folder of the plug-in's file, such as \"lib/a.js\""});
    }
  }
}

void Reader::refuse_foreign(const Object& object, PluginType type) {
  auto set = static_cast<TypeSet>(1 << static_cast<int>(type));
  for (const JsonMember& candidate : object.value.members) {
    for (const Field& known : kFields) {
      if (candidate.key != known.key || (known.types & set) != 0) continue;
      std::string_view owner = known.types == kStaticOnly     ? "\"static\""
                               : known.types == kNativeOnly   ? "\"native\""
                               : known.types == kWebOnly      ? "\"web\""
                               : known.types == kNativeAndWeb ? "\"native\" or \"web\""
                                                              : "\"native\" or \"static\"";
      mistake(candidate.line, object.at(known.key),
              {"belongs to plug-ins of type ", owner, "; the type of this one is \"", to_string(type), "\""});
    }
  }
  // No limit may be declared that is not enforced, and memory is counted by V8 alone.
  const JsonValue* limits = type == PluginType::kWeb ? nullptr : object.member("limits");
  if (limits == nullptr) return;
  const std::string place = object.at("limits").text();
  const Object here{*limits, place};
  if (const JsonValue* memory = here.member("memory_mb")) {
    mistake(memory->line, here.at("memory_mb"),
            {"is enforced for plug-ins of type \"web\" only; the type of this one is \"", to_string(type), "\""});
  }
}

Definition Reader::read_definition(const JsonValue& value, std::string_view place, bool& mounted) {
  Definition definition;
  mounted = false;
  if (!expect(value, {place}, Kind::kObject)) return definition;
  const Object object{value, place};
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
  choice(object, "fetch", "rules", kFetchRules, definition.fetch);
  if (typed) read_browser(object, definition);
  return definition;
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
      if (!message.empty()) message += '\n';
      message +=
          concat({file_, ":", decimal(line), ": ", mistake.field, mistake.field.empty() ? "" : ": ", mistake.message});
    }
  }
  if (mistakes_.size() > kMaxShown) {
    message += concat({"\n... and ", decimal(mistakes_.size() - kMaxShown), " more"});
  }
  return {message};
}

// Where a name or a mount stands first.
struct First {
  std::string place;
  uint32_t line;
};

}  // namespace

Result<std::vector<Definition>> parse_plugin_file(std::string_view json, std::string_view file, Sources sources) {
  Reader reader(file, sources);
  std::optional<JsonValue> root = read_json(json, {"config", 3}, reader.mistakes());
  if (!root || !reader.expect(*root, {}, Kind::kObject)) return reader.error();
  const Object document{*root, ""};
  reader.refuse_unknown(document, kFileKeys);
  const JsonValue* plugins = document.member("plugins");
  if (plugins == nullptr) {
    reader.mistake(root->line, {"plugins"}, {"is missing; expected an array of plug-in definitions"});
    return reader.error();
  }
  std::vector<Definition> definitions;
  if (!reader.expect(*plugins, {"plugins"}, Kind::kArray)) return reader.error();

  std::map<std::string, First> names;
  std::map<std::string, First> mounts;
  for (size_t index = 0; index < plugins->items.size(); ++index) {
    const JsonValue& item = plugins->items[index];
    const std::string place = concat({"plugins[", decimal(index), "]"});
    auto only_once = [&](std::map<std::string, First>& all, const std::string& text, std::string_view key,
                         std::string_view shown, std::string_view noun) {
      auto [first, is_new] = all.try_emplace(text, First{place, item.line});
      if (is_new) return;
      reader.mistake(item.line, {place, key},
                     {quoted(shown), " is the ", noun, " of ", first->second.place, " (line ",
                      decimal(first->second.line), ") already"});
    };
    bool mounted = false;
    definitions.push_back(reader.read_definition(item, place, mounted));
    const Definition& definition = definitions.back();
    if (!definition.name.empty()) only_once(names, definition.name, "name", definition.name, "name");
    if (mounted) only_once(mounts, definition.prefix, "prefix", concat({"/", definition.prefix}), "mount");
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
