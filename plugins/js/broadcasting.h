// The BroadcastChannels of one instance, towards the other instances of its plug-in (plugins/js/broadcast-hub.h). What
// happens among the channels of the instance itself is web/messaging/broadcast-channel.ts alone.
#pragma once

#include <v8.h>

#include <memory>

#include "plugins/js/broadcast-hub.h"

namespace valor::plugins::js {

class JsGuest;

class Broadcasting {
 public:
  Broadcasting(JsGuest& guest, BroadcastHub& hub);
  Broadcasting(const Broadcasting&) = delete;
  Broadcasting& operator=(const Broadcasting&) = delete;

  /// The instance is given up: it gets no mail any more. Its thread, at any moment.
  void leave() { member_->leave(); }

  // --- inside the turn ---

  bool has_mail() const { return member_->has_mail(); }
  /// Runs plug-in code for some of the messages that wait.
  void deliver();

  // --- called by plug-in code, outside the turn; web/natives.ts says what they do ---

  using Info = v8::FunctionCallbackInfo<v8::Value>;
  void open(const Info& info);
  void close(const Info& info);
  void post(const Info& info);

 private:
  void deliver(const BroadcastHub::Letter& letter);

  JsGuest& guest_;
  const std::unique_ptr<BroadcastHub::Member> member_;
  v8::Global<v8::Function> on_broadcast_;
  v8::Global<v8::Function> unpack_;
};

}  // namespace valor::plugins::js
