#include "core/header-list.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/ascii.h"
#include "core/message.h"

namespace valor::core {

namespace {

// What a byte may be part of, looked up: these run over every byte of every head.
enum : uint8_t { kNameByte = 1, kValueByte = 2 };

constexpr std::array<uint8_t, 256> make_byte_kinds() {
  std::array<uint8_t, 256> kinds{};
  for (size_t byte = 0; byte < kinds.size(); ++byte) {
    // https://www.rfc-editor.org/rfc/rfc9110#name-field-values
    if ((byte >= 0x20 && byte != 0x7f) || byte == '\t') kinds[byte] |= kValueByte;
  }
  // https://www.rfc-editor.org/rfc/rfc9110#name-tokens
  for (char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    kinds[static_cast<uint8_t>(c)] |= kNameByte;
  }
  return kinds;
}
constexpr auto kByteKinds = make_byte_kinds();

bool all_of_kind(std::string_view text, uint8_t kind) {
  uint8_t common = kind;
  for (char c : text) common &= kByteKinds[static_cast<uint8_t>(c)];
  return common != 0;
}

}  // namespace

bool same_header_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool is_header_name(std::string_view name) {
  return !name.empty() && all_of_kind(name, kNameByte);
}

bool is_header_value(std::string_view value) {
  if (value.empty()) return true;
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  return !blank(value.front()) && !blank(value.back()) && all_of_kind(value, kValueByte);
}

void HeaderList::append(std::string_view name, std::string_view value) {
  auto at = static_cast<uint32_t>(bytes_.size());
  bytes_.resize(at + name.size() + value.size());
  std::transform(name.begin(), name.end(), bytes_.begin() + at, [](char c) { return to_lower(c); });
  std::copy(value.begin(), value.end(), bytes_.begin() + at + static_cast<std::ptrdiff_t>(name.size()));
  entries_.push_back({at, static_cast<uint32_t>(name.size()), static_cast<uint32_t>(value.size())});
}

void HeaderList::set(std::string_view name, std::string_view value) {
  // Built anew, because a value in the middle of the buffer cannot grow. Setting is rare.
  HeaderList changed;
  bool placed = false;
  for (auto [old_name, old_value] : *this) {
    if (!same_header_name(old_name, name)) {
      changed.append(old_name, old_value);
    } else if (!placed) {
      changed.append(name, value);
      placed = true;
    }
  }
  if (!placed) changed.append(name, value);
  *this = std::move(changed);
}

void HeaderList::remove(std::string_view name) {
  std::erase_if(entries_, [&](const Entry& entry) {
    return same_header_name(std::string_view(bytes_).substr(entry.name_at, entry.name_size), name);
  });
}

void HeaderList::clear() {
  bytes_.clear();
  entries_.clear();
}

std::optional<std::string_view> HeaderList::get(std::string_view name) const {
  for (auto header : *this) {
    if (same_header_name(header.name, name)) return header.value;
  }
  return std::nullopt;
}

size_t HeaderList::count(std::string_view name) const {
  size_t found = 0;
  for (auto header : *this) found += same_header_name(header.name, name) ? 1 : 0;
  return found;
}

void Request::clear() {
  method.clear();
  target.clear();
  url.clear();
  scheme.clear();
  authority.clear();
  id.clear();
  hops = 0;
  headers.clear();
}

}  // namespace valor::core
