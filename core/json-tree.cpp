#include "core/json-tree.h"

#include <algorithm>
#include <utility>

#include "core/hash-index.h"
#include "core/json-scanner.h"
#include "core/json.h"
#include "core/text.h"

namespace valor::core {

namespace {

// Each stops a document that would exhaust memory or the stack.
constexpr size_t kMaxSize = 4 << 20;
constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxValues = 100'000;
constexpr size_t kMaxMessage = 300;
constexpr size_t kMaxMistakes = 100;

// Builds the tree from the tokens. What returns a bool returns false where the reading ends with a mistake.
class TreeReader {
 public:
  TreeReader(std::string_view json, const RawRule& raw, JsonValue& root, std::vector<JsonMistake>& mistakes)
      : scanner_(json), raw_(raw), root_(root), mistakes_(mistakes) {}

  bool read() {
    next();
    while (true) {
      if (!begin_value()) return false;
      if (token_ == JsonToken::kBeginArray || token_ == JsonToken::kBeginObject) {
        if (next() != levels_.back().end) {
          if (!begin_member()) return false;
          continue;
        }
        end_container();
      }
      while (true) {
        next();
        if (levels_.empty()) return token_ == JsonToken::kEnd || unexpected("value", describe(JsonToken::kEnd));
        const JsonToken end = levels_.back().end;
        if (token_ == JsonToken::kComma) break;
        if (token_ != end) return unexpected(end == JsonToken::kEndArray ? "array" : "object", describe(end));
        end_container();
      }
      next();
      if (!begin_member()) return false;
    }
  }

 private:
  struct Level {
    JsonToken end;         // what closes it
    bool first;            // in a raw container: no value was written yet
    uint32_t number;       // no other has it
    JsonValue* container;  // nullptr inside a raw value
  };

  JsonToken next() {
    token_ = scanner_.next();
    return token_;
  }

  bool fail(const char* pattern, Arguments arguments) {
    mistakes_.push_back({scanner_.line(), format(pattern, arguments)});
    return false;
  }

  bool unexpected(std::string_view context, std::string_view expected) {
    const bool broken = token_ == JsonToken::kError;
    const std::string what =
        format("syntax error while parsing %s - %s%s%s%s",
               {context, broken ? "" : "unexpected ", broken ? scanner_.error() : std::string(describe(token_)),
                expected.empty() ? "" : "; expected ", expected});
    return fail("not valid JSON (column %s): %s", {scanner_.column(), std::string_view(what).substr(0, kMaxMessage)});
  }

