// What one client may use up. Each limit names the attack or accident that it stops.
#pragma once

#include <cstddef>
#include <cstdint>

namespace valor::http {

struct Limits {
  size_t request_line_bytes = 16 * 1024;  ///< endless targets; 414
  size_t header_bytes = 64 * 1024;        ///< endless headers, the request line included; 431
  size_t header_count = 128;              ///< many tiny headers, which cost more than their bytes; 431
  uint64_t body_bytes = 16ull << 30;      ///< endless bodies (they stream, so this is disk and time, not memory); 413
  uint32_t header_timeout_ms = 15'000;    ///< slow-loris: from a request's first byte to the end of its head; 408
  uint32_t body_timeout_ms = 30'000;      ///< a client that stops sending its body, or reading the answer; 408 or close
  uint32_t idle_timeout_ms = 75'000;      ///< idle keep-alive connections; close
  uint32_t max_connections = 10'000;      ///< descriptors; 503
};

}  // namespace valor::http
