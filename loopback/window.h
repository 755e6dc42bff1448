// How much of a body is under way between the two ends of a request.
#pragma once

#include <cstddef>
#include <string>

namespace valor::loopback {

/// Bytes that may be sent without having been read. Above it, whoever writes is asked to wait.
inline constexpr size_t kWindow = 256 * 1024;
/// Below it, writing goes on.
inline constexpr size_t kLowWater = 64 * 1024;
/// Reading is told in portions of at least this size, so that small pieces do not wake the other side for each.
inline constexpr size_t kPortion = kLowWater / 2;
/// Bodies are handed over in slices of at most this size.
inline constexpr size_t kSlice = 16 * 1024;

/// What an end of a body is like.
enum class Ending {
  kNone,    ///< more follows
  kWhole,   ///< it is complete
  kBroken,  ///< it broke off
};

}  // namespace valor::loopback
