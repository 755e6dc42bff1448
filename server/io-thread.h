// An I/O thread accepts connections, reads their first request and answers what no plug-in is needed for.
#pragma once

#include <memory>
#include <thread>

#include "http/handler.h"
#include "net/event-loop.h"
#include "net/listener.h"

namespace valor::server {

class IoThread final : private net::EventHandler {
 public:
  static core::Result<std::unique_ptr<IoThread>> create(net::Listener& listener, http::Shared& shared);
  /// Closes its connections and joins.
  ~IoThread();

  net::EventLoop& loop() { return *loop_; }
  /// Starts the thread. Once.
  void start();
  /// Takes no further connection. Any thread.
  void stop_accepting();

 private:
  IoThread(net::Listener& listener, http::Shared& shared) : listener_(listener), shared_(shared) {}
  void on_events(uint32_t events) override;
  void listen();

  net::Listener& listener_;
  http::Shared& shared_;
  std::unique_ptr<net::EventLoop> loop_;
  net::EventLoop::Watch watch_ = 0;
  bool accepting_ = true;
  std::thread thread_;
};

}  // namespace valor::server
