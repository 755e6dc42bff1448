// A value or the reason why there is none. Expected failures travel as values; exceptions are for bugs.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace valor::core {

/// Why something could not be done. `message` is a sentence for the user: what, where, how to fix it.
struct Error {
  std::string message;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }

  /// Only when ok().
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  T* operator->() { return &value(); }
  T& operator*() & { return value(); }

  /// Only when !ok().
  const Error& error() const { return error_; }

 private:
  std::optional<T> value_;
  Error error_;
};

struct Nothing {};
using Status = Result<Nothing>;

}  // namespace valor::core
