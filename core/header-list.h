// A header list: ordered (name, value) pairs, names compared without case, a name may repeat.
// https://fetch.spec.whatwg.org/#concept-header-list
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace valor::core {

/// Whether two header names are the same header. ASCII case is ignored.
bool same_header_name(std::string_view a, std::string_view b);

/// Whether `name` is a field-name (RFC 9110 section 5.1: a token, not empty).
bool is_header_name(std::string_view name);

/// Whether `value` may be sent as a field-value: no NUL, CR or LF, no blank at either end (RFC 9110 section 5.5).
bool is_header_value(std::string_view value);

/// All names and values lie in one buffer, so filling a list that was cleared allocates nothing.
/// Names are stored in lower case. Views that the list hands out live until it is next changed.
class HeaderList {
 public:
  struct Header {
    std::string_view name;
    std::string_view value;
  };

  class Iterator {
   public:
    Iterator(const HeaderList& list, size_t index) : list_(&list), index_(index) {}
    Header operator*() const { return (*list_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const HeaderList* list_;
    size_t index_;
  };

  /// Adds a pair at the end. The pair must be valid (is_header_name, is_header_value); this is not checked here.
  void append(std::string_view name, std::string_view value);

  /// Replaces the value of the first header called `name` and removes its repetitions; appends when there is none.
  void set(std::string_view name, std::string_view value);

  /// Removes every header called `name`.
  void remove(std::string_view name);

  /// Empties the list and keeps its memory.
  void clear();

  /// The value of the first header called `name`.
  std::optional<std::string_view> get(std::string_view name) const;

  /// How many headers are called `name`.
  size_t count(std::string_view name) const;

  bool has(std::string_view name) const { return get(name).has_value(); }
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  Header operator[](size_t index) const {
    const Entry& entry = entries_[index];
    return {std::string_view(bytes_).substr(entry.name_at, entry.name_size),
            std::string_view(bytes_).substr(entry.name_at + entry.name_size, entry.value_size)};
  }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, entries_.size()}; }

 private:
  // The value follows its name at once.
  struct Entry {
    uint32_t name_at;
    uint32_t name_size;
    uint32_t value_size;
  };
  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace valor::core
