// How a script wants its requests: as message events, as fetch events, or as calls of its module's fetch function.
#pragma once

#include "host/guest.h"

namespace valor::plugins::js {

/// The part of host::Guest that depends on it; the same rules hold (host/guest.h).
class Style {
 public:
  virtual ~Style() = default;
  virtual void handle(host::Call& call) = 0;
  virtual void body_ready(host::Call& call) = 0;
  virtual void writable(host::Call& call) = 0;
  virtual void dropped(host::CallId id, host::DropReason reason) = 0;
  /// The guest itself has failed the call.
  virtual void failed(host::CallId id) = 0;
  /// An error that nobody caught happened on behalf of the call. Returns whether the call fails with it.
  virtual bool fails_on_uncaught(host::CallId id) = 0;
  /// Inside the turn, when the loop works: what other threads have changed meanwhile.
  virtual void work() {}
};

}  // namespace valor::plugins::js
