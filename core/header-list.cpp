#include "core/header-list.h"

#include <algorithm>
#include <utility>

#include "core/message.h"

namespace valor::core {

namespace {

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

bool same_header_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool is_header_name(std::string_view name) {
  // https://www.rfc-editor.org/rfc/rfc9110#name-tokens
  static constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kSymbols.find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view value) {
  // https://www.rfc-editor.org/rfc/rfc9110#name-field-values
  if (value.empty()) return true;
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (blank(value.front()) || blank(value.back())) return false;
  return std::none_of(value.begin(), value.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

void HeaderList::append(std::string_view name, std::string_view value) {
  auto at = static_cast<uint32_t>(bytes_.size());
  bytes_.resize(at + name.size() + value.size());
  std::transform(name.begin(), name.end(), bytes_.begin() + at, to_lower);
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
  headers.clear();
}

}  // namespace valor::core
