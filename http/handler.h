// What http/ needs from the rest of the server, which hands it in: who answers a request, and where to report.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "core/log.h"
#include "core/message.h"
#include "core/problem.h"
#include "http/limits.h"
#include "net/acceptor.h"

namespace valor::http {

/// Thread-safe.
class Handler {
 public:
  /// Gives the request its id and its url, and says who answers it. A place is reserved there: give it up with
  /// release() when the request is not handed over after all. nullptr: nobody; `problem` says why. The pointer is good
  /// for the rest of the turn of `here`, the loop that asks.
  virtual net::Acceptor* route(core::Request& request, net::EventLoop& here, core::Problem& problem) = 0;

  /// The request target that an absolute URL, in the form that the URL Standard serialises it to, has at this server;
  /// nullopt: it is somebody else's.
  virtual std::optional<std::string> target_of(std::string_view url, net::EventLoop& here) = 0;

  /// An id for a request that could not even be routed.
  virtual void identify(core::Request& request, net::EventLoop& here) = 0;

 protected:
  ~Handler() = default;
};

/// What all connections of a server share. Outlives them.
struct Shared {
  Handler& handler;
  core::Log& log;
  Limits limits;
  std::string server_header;  ///< value of the server header

  std::atomic<bool> draining{false};     ///< finish what runs, begin nothing
  std::atomic<uint32_t> connections{0};  ///< open now
};

}  // namespace valor::http
