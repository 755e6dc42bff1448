// Somebody who answers requests on a loop of their own: an instance of a plug-in.
#pragma once

#include <memory>

#include "core/exchange.h"
#include "net/event-loop.h"

namespace valor::net {

class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  virtual ~Acceptor() = default;

  /// The loop on which it takes exchanges. It lives as long as the acceptor.
  virtual EventLoop& loop() = 0;
  /// Begins to answer; uses up the place that was reserved. Inside the turn of loop().
  virtual void accept(core::Exchange& exchange) = 0;
  /// Gives up a place that was reserved when the request was routed here. Any thread.
  virtual void release() = 0;
};

}  // namespace valor::net
