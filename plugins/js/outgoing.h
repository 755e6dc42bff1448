// The requests that a plug-in makes: fetch() of one instance, over client::CurlClient on the instance's loop, or in
// memory (loopback/) where the server itself is asked. Redirects and all other rules of the standard are in
// web/fetch/fetch.ts; here a request is one exchange with one server.
//
// Their news may come on a stand-in's thread, where no plug-in code can run. They are kept with the request, and
// the instance's own thread delivers them to JavaScript (deliver). A response's body is taken from there by whoever
// reads it; when nobody does, the other side is made to wait.
#pragma once

#include <v8.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "client/curl-client.h"
#include "host/guest.h"
#include "loopback/transfer.h"

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
  /// Starts the exchange; what keeps it from starting is news of it.
  void send(Fetch& fetch, client::ClientRequest request);
  /// In memory, where that is this server and may be reached. Returns whether it is.
  bool send_inside(Fetch& fetch, const client::ClientRequest& request);
  void call_hook(Fetch& fetch, const v8::Global<v8::Function>& hook, int count, v8::Local<v8::Value>* arguments);
  void tell(uint32_t id);
  /// Hands the request to the client, now or when enough others are over.
  void hand_over(Fetch& fetch, client::ClientRequest request);
  void begin(Fetch& fetch, const client::ClientRequest& request);
  /// One of those that the client has is over.
  void give_place();
  /// Where all connections are taken: finds the responses that the plug-in has dropped unread.
  void find_dropped();

  JsGuest& guest_;
  std::unique_ptr<client::CurlClient> client_;
  std::unique_ptr<loopback::Client> inside_;
  std::unordered_map<uint32_t, std::unique_ptr<Fetch>> fetches_;  // destroyed before the clients
  std::vector<uint32_t> news_;
  uint32_t last_id_ = 0;
  size_t active_ = 0;  // the client has them
  std::deque<uint32_t> waiting_;
  net::EventLoop::TimerId waiting_timer_ = 0;
  uint32_t next_search_ = 0;  // for what was dropped: not before this id
  v8::Global<v8::Function> on_head_;
  v8::Global<v8::Function> on_readable_;
  v8::Global<v8::Function> on_wanted_;
  v8::Global<v8::Function> on_failed_;
};

}  // namespace valor::plugins::js