  // Where the innermost container stands.
  std::string field() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.container == nullptr || &level == &levels_.back()) break;
      const std::vector<JsonValue>& children = level.container->children;
      if (level.container->kind == JsonValue::Kind::kArray) {
        append_format(path, "[%s]", {children.size() - 1});
      } else {
        append_format(path, "%s%s", {path.empty() ? "" : ".", children.back().key});
      }
    }
    return path;
  }

  bool in_raw() const { return !levels_.empty() && levels_.back().container == nullptr; }

  // In an object, reads the key and the colon, up to the first token of the value.
  bool begin_member() {
    Level& level = levels_.back();
    if (level.end == JsonToken::kEndArray) return true;
    if (token_ != JsonToken::kString) return unexpected("object key", describe(JsonToken::kString));
    std::string& key = scanner_.text();
    note_key(key, level.number);
    if (level.container == nullptr) {
      separate(level);
      append_json_string(raw_value_->text, key);
      raw_value_->text += ':';
    } else if (JsonValue* value = add(level)) {
      value->key_line = scanner_.line();
      value->key = std::move(key);
    } else {
      return false;
    }
    if (next() != JsonToken::kColon) return unexpected("object separator", describe(JsonToken::kColon));
    next();
    return true;
  }

  void note_key(const std::string& key, uint32_t level) {
    const uint64_t hash = hash_text(key, kHashStart + level);
    auto same = [](uint32_t) { return true; };  // 64 bits are enough to tell keys apart
    if (keys_.find(hash, same) == HashIndex::kNone) return keys_.insert(hash, 0);
    if (mistakes_.size() >= kMaxMistakes) return;
    const std::string place = field();
    fail("%s%sthe key %q appears twice in this object", {place, place.empty() ? "" : ": ", key});
  }

  // The value that begins with the token: the whole of it, or that it is open.
  bool begin_value() {
    switch (token_) {
      case JsonToken::kBeginArray:
        return begin_container(JsonValue::Kind::kArray, JsonToken::kEndArray, '[');
      case JsonToken::kBeginObject:
        return begin_container(JsonValue::Kind::kObject, JsonToken::kEndObject, '{');
      case JsonToken::kNull:
        return leaf(JsonValue::Kind::kNull, "null");
      case JsonToken::kTrue:
        return leaf(JsonValue::Kind::kBool, "true");
      case JsonToken::kFalse:
        return leaf(JsonValue::Kind::kBool, "false");
      case JsonToken::kString:
        return leaf(JsonValue::Kind::kString, scanner_.text());
      case JsonToken::kUnsigned:
        return leaf(JsonValue::Kind::kUnsigned, scanner_.text());
      case JsonToken::kNumber: {
        if (!scanner_.overflows()) return leaf(JsonValue::Kind::kNumber, scanner_.text());
        const std::string what = format("number overflow parsing '%s'", {scanner_.text()});
        return fail("not valid JSON: %s", {std::string_view(what).substr(0, kMaxMessage)});
      }
      case JsonToken::kError:
        return unexpected("value", "");
      default:
        return unexpected("value", "'[', '{', or a literal");
    }
  }

  bool leaf(JsonValue::Kind kind, std::string_view text) {
    JsonValue* value = place(kind);
    if (value == nullptr) return false;
    value->number = scanner_.number();
    if (value->kind == JsonValue::Kind::kRaw && kind == JsonValue::Kind::kString) {
      append_json_string(value->text, text);
    } else {
      value->text += text;
    }
    return true;
  }

  bool begin_container(JsonValue::Kind kind, JsonToken end, char bracket) {
    if (levels_.size() == kMaxDepth) return fail("nested deeper than %s levels", {kMaxDepth});
    JsonValue* value = place(kind);
    if (value == nullptr) return false;
    const bool raw = value->kind == JsonValue::Kind::kRaw;
    if (raw) value->text += bracket;
    levels_.push_back({end, true, ++opened_, raw ? nullptr : value});
    return true;
  }

  void end_container() {
    if (in_raw()) raw_value_->text += levels_.back().end == JsonToken::kEndArray ? ']' : '}';
    levels_.pop_back();
  }

  // The value that begins now: one of the tree, or the raw one that it lies in. nullptr when there are too many.
  JsonValue* place(JsonValue::Kind kind) {
    JsonValue* value = &root_;
    if (!levels_.empty()) {
      Level& level = levels_.back();
      const bool item = level.end == JsonToken::kEndArray;
      if (level.container == nullptr) {
        if (item) separate(level);
        return raw_value_;
      }
      value = item ? add(level) : &level.container->children.back();
      if (value == nullptr) return nullptr;
    }
    value->kind = kind;
    value->line = scanner_.line();
    if (levels_.size() == raw_.depth && value->key == raw_.key) {
      value->kind = JsonValue::Kind::kRaw;
      raw_value_ = value;
    }
    return value;
  }

  void separate(Level& level) {
    if (!level.first) raw_value_->text += ',';
    level.first = false;
  }

  JsonValue* add(const Level& level) {
    if (++values_ < kMaxValues) return &level.container->children.emplace_back();
    fail("more than %s values", {kMaxValues});
    return nullptr;
  }

  JsonScanner scanner_;
  const RawRule& raw_;
  JsonValue& root_;
  std::vector<JsonMistake>& mistakes_;
  JsonToken token_ = JsonToken::kEnd;
  std::vector<Level> levels_;
  HashIndex keys_;  // of all objects
  uint32_t opened_ = 0;
  size_t values_ = 0;               // below the root
  JsonValue* raw_value_ = nullptr;  // the last one
};

}  // namespace

std::string_view describe(JsonValue::Kind kind) {
  switch (kind) {
    case JsonValue::Kind::kNull:
      return "null";
    case JsonValue::Kind::kBool:
      return "true or false";
    case JsonValue::Kind::kUnsigned:
    case JsonValue::Kind::kNumber:
      return "a number";
    case JsonValue::Kind::kString:
      return "a string";
    case JsonValue::Kind::kArray:
      return "an array";
    case JsonValue::Kind::kObject:
      return "an object";
    case JsonValue::Kind::kRaw:
      return "a value";
  }
  return "";
}

bool read_json(std::string_view json, const RawRule& raw, JsonValue& root, std::vector<JsonMistake>& mistakes) {
  if (json.size() > kMaxSize) {
    mistakes.push_back({1, format("larger than %s MiB", {kMaxSize >> 20})});
    return false;
  }
  if (const size_t at = json.find('\0'); at != std::string_view::npos) {
    const auto lines = std::count(json.begin(), json.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    mistakes.push_back({static_cast<uint32_t>(lines + 1), "not valid JSON: it holds a NUL byte"});
    return false;
  }
  return TreeReader(json, raw, root, mistakes).read();
}

}  // namespace valor::core
