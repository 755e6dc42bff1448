#include "core/json-tree.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/json.h"

namespace valor::core {

namespace {

// Each stops a document that would exhaust memory or the stack.
constexpr size_t kMaxSize = 4 << 20;
constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxValues = 100'000;
constexpr size_t kMaxMessage = 300;
constexpr size_t kMaxMistakes = 100;

// Counts a line when the character after its end is read: the parser reads one character beyond a number.
struct LineCounter {
  uint32_t line = 1;
  bool at_end_of_line = false;
};

class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, LineCounter* counter) : at_(at), counter_(counter) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    if (counter_->at_end_of_line) ++counter_->line;
    counter_->at_end_of_line = *at_ == '\n';
    ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  LineCounter* counter_;
};

// Hears the parser's events and builds the tree.
class TreeBuilder {
 public:
  using number_integer_t = int64_t;
  using number_unsigned_t = uint64_t;
  using number_float_t = double;
  using string_t = std::string;
  using binary_t = nlohmann::json::binary_t;

  TreeBuilder(const RawRule& raw, const LineCounter& counter, std::vector<JsonMistake>& mistakes)
      : raw_(raw), counter_(counter), mistakes_(mistakes) {}

  JsonValue take() { return std::move(root_); }

  bool null() { return leaf(JsonValue::Kind::kNull, "null"); }
  bool boolean(bool value) { return leaf(JsonValue::Kind::kBool, value ? "true" : "false"); }
  bool number_integer(int64_t value) { return leaf(JsonValue::Kind::kNumber, std::to_string(value)); }
  bool number_unsigned(uint64_t value) { return leaf(JsonValue::Kind::kUnsigned, std::to_string(value), value); }
  // The number's own spelling: no digit is lost.
  bool number_float(double, const std::string& spelling) { return leaf(JsonValue::Kind::kNumber, spelling); }
  bool string(std::string& value) {
    if (!raw_next()) return leaf(JsonValue::Kind::kString, value);
    std::string quoted;
    append_json_string(quoted, value);
    return leaf(JsonValue::Kind::kString, quoted);
  }
  bool binary(binary_t&) { return false; }
  bool start_object(size_t) { return open(JsonValue::Kind::kObject, '{'); }
  bool end_object() { return close('}'); }
  bool start_array(size_t) { return open(JsonValue::Kind::kArray, '['); }
  bool end_array() { return close(']'); }

  bool key(std::string& key) {
    Level& level = levels_.back();
    if (!level.keys.insert(key).second && mistakes_.size() < kMaxMistakes) {
      std::string quoted;
      append_json_string(quoted, key.substr(0, 100));
      mistakes_.push_back({counter_.line, field(), "the key " + quoted + " appears twice in this object"});
    }
    if (level.container == nullptr) {
      if (level.count++ != 0) raw_text_ += ',';
      append_json_string(raw_text_, key);
      raw_text_ += ':';
    } else {
      level.key = std::move(key);
      level.key_line = counter_.line;
    }
    return true;
  }

  bool parse_error(size_t, const std::string&, const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while parsing value - ..."
    std::string_view what = error.what();
    std::string where;
    if (size_t at = what.find("column "); at != std::string_view::npos) {
      where = " (" + std::string(what.substr(at, what.find(':', at) - at)) + ")";
    }
    if (size_t at = what.find("syntax error"); at != std::string_view::npos) {
      what.remove_prefix(at);
    } else {
      what.remove_prefix(std::min(what.size(), what.find("] ") + 2));
    }
    return fail("not valid JSON" + where + ": " + std::string(what.substr(0, kMaxMessage)));
  }

 private:
  struct Level {
    JsonValue* container;  // nullptr inside a raw value
    std::string key = {};  // of the member that is being read
    uint32_t key_line = 1;
    std::set<std::string> keys = {};
    size_t count = 0;  // of values in a raw container
  };

