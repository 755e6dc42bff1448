// The message contract: a request is a "message" event, postMessage() takes its response. Which response belongs to
// which request is decided by core::Correlator.
#pragma once

#include <v8.h>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "core/correlation.h"
#include "net/event-loop.h"
#include "plugins/js/request-strings.h"
#include "plugins/js/response-parts.h"
#include "plugins/js/style.h"

namespace valor::plugins::js {

class JsGuest;

class MessageStyle final : public Style {
 public:
  explicit MessageStyle(JsGuest& guest);
  ~MessageStyle() override;

  void handle(host::Call& call) override;
  void body_ready(host::Call& call) override;
  void writable(host::Call&) override {}
  void dropped(host::CallId id, host::DropReason reason) override;
  void failed(host::CallId id) override;
  bool fails_on_uncaught(host::CallId) override { return true; }
  void work() override;

  // --- called by plug-in code, outside the turn ---

  /// natives.respond (natives.ts)
  void respond(const v8::FunctionCallbackInfo<v8::Value>& info);
  /// natives.refuse
  void refuse(const std::string& why);

 private:
  // A body on its way into memory, or a request that has to wait for its turn.
  struct Incoming {
    bool has_body = false;
    std::string body;
  };

  void collect(host::Call& call);
  /// The request is complete: it goes to the plug-in now or when those before it are done.
  void admit(host::Call& call, Incoming incoming);
  void dispatch(host::Call& call, const Incoming& incoming);
  /// Whether the plug-in had not been given it yet.
  bool forget(host::CallId id);
  /// Gives the instance up when its answers can no longer be told apart.
  bool replace_if_lost();
  /// Those of the hook onMessage. Returns false when the body does not fit into the plug-in's memory.
  bool make_arguments(const core::Request& request, std::string_view id, const Incoming& incoming,
                      v8::LocalVector<v8::Value>& arguments);

  /// Inside the turn: the request that a response belongs to; 0 when it belongs to none, which is logged.
  host::CallId match(std::optional<std::string_view> correlation_id);
  void fail_matched(std::optional<std::string_view> correlation_id, const std::string& why);

  JsGuest& guest_;
  core::Correlator correlator_;
  core::IdSource ids_;
  bool handler_over_ = false;  // the handler that correlator_ was told of has returned
  bool one_at_a_time_ = false;
  std::map<host::CallId, Incoming> collecting_;
  std::deque<std::pair<host::CallId, Incoming>> held_;
  uint64_t buffered_ = 0;  // bytes in the two above
  std::set<net::EventLoop::TimerId> timers_;

  v8::Global<v8::Function> on_message_;
  RequestStrings strings_;

  HeadReader head_;
  std::string text_;  // kept between responses for its memory
};

}  // namespace valor::plugins::js
