// The requests that a plug-in makes: fetch() of one instance, over its network (plugins/outgoing). Redirects and all
// other rules of the standard are in web/fetch/fetching.ts; here a request is one exchange with one server.
//
// Their news may come on a stand-in's thread, where no plug-in code can run. They are kept with the request, and
// the instance's own thread delivers them to JavaScript (deliver). A response's body is taken from there by whoever
// reads it; when nobody does, the other side is made to wait.
#pragma once

#include <v8.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "host/guest.h"
#include "plugins/outgoing/network.h"

namespace valor::plugins::js {

class JsGuest;

class Outgoing {
 public:
  explicit Outgoing(JsGuest& guest);
  /// Inside the turn. Cancels everything.
  ~Outgoing();

  // --- inside the turn ---

  bool has_news() const { return !news_.empty(); }
  /// Runs plug-in code for what is new.
  void deliver();
  /// Nobody waits for the call any more: what was fetched for it alone fails.
  void drop(host::CallId call);

  // --- called by plug-in code, outside the turn; web/natives.ts says what they do ---

  using Info = v8::FunctionCallbackInfo<v8::Value>;
  void start(const Info& info);
  void read(const Info& info);
  void write(const Info& info);
  void cancel(const Info& info);

 private:
  class Fetch;

  Fetch* find(v8::Local<v8::Value> id);
  void call_hook(Fetch& fetch, const v8::Global<v8::Function>& hook, int count, v8::Local<v8::Value>* arguments);
  void tell(uint32_t id);
  /// Where all connections are taken: finds the responses that the plug-in has dropped unread.
  void find_dropped();

  JsGuest& guest_;
  const std::unique_ptr<outgoing::Network> network_;
  std::unordered_map<uint32_t, std::unique_ptr<Fetch>> fetches_;  // destroyed before the network
  std::vector<uint32_t> news_;
  uint32_t last_id_ = 0;
  uint32_t next_search_ = 0;  // for what was dropped: not before this id
  v8::Global<v8::Function> on_head_;
  v8::Global<v8::Function> on_readable_;
  v8::Global<v8::Function> on_wanted_;
  v8::Global<v8::Function> on_failed_;
};

}  // namespace valor::plugins::js