  // Where the innermost container stands.
  std::string field() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.container == nullptr || &level == &levels_.back()) break;
      if (level.container->kind == JsonValue::Kind::kArray) {
        path += '[' + std::to_string(level.container->items.size() - 1) + ']';
      } else {
        path += (path.empty() ? "" : ".") + level.key;
      }
    }
    return path;
  }

  bool fail(std::string message) {
    mistakes_.push_back({counter_.line, {}, std::move(message)});
    return false;
  }

  // Whether the value that begins now is or lies in a raw one.
  bool raw_next() const {
    if (levels_.empty()) return false;
    const Level& level = levels_.back();
    if (level.container == nullptr) return true;
    return levels_.size() == raw_.depth && level.container->kind == JsonValue::Kind::kObject && level.key == raw_.key;
  }

  // A place in the tree for the value that begins now; nullptr when there are too many.
  JsonValue* place(JsonValue::Kind kind) {
    if (++values_ > kMaxValues) {
      fail("more than " + std::to_string(kMaxValues) + " values");
      return nullptr;
    }
    JsonValue* value = &root_;
    if (!levels_.empty()) {
      Level& level = levels_.back();
      value = level.container->kind == JsonValue::Kind::kArray
                  ? &level.container->items.emplace_back()
                  : &level.container->members.emplace_back(JsonMember{level.key, level.key_line, {}}).value;
    }
    value->kind = kind;
    value->line = counter_.line;
    return value;
  }

  void separate_raw() {
    // Members are separated where their key is written.
    if (raw_brackets_.back() == '[' && levels_.back().count++ != 0) raw_text_ += ',';
  }

  bool leaf(JsonValue::Kind kind, std::string_view text, uint64_t number = 0) {
    if (!raw_brackets_.empty()) {
      separate_raw();
      raw_text_ += text;
      return true;
    }
    JsonValue* value = place(raw_next() ? JsonValue::Kind::kRaw : kind);
    if (value == nullptr) return false;
    value->text = text;
    value->number = number;
    return true;
  }

  bool open(JsonValue::Kind kind, char bracket) {
    if (levels_.size() == kMaxDepth) return fail("nested deeper than " + std::to_string(kMaxDepth) + " levels");
    JsonValue* container = nullptr;
    if (raw_brackets_.empty()) {
      bool raw = raw_next();
      container = place(raw ? JsonValue::Kind::kRaw : kind);
      if (container == nullptr) return false;
      if (raw) raw_value_ = std::exchange(container, nullptr);
    } else {
      separate_raw();
    }
    if (container == nullptr) {
      raw_brackets_ += bracket;
      raw_text_ += bracket;
    }
    levels_.push_back({container});
    return true;
  }

  bool close(char bracket) {
    levels_.pop_back();
    if (raw_brackets_.empty()) return true;
    raw_text_ += bracket;
    raw_brackets_.pop_back();
    if (raw_brackets_.empty()) raw_value_->text = std::exchange(raw_text_, {});
    return true;
  }

  const RawRule& raw_;
  const LineCounter& counter_;
  std::vector<JsonMistake>& mistakes_;
  JsonValue root_;
  std::vector<Level> levels_;
  size_t values_ = 0;
  std::string raw_brackets_;  // those open inside the raw value
  JsonValue* raw_value_ = nullptr;
  std::string raw_text_;
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
    mistakes.push_back({1, {}, "larger than " + std::to_string(kMaxSize >> 20) + " MiB"});
    return std::nullopt;
  }
  // The parser takes NUL for the end of its input.
  if (size_t at = json.find('\0'); at != std::string_view::npos) {
    auto lines = std::count(json.begin(), json.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    mistakes.push_back({static_cast<uint32_t>(lines + 1), {}, "not valid JSON: it holds a NUL byte"});
    return std::nullopt;
  }
  LineCounter counter;
  TreeBuilder builder(raw, counter, mistakes);
  bool complete = nlohmann::json::sax_parse(CountingIterator(json.data(), &counter),
                                            CountingIterator(json.data() + json.size(), &counter), &builder);
  if (!complete) return std::nullopt;
  return builder.take();
}

}  // namespace valor::core
