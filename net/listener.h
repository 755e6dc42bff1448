// A listening TCP socket, shared by the loops that accept from it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"

namespace valor::net {

class Listener {
 public:
  /// Listens on `host` (a name or an address, IPv6 in brackets or bare) and `port` (0: the system chooses).
  static core::Result<std::unique_ptr<Listener>> open(const std::string& host, uint16_t port);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Refuses connections from now on, also those that wait to be accepted. Any thread.
  void close();

  /// Owned by the listener, non-blocking.
  int fd() const { return fd_; }
  /// As bound.
  uint16_t port() const { return port_; }

 private:
  Listener(int fd, uint16_t port) : fd_(fd), port_(port) {}
  int fd_;
  uint16_t port_;
};

/// Whether `host` names only this machine: a loopback address, or a name that resolves to nothing else.
bool is_loopback(const std::string& host);

}  // namespace valor::net
