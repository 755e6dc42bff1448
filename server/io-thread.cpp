#include "server/io-thread.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "http/connection.h"

namespace valor::server {

namespace {

constexpr int kAcceptsPerTurn = 64;
// How long to leave the listener alone when there are no descriptors left.
constexpr uint64_t kPauseMs = 100;

constexpr std::string_view kTooMany =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: 106\r\n"
    "retry-after: 1\r\nconnection: close\r\n\r\n"
    R"({"type":"about:blank","title":"Service Unavailable","status":503,"detail":"too many connections are open"})";
static_assert(kTooMany.size() - (kTooMany.find("\r\n\r\n") + 4) == 106);

}  // namespace

core::Result<std::unique_ptr<IoThread>> IoThread::create(net::Listener& listener, http::Shared& shared) {
  auto loop = net::EventLoop::create();
  if (!loop) return loop.error();
  std::unique_ptr<IoThread> io(new IoThread(listener, shared));
  io->loop_ = std::move(*loop);
  return io;
}

IoThread::~IoThread() {
  if (!thread_.joinable()) return;
  loop_->stop();
  thread_.join();
  auto turn = loop_->take_turn();
  loop_->close();
  loop_->evacuate();
  loop_->end_turn();
}

void IoThread::start() {
  {
    auto turn = loop_->take_turn();
    listen();
  }
  thread_ = std::thread([this] { loop_->run(nullptr); });
}

void IoThread::listen() {
  // Of the threads that share the listener, one wakes for each connection.
  if (accepting_ && watch_ == 0) watch_ = loop_->watch(listener_.fd(), EPOLLIN | EPOLLEXCLUSIVE, *this);
}

void IoThread::stop_accepting() {
  loop_->post([this] {
    accepting_ = false;
    if (watch_ != 0) loop_->unwatch(std::exchange(watch_, 0), listener_.fd());
  });
}

void IoThread::on_events(uint32_t) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const int fd = accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        shared_.log.write(core::LogLevel::kWarn, "server",
                          std::string("cannot accept connections: ") + strerror(errno) +
                              "; raise the limit of open files (ulimit -n) or lower --max-connections");
        loop_->unwatch(std::exchange(watch_, 0), listener_.fd());
        loop_->start_timer(kPauseMs, [this] { listen(); });
      }
      // EAGAIN: all are accepted. Others concern one connection that is gone already.
      return;
    }
    if (shared_.connections >= shared_.limits.max_connections) {
      (void)!send(fd, kTooMany.data(), kTooMany.size(), MSG_NOSIGNAL);
      ::close(fd);
      continue;
    }
    http::Connection::open(fd, *loop_, shared_);
  }
}

}  // namespace valor::server
