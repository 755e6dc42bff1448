#include "net/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace valor::net {

namespace {

// The system caps this at net.core.somaxconn.
constexpr int kBacklog = 4096;

struct AddressList {
  addrinfo* first = nullptr;
  int error = 0;

  AddressList(std::string host, const std::string& port) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    error = getaddrinfo(host.c_str(), port.c_str(), &hints, &first);
  }
  ~AddressList() {
    if (first != nullptr) freeaddrinfo(first);
  }
  AddressList(const AddressList&) = delete;
  AddressList& operator=(const AddressList&) = delete;
};

uint16_t bound_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

}  // namespace

core::Result<std::unique_ptr<Listener>> Listener::open(const std::string& host, uint16_t port) {
  const AddressList addresses(host, std::to_string(port));
  if (addresses.error != 0) {
    return core::Error{"cannot listen on host '" + host + "': " + gai_strerror(addresses.error)};
  }
  const addrinfo& address = *addresses.first;
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int one = 1;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (fd < 0 || bind(fd, address.ai_addr, address.ai_addrlen) != 0 || listen(fd, kBacklog) != 0) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    std::string message = "cannot listen on " + host + ":" + std::to_string(port) + ": " + strerror(error);
    if (error == EADDRINUSE) message += "; another program uses the port, choose one with --port";
    if (error == EACCES) message += "; ports below 1024 need the right to bind them";
    return core::Error{std::move(message)};
  }
  return std::unique_ptr<Listener>(new Listener(fd, bound_port(fd)));
}

Listener::~Listener() {
  ::close(fd_);
}

// The descriptor stays: other threads may be about to accept from it.
void Listener::close() {
  shutdown(fd_, SHUT_RDWR);
}

bool is_loopback(const std::string& host) {
  const AddressList addresses(host, "0");
  if (addresses.error != 0) return false;
  for (const addrinfo* address = addresses.first; address != nullptr; address = address->ai_next) {
    if (address->ai_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(address->ai_addr);
      if (ntohl(v4->sin_addr.s_addr) >> 24 != 127) return false;
    } else if (address->ai_family == AF_INET6) {
      const auto& v6 = reinterpret_cast<const sockaddr_in6*>(address->ai_addr)->sin6_addr;
      const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127;
      if (!IN6_IS_ADDR_LOOPBACK(&v6) && !mapped) return false;
    }
  }
  return true;
}

}  // namespace valor::net
