// Putting messages together. In WASM one call for a whole sentence takes a fraction of the code of as many `+`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace valor::core {

/// A text or a number that stands in a sentence. Borrows the text.
class Argument {
 public:
  constexpr Argument(std::string_view text)  // NOLINT(google-explicit-constructor)
      : text_(text.data()), size_(text.size()) {}
  constexpr Argument(const char* text) : Argument(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  Argument(const std::string& text);                                          // NOLINT(google-explicit-constructor)
  constexpr Argument(size_t number) : size_(number) {}                        // NOLINT(google-explicit-constructor)

  bool is_number() const { return text_ == nullptr; }
  size_t number() const { return size_; }
  std::string_view text() const { return {text_, size_}; }

 private:
  const char* text_ = nullptr;
  size_t size_;
};
using Arguments = std::initializer_list<Argument>;

/// Appends `pattern` with each %s replaced by the next argument, and each %q by it as quoted() gives it.
void append_format(std::string& out, const char* pattern, Arguments arguments);
std::string format(const char* pattern, Arguments arguments);

/// `text` as it may stand in a message: in quotes, cut, control characters made visible.
std::string quoted(std::string_view text);

std::string decimal(uint64_t number);

/// In ASCII.
std::string to_lower(std::string_view text);

}  // namespace valor::core
