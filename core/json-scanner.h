// The tokens of a JSON text (RFC 8259 section 2), and where they stand. What is wrong is said in the words of the JSON
// library that the server once read with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace valor::core {

enum class JsonToken : uint8_t {
  kEnd,
  kBeginArray,
  kEndArray,
  kBeginObject,
  kEndObject,
  kColon,
  kComma,
  kNull,
  kTrue,
  kFalse,
  kString,
  kUnsigned,  ///< a whole number below 2^64
  kNumber,    ///< any other
  kError,
};

/// As it stands in messages: "']'", "string literal".
std::string_view describe(JsonToken token);

class JsonScanner {
 public:
  /// `json` holds no NUL and must outlive the scanner. A byte order mark at its start is skipped.
  explicit JsonScanner(std::string_view json) : json_(json) {}

  /// Not to be called again after kEnd and kError.
  JsonToken next();

  /// kString: its characters as UTF-8; kUnsigned, kNumber: as it is spelt. May be moved from; valid until next().
  std::string& text() { return text_; }
  /// kUnsigned.
  uint64_t number() const { return number_; }
  /// kNumber: whether no double holds it, because it is too large.
  bool overflows() const;
  /// Of the last character of the token, from 1. At the end of the text it is the line of the last character.
  uint32_t line();
  /// In bytes, from 1; the end of the text counts as a character.
  size_t column() const;
  /// kError: what is wrong.
  std::string error() const;

 private:
  static constexpr int kEndOfText = -1;

  int get() {
    at_end_ = at_ == json_.size();
    return at_end_ ? kEndOfText : static_cast<uint8_t>(json_[at_++]);
  }
  bool take_digits();
  JsonToken fail(std::string_view why) {
    why_ = why;
    return JsonToken::kError;
  }
  JsonToken fail_control(int c);
  JsonToken literal(std::string_view rest, JsonToken token);
  JsonToken scan_number(int first);
  JsonToken scan_string();
  bool scan_escape();
  bool scan_code_unit(int& unit);
  void append_character(uint32_t character);

  std::string_view json_;
  size_t at_ = 0;        // behind the last character that was read
  bool at_end_ = false;  // the end of the text has been read
  size_t token_at_ = 0;  // of the last string or number: messages show what was read from there on
  uint32_t line_ = 1;
  size_t counted_ = 0;  // line_ counts the line ends before it
  std::string text_;
  uint64_t number_ = 0;
  std::string why_;
};

}  // namespace valor::core
