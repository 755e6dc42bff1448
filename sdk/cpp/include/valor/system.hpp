// What a handler may ask of the system, on every target alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <valor/instance.hpp>

namespace valor {

/// Microseconds since 1970-01-01T00:00:00Z.
inline uint64_t unix_microseconds() {
  return detail::host->now(VALOR_CLOCK_UNIX);
}

/// Microseconds since some moment; never goes back.
inline uint64_t monotonic_microseconds() {
  return detail::host->now(VALOR_CLOCK_MONOTONIC);
}

/// Fills `buffer` with random bytes fit for secrets. Returns false when the system has none.
[[nodiscard]] inline bool random_bytes(void* buffer, size_t size) {
  return detail::host->random(buffer, size) == VALOR_OK;
}

}  // namespace valor
