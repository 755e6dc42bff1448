// Puts a response's head together from its lines, as libcurl hands them out: interim responses before it and trailers
// after it come the same way and are left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/message.h"

namespace valor::client {

enum class HeadRules {
  kStrict,    ///< fit to be passed on: https://www.rfc-editor.org/rfc/rfc9112
  kTolerant,  ///< also values with control characters other than NUL, CR and LF
  kBrowser,   ///< also, without TLS, a head that ends with the connection
};

class HeadReader {
 public:
  enum class Step { kMore, kComplete, kBroken };

  explicit HeadReader(HeadRules rules = HeadRules::kStrict) : rules_(rules) {}

  /// Takes one line with its line end. kComplete: with this line the head of the final response was there. Lines after
  /// it count for nothing.
  Step feed(std::string_view line);
  /// The connection was closed in order. kComplete: the rules take what there is of a head for all of it.
  Step end();

  bool complete() const { return complete_; }
  /// Why the head is broken; "" where it is not.
  const std::string& problem() const { return problem_; }
  /// Once complete. Moves the head out.
  core::ResponseHead take_head() { return std::move(head_); }
  /// Once complete: the words after the status; HTTP/2 has none.
  const std::string& reason() const { return reason_; }
  /// Once complete: the declared length of the body; none for a chunked one.
  std::optional<uint64_t> length() const { return length_; }

 private:
  Step broken(std::string why);
  Step status_line(std::string_view line);
  Step field_line(std::string_view line);
  Step end_of_head();

  bool is_value(std::string_view value) const;

  HeadRules rules_;
  core::ResponseHead head_;
  std::optional<uint64_t> length_;
  std::string reason_;
  std::string problem_;
  size_t bytes_ = 0;
  bool begun_ = false;
  bool complete_ = false;
};

}  // namespace valor::client
