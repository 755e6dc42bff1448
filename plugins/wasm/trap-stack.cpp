#include "plugins/wasm/trap-stack.h"

#include <algorithm>
#include <charconv>

namespace valor::plugins::wasm {

namespace {

constexpr std::string_view kUrlMark = "wasm://";
constexpr std::string_view kFunctionMark = ":wasm-function[";
constexpr std::string_view kPlaceMark = "]:0x";

std::string hex(uint64_t value) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
  return {digits, end};
}

std::string readable_frame(std::string_view frame, std::string_view file, uint64_t moved_bytes) {
  const size_t url = frame.find(kUrlMark);
  const size_t function = frame.find(kFunctionMark, url == std::string_view::npos ? frame.size() : url);
  const size_t place = frame.find(kPlaceMark, function == std::string_view::npos ? frame.size() : function);
  if (place == std::string_view::npos) return std::string(frame);
  const size_t digits = place + kPlaceMark.size();
  uint64_t offset = 0;
  const char* end = frame.data() + frame.size();
  const char* after = std::from_chars(frame.data() + digits, end, offset, 16).ptr;
  if (offset >= moved_bytes) offset -= moved_bytes;
  // "at MODULE.function (wasm://wasm/MODULE-HASH", where the module has a name of its own.
  std::string_view module = frame.substr(0, function);
  module.remove_prefix(std::min(module.size(), module.rfind('/') + 1));
  module = module.substr(0, module.rfind('-'));
  constexpr std::string_view kAt = "at ";
  std::string text(frame.substr(0, url));
  if (const std::string named = std::string(kAt).append(module).append("."); text.starts_with(named)) {
    text.erase(kAt.size(), module.size() + 1);
  }
  text += file;
  text += frame.substr(function, digits - function);
  text += hex(offset);
  text.append(after, end);
  return text;
}

}  // namespace

std::string readable_stack(std::string_view stack, std::string_view file, uint64_t moved_bytes) {
  std::string text;
  while (!stack.empty()) {
    const size_t line_end = stack.find('\n');
    std::string_view frame = stack.substr(0, line_end);
    stack.remove_prefix(line_end == std::string_view::npos ? stack.size() : line_end + 1);
    frame.remove_prefix(std::min(frame.find_first_not_of(' '), frame.size()));
    if (frame.empty()) continue;
    if (!text.empty()) text += '\n';
    text += readable_frame(frame, file, moved_bytes);
  }
  return text;
}

}  // namespace valor::plugins::wasm
