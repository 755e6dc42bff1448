// JSON documents that people write: read into a tree that knows on which line everything stands, so that a mistake can
// be pointed at. Values under the key of a RawRule are kept as compact text and not taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace valor::core {

struct JsonValue {
  enum class Kind { kNull, kBool, kUnsigned, kNumber, kString, kArray, kObject, kRaw };
  Kind kind = Kind::kNull;
  uint32_t line = 1;
  uint32_t key_line = 1;
  uint64_t number = 0;              ///< kUnsigned
  std::string key;                  ///< of a member
  std::string text;                 ///< kString: decoded; numbers: as spelt; kRaw: compact JSON
  std::vector<JsonValue> children;  ///< kArray: items; kObject: members
};

/// "a string", "an object", ...: for "expected ..., found ...".
std::string_view describe(JsonValue::Kind kind);

struct JsonMistake {
  uint32_t line;
  std::string text;  ///< where and what: "plugins[2].name: ..."; without the place for the document as a whole
};

/// Members called `key` of objects at this depth (the outermost object is 1) are kept raw.
struct RawRule {
  std::string_view key;
  size_t depth;
};

/// Reads one document. Every mistake met is added to `mistakes`: one in grammar ends the reading, which returns false;
/// keys that appear twice in an object do not. A byte order mark is skipped, as RFC 8259 section 8.1 permits and most
/// tools do. Documents larger than 4 MiB, nested deeper than 64 levels, or with more than 100,000 values outside raw
/// ones are refused. No recursion.
bool read_json(std::string_view json, const RawRule& raw, JsonValue& root, std::vector<JsonMistake>& mistakes);

}  // namespace valor::core
