#include "core/json-tree.h"

#include <algorithm>
#include <set>
#include <utility>

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
  TreeReader(std::string_view json, const RawRule& raw, std::vector<JsonMistake>& mistakes)
      : scanner_(json), raw_(raw), mistakes_(mistakes) {}

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

  JsonValue take() { return std::move(root_); }

 private:
  struct Level {
    JsonToken end;         // what closes it
    JsonValue* container;  // nullptr inside a raw value
    std::string key = {};  // of the member that is being read
    uint32_t key_line = 1;
    std::set<std::string> keys = {};
    bool first = true;  // in a raw container: no value was written yet
  };

  JsonToken next() {
    token_ = scanner_.next();
    return token_;
  }

  bool fail(Parts message) {
    mistakes_.push_back({scanner_.line(), {}, concat(message)});
    return false;
  }

  bool unexpected(std::string_view context, std::string_view expected) {
    const bool broken = token_ == JsonToken::kError;
    const std::string what = concat({"syntax error while parsing ", context, broken ? " - " : " - unexpected ",
                                     broken ? scanner_.error() : std::string(describe(token_)),
                                     expected.empty() ? "" : "; expected ", expected});
    return fail({"not valid JSON (column ", decimal(scanner_.column()), "): ", cut(what)});
  }

  static std::string_view cut(std::string_view message) { return message.substr(0, kMaxMessage); }

  // Where the innermost container stands.
  std::string field() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.container == nullptr || &level == &levels_.back()) break;
      if (level.container->kind == JsonValue::Kind::kArray) {
        path += concat({"[", decimal(level.container->items.size() - 1), "]"});
      } else {
        path += concat({path.empty() ? "" : ".", level.key});
      }
    }
    return path;
  }

  bool in_raw() const { return !levels_.empty() && levels_.back().container == nullptr; }

  // Whether the value that begins now is a raw one.
  bool begins_raw() const {
    return !levels_.empty() && levels_.size() == raw_.depth && levels_.back().end == JsonToken::kEndObject &&
           levels_.back().key == raw_.key;
  }

  // In an object, reads the key and the colon, up to the first token of the value.
  bool begin_member() {
    Level& level = levels_.back();
    if (level.end == JsonToken::kEndArray) return true;
    if (token_ != JsonToken::kString) return unexpected("object key", describe(JsonToken::kString));
    std::string key = std::move(scanner_.text());
    if (!level.keys.insert(key).second && mistakes_.size() < kMaxMistakes) {
      std::string quoted;
      append_json_string(quoted, key.substr(0, 100));
      mistakes_.push_back({scanner_.line(), field(), concat({"the key ", quoted, " appears twice in this object"})});
    }
    level.key = std::move(key);
    level.key_line = scanner_.line();
    if (next() != JsonToken::kColon) return unexpected("object separator", describe(JsonToken::kColon));
    next();
    return true;
  }

  // The value that begins with the token: the whole of it, or that it is open.
  bool begin_value() {
    switch (token_) {
      case JsonToken::kBeginArray:
        return begin_container(JsonValue::Kind::kArray, '[');
      case JsonToken::kBeginObject:
        return begin_container(JsonValue::Kind::kObject, '{');
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
      case JsonToken::kNumber:
        if (!scanner_.overflows()) return leaf(JsonValue::Kind::kNumber, scanner_.text());
        return fail({"not valid JSON: ", cut(concat({"number overflow parsing '", scanner_.text(), "'"}))});
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

  bool begin_container(JsonValue::Kind kind, char bracket) {
    if (levels_.size() == kMaxDepth) return fail({"nested deeper than ", decimal(kMaxDepth), " levels"});
    JsonValue* value = place(kind);
    if (value == nullptr) return false;
    const bool raw = value->kind == JsonValue::Kind::kRaw;
    if (raw) value->text += bracket;
    levels_.push_back(
        {kind == JsonValue::Kind::kArray ? JsonToken::kEndArray : JsonToken::kEndObject, raw ? nullptr : value});
    return true;
  }

  void end_container() {
    if (in_raw()) raw_value_->text += levels_.back().end == JsonToken::kEndArray ? ']' : '}';
    levels_.pop_back();
  }

  // A place for the value that begins now: in the tree, or the raw value that it lies in. nullptr when there are too
  // many.
  JsonValue* place(JsonValue::Kind kind) {
    if (in_raw()) {
      Level& level = levels_.back();
      if (!std::exchange(level.first, false)) raw_value_->text += ',';
      if (level.end == JsonToken::kEndObject) {
        append_json_string(raw_value_->text, level.key);
        raw_value_->text += ':';
      }
      return raw_value_;
    }
    if (++values_ > kMaxValues) {
      fail({"more than ", decimal(kMaxValues), " values"});
      return nullptr;
    }
    JsonValue* value = &root_;
    if (!levels_.empty()) {
      Level& level = levels_.back();
      value = level.end == JsonToken::kEndArray
                  ? &level.container->items.emplace_back()
                  : &level.container->members.emplace_back(JsonMember{level.key, level.key_line, {}}).value;
    }
    value->kind = begins_raw() ? JsonValue::Kind::kRaw : kind;
    value->line = scanner_.line();
    if (value->kind == JsonValue::Kind::kRaw) raw_value_ = value;
    return value;
  }

  JsonScanner scanner_;
  const RawRule& raw_;
  std::vector<JsonMistake>& mistakes_;
  JsonToken token_ = JsonToken::kEnd;
  JsonValue root_;
  std::vector<Level> levels_;
  size_t values_ = 0;
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

std::optional<JsonValue> read_json(std::string_view json, const RawRule& raw, std::vector<JsonMistake>& mistakes) {
  if (json.size() > kMaxSize) {
    mistakes.push_back({1, {}, concat({"larger than ", decimal(kMaxSize >> 20), " MiB"})});
    return std::nullopt;
  }
  if (size_t at = json.find('\0'); at != std::string_view::npos) {
    auto lines = std::count(json.begin(), json.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    mistakes.push_back({static_cast<uint32_t>(lines + 1), {}, "not valid JSON: it holds a NUL byte"});
    return std::nullopt;
  }
  TreeReader reader(json, raw, mistakes);
  if (!reader.read()) return std::nullopt;
  return reader.take();
}

}  // namespace valor::core
