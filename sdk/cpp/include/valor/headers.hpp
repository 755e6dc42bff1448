// Headers, of requests and of the responses to fetches.
#pragma once

#include <valor.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <valor/text.hpp>

namespace valor {

/// Valid as long as the Request or FetchResponse that it comes from.
struct Header {
  std::string_view name;
  std::string_view value;
};

/// All headers of a head in order, names in lower case: for (valor::Header header : request.headers()) ...
class Headers {
 public:
  /// `head`: the start of a head (valor.h), which lies there as long as this is used. `offset`: of its array of
  /// headers.
  Headers(const char* head, uint32_t offset, uint32_t count) : head_(head), offset_(offset), count_(count) {}

  class Iterator {
   public:
    Iterator(const Headers& headers, uint32_t index) : headers_(headers), index_(index) {}
    Header operator*() const { return headers_.at(index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const Headers& headers_;
    uint32_t index_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, count_}; }
  size_t size() const { return count_; }

  /// The value of the first header of that name (in any case).
  std::optional<std::string_view> find(std::string_view name) const {
    for (const Header header : *this) {
      if (detail::same_name(header.name, name)) return header.value;
    }
    return std::nullopt;
  }

 private:
  Header at(uint32_t index) const {
    valor_header header;
    std::memcpy(&header, head_ + offset_ + index * sizeof(header), sizeof(header));
    return {{head_ + header.name.offset, header.name.size}, {head_ + header.value.offset, header.value.size}};
  }

  const char* head_;
  uint32_t offset_;
  uint32_t count_;
};

namespace detail {

/// Adds a header to a block as the host takes them (valor.h).
inline void append_header(std::string& block, std::string_view name, std::string_view value) {
  const uint32_t sizes[2] = {static_cast<uint32_t>(name.size()), static_cast<uint32_t>(value.size())};
  block.append(reinterpret_cast<const char*>(sizes), sizeof(sizes));
  block.append(name);
  block.append(value);
}

}  // namespace detail
}  // namespace valor
