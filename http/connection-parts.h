// What carries requests shares, beside the classes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

namespace valor::http {

/// Requests of one connection that may be under way; a client that pipelines more waits.
inline constexpr size_t kMaxPipelined = 64;
/// How much of a body that nobody reads is swallowed to keep the connection; more closes it.
inline constexpr uint64_t kMaxDiscarded = 256 * 1024;

/// What access logs say where the client left before there was an answer; nginx began it.
inline constexpr uint16_t kClientClosedRequest = 499;

inline uint64_t monotonic_us() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}

/// Empties a buffer, and gives back one that has grown large.
inline void clear_buffer(std::string& buffer) {
  constexpr size_t kKept = 16 * 1024;
  if (buffer.capacity() > kKept) {
    buffer = std::string();
  } else {
    buffer.clear();
  }
}

}  // namespace valor::http
