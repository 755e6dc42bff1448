// Request ids: every request carries an x-request-id, the client's own where it sent a usable one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/message.h"

namespace valor::core {

/// Makes fresh ids: 32 lower-case hexadecimal digits from a ChaCha8 key stream, so that nobody who sees some can guess
/// others. Give each source a seed of its own from the system's random source: equal seeds make equal ids.
/// Not thread-safe.
class IdSource {
 public:
  using Seed = std::array<uint64_t, 4>;
  static constexpr size_t kIdSize = 32;

  explicit IdSource(const Seed& seed);

  /// Writes kIdSize characters at `out`.
  void write(char* out);
  /// A fresh id as a string.
  std::string make();
  /// 64 random bits.
  uint64_t next_bits();

 private:
  void refill();

  std::array<uint32_t, 8> key_;
  uint64_t counter_ = 0;
  std::array<uint32_t, 16> block_{};
  uint32_t used_ = 16;  // words of block_ that are spent
};

/// Whether a client's id is taken over: 1 to 200 visible ASCII characters.
bool is_acceptable_request_id(std::string_view id);

/// Sets `request.id` to the client's x-request-id when there is exactly one and it is acceptable, else to a fresh one,
/// and makes the header list hold exactly one x-request-id with that value.
void assign_request_id(Request& request, IdSource& ids);

}  // namespace valor::core
