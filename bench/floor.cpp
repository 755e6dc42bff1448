// The floor: one thread, epoll, no parsing. Each end of a head that comes in is answered with the same bytes, about as
// many as Valor sends for the same request. What a server needs above this is what it does.
// Usage: bench-floor PORT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\n"
    "content-type: text/plain\r\n"
    "x-correlation-id: 0123456789abcdef-0000000001\r\n"
    "x-valor-plugin: hello\r\n"
    "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "server: valor/0.1.0\r\n"
    "content-length: 10\r\n"
    "\r\n"
    "Hello, GET";

int listen_on(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 1024) != 0) return -1;
  return fd;
}

size_t count_heads(std::string_view data) {
  size_t count = 0;
  for (size_t at = data.find("\r\n\r\n"); at != std::string_view::npos; at = data.find("\r\n\r\n", at + 4)) ++count;
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  const int listener = listen_on(static_cast<uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0));
  if (listener < 0) {
    std::perror("bench-floor: cannot listen");
    return 1;
  }
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  static char buffer[64 * 1024];
  std::string output;
  while (true) {
    epoll_event events[128];
    const int count = epoll_wait(epoll, events, 128, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        const int client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) continue;
        const int one = 1;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        event.data.fd = client;
        epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event);
        continue;
      }
      const ssize_t size = recv(fd, buffer, sizeof buffer, 0);
      if (size <= 0) {
        close(fd);
        continue;
      }
      const size_t heads = count_heads({buffer, static_cast<size_t>(size)});
      output.clear();
      for (size_t head = 0; head < heads; ++head) output += kAnswer;
      if (send(fd, output.data(), output.size(), MSG_NOSIGNAL) < 0) close(fd);
    }
  }
}
