// Ports that no fetch may connect to, because what listens there could take an HTTP request for its own protocol's.
// https://fetch.spec.whatwg.org/#port-blocking
#pragma once

#include <cstdint>

namespace valor::core {

bool is_blocked_port(uint16_t port);

}  // namespace valor::core
