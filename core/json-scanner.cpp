#include "core/json-scanner.h"

#include <algorithm>

#include "core/ascii.h"
#include "core/json.h"
#include "core/text.h"

namespace valor::core {

namespace {

std::string hex4(uint32_t c) {
  std::string digits;
  for (int shift = 12; shift >= 0; shift -= 4) digits += "0123456789ABCDEF"[(c >> shift) & 15];
  return digits;
}

}  // namespace

std::string_view describe(JsonToken token) {
  switch (token) {
    case JsonToken::kEnd:
      return "end of input";
    case JsonToken::kBeginArray:
      return "'['";
    case JsonToken::kEndArray:
      return "']'";
    case JsonToken::kBeginObject:
      return "'{'";
    case JsonToken::kEndObject:
      return "'}'";
    case JsonToken::kColon:
      return "':'";
    case JsonToken::kComma:
      return "','";
    case JsonToken::kNull:
      return "null literal";
    case JsonToken::kTrue:
      return "true literal";
    case JsonToken::kFalse:
      return "false literal";
    case JsonToken::kString:
      return "string literal";
    case JsonToken::kUnsigned:
    case JsonToken::kNumber:
      return "number literal";
    case JsonToken::kError:
      break;
  }
  return "";
}

JsonToken JsonScanner::next() {
  if (at_ == 0 && json_.starts_with('\xEF')) {
    for (const int mark : {0xEF, 0xBB, 0xBF}) {
      if (get() != mark) return fail("invalid BOM; must be 0xEF 0xBB 0xBF if given");
    }
  }
  int c;
  do {
    c = get();
  } while (c == ' ' || c == '\t' || c == '\n' || c == '\r');
  switch (c) {
    case kEndOfText:
      return JsonToken::kEnd;
    case '[':
      return JsonToken::kBeginArray;
    case ']':
      return JsonToken::kEndArray;
    case '{':
      return JsonToken::kBeginObject;
    case '}':
      return JsonToken::kEndObject;
    case ':':
      return JsonToken::kColon;
    case ',':
      return JsonToken::kComma;
    case 't':
      return literal("rue", JsonToken::kTrue);
    case 'f':
      return literal("alse", JsonToken::kFalse);
    case 'n':
      return literal("ull", JsonToken::kNull);
    case '"':
      return scan_string();
    default:
      return c == '-' || is_digit(c) ? scan_number(c) : fail("invalid literal");
  }
}

uint32_t JsonScanner::line() {
  // A line ends behind its last character.
  const size_t end = at_ == 0 ? 0 : at_ - 1;
  if (end > counted_) {
    line_ += static_cast<uint32_t>(std::count(json_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                              json_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    counted_ = end;
  }
  return line_;
}

size_t JsonScanner::column() const {
  const std::string_view read = json_.substr(0, at_);
  const size_t end_of_line = read.rfind('\n');
  return read.size() - (end_of_line == std::string_view::npos ? 0 : end_of_line + 1) + (at_end_ ? 1 : 0);
}

std::string JsonScanner::error() const {
  std::string text = why_ + "; last read: '";
  for (const char c : json_.substr(token_at_, at_ - token_at_)) {
    if (static_cast<uint8_t>(c) < 0x20) {
      append_format(text, "<U+%s>", {hex4(static_cast<uint8_t>(c))});
    } else {
      text += c;
    }
  }
  text += '\'';
  return text;
}

JsonToken JsonScanner::literal(std::string_view rest, JsonToken token) {
  for (const char c : rest) {
    if (get() != c) return fail("invalid literal");
  }
  return token;
}

// Returns false when there is none.
bool JsonScanner::take_digits() {
  if (!is_digit(get())) return false;
  while (at_ < json_.size() && is_digit(json_[at_])) ++at_;
  return true;
}

JsonToken JsonScanner::scan_number(int first) {
  token_at_ = at_ - 1;
  auto follows = [&](std::string_view any) { return at_ < json_.size() && any.find(json_[at_]) != any.npos; };
  bool whole = first != '-';
  if (!whole) first = get();
  if (!is_digit(first)) return fail("invalid number; expected digit after '-'");
  if (first != '0') {
    while (at_ < json_.size() && is_digit(json_[at_])) ++at_;
  }
  if (follows(".")) {
    whole = false;
    ++at_;
    if (!take_digits()) return fail("invalid number; expected digit after '.'");
  }
  if (follows("eE")) {
    whole = false;
    ++at_;
    if (follows("+-")) {
      ++at_;
      if (!take_digits()) return fail("invalid number; expected digit after exponent sign");
    } else if (!take_digits()) {
      return fail("invalid number; expected '+', '-', or digit after exponent");
    }
  }
  text_ = json_.substr(token_at_, at_ - token_at_);
  number_ = 0;
  for (size_t at = 0; whole && at < text_.size(); ++at) {
    const auto digit = static_cast<uint64_t>(text_[at] - '0');
    whole = number_ <= (UINT64_MAX - digit) / 10;
    number_ = number_ * 10 + digit;
  }
  return whole ? JsonToken::kUnsigned : JsonToken::kNumber;
}

bool JsonScanner::overflows() const {
  std::string_view spelling = text_;
  if (spelling.starts_with('-')) spelling.remove_prefix(1);
  const size_t mantissa_size = std::min(spelling.find_first_of("eE"), spelling.size());
  const size_t point = std::min(spelling.find('.'), mantissa_size);
  // The number is 0.DIGITS times ten to the power of `exponent`.
  std::string digits;
  auto exponent = static_cast<int64_t>(point);
  constexpr size_t kEnoughDigits = 20;
  for (size_t at = 0; at < mantissa_size && digits.size() < kEnoughDigits; ++at) {
    if (at == point) continue;
    if (digits.empty() && spelling[at] == '0') {
      --exponent;
    } else {
      digits += spelling[at];
    }
  }
  if (digits.empty()) return false;
  const std::string_view power = spelling.substr(std::min(mantissa_size + 1, spelling.size()));
  int64_t written = 0;
  for (const char c : power) {
    if (is_digit(c)) written = std::min<int64_t>(written * 10 + (c - '0'), 1 << 30);
  }
  exponent += power.starts_with('-') ? -written : written;
  // From halfway between the largest double and the next power of two on, a number rounds to infinity.
  return exponent > 309 || (exponent == 309 && digits >= "17976931348623158079");
}

JsonToken JsonScanner::scan_string() {
  token_at_ = at_ - 1;
  text_.clear();
  while (true) {
    const int c = get();
    if (c == '"') return JsonToken::kString;
    if (c == kEndOfText) return fail("invalid string: missing closing quote");
    if (c < 0x20) return fail_control(c);
    if (c == '\\') {
      if (!scan_escape()) return JsonToken::kError;
      continue;
    }
    size_t skip = 0;
    const std::string_view rest = json_.substr(at_ - 1);
    if (const size_t size = utf8_sequence(rest, skip)) {
      text_ += rest.substr(0, size);
      at_ += size - 1;
      continue;
    }
    // The byte that is wrong is the last one read.
    const bool first_is_right = c >= 0xC2 && c <= 0xF4;
    while (first_is_right && skip-- > 0) get();
    return fail("invalid string: ill-formed UTF-8 byte");
  }
}

JsonToken JsonScanner::fail_control(int c) {
  constexpr std::string_view kNames =
      "NULSOHSTXETXEOTENQACKBELBS HT LF VT FF CR SO SI DLEDC1DC2DC3DC4NAKSYNETBCANEM SUBESCFS GS RS US ";
  constexpr std::string_view kShort = "\b\t\n\f\r";
  constexpr std::string_view kShortNames = "btnfr";
  std::string_view name = kNames.substr(3 * static_cast<size_t>(c), 3);
  name = name.substr(0, name.find(' '));
  const std::string code = hex4(static_cast<uint32_t>(c));
  const size_t has_short = kShort.find(static_cast<char>(c));
  const bool short_one = has_short != std::string_view::npos;
  why_ = format("invalid string: control character U+%s (%s) must be escaped to \\u%s%s%s",
                {code, name, code, short_one ? " or \\" : "", short_one ? kShortNames.substr(has_short, 1) : ""});
  return JsonToken::kError;
}

bool JsonScanner::scan_escape() {
  constexpr std::string_view kEscapes = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const int c = get();
  if (c != 'u') {
    const size_t which = c == kEndOfText ? kEscapes.npos : kEscapes.find(static_cast<char>(c));
    if (which == kEscapes.npos) {
      fail("invalid string: forbidden character after backslash");
      return false;
    }
    text_ += kMeanings[which];
    return true;
  }
  int character = 0;
  if (!scan_code_unit(character)) return false;
  if (character >= 0xDC00 && character <= 0xDFFF) {
    fail("invalid string: surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF");
    return false;
  }
  if (character >= 0xD800 && character <= 0xDBFF) {
    int low = 0;
    const bool escaped = get() == '\\' && get() == 'u';
    if (escaped && !scan_code_unit(low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) {
      fail("invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF");
      return false;
    }
    character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
  }
  append_character(static_cast<uint32_t>(character));
  return true;
}

bool JsonScanner::scan_code_unit(int& unit) {
  for (int count = 0; count < 4; ++count) {
    const int digit = hex_digit(get());
    if (digit < 0) {
      fail("invalid string: '\\u' must be followed by 4 hex digits");
      return false;
    }
    unit = unit * 16 + digit;
  }
  return true;
}

// https://www.rfc-editor.org/rfc/rfc3629#section-3
void JsonScanner::append_character(uint32_t character) {
  if (character < 0x80) {
    text_ += static_cast<char>(character);
    return;
  }
  const int more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  constexpr uint32_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
  text_ += static_cast<char>(kLead[more] | (character >> (6 * more)));
  for (int shift = 6 * more - 6; shift >= 0; shift -= 6) text_ += static_cast<char>(0x80 | ((character >> shift) & 63));
}

}  // namespace valor::core
