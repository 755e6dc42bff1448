// The fetch contracts: the plug-in gets a Request and gives a Response, whose bodies may be streams. Which of the two
// contracts it is, an event or a module's function, is known to fetch-style.ts only.
#pragma once

#include <v8.h>

#include <string>

#include "core/message.h"
#include "plugins/js/request-strings.h"
#include "plugins/js/response-parts.h"
#include "plugins/js/style.h"

namespace valor::plugins::js {

class JsGuest;

class FetchStyle final : public Style {
 public:
  explicit FetchStyle(JsGuest& guest);

  void handle(host::Call& call) override;
  void body_ready(host::Call& call) override;
  void writable(host::Call& call) override;
  void dropped(host::CallId id, host::DropReason reason) override;
  void failed(host::CallId) override {}
  // The answer is what counts: a stray promise that fails does not decide about it.
  bool fails_on_uncaught(host::CallId) override { return false; }

  // --- called by plug-in code, outside the turn; natives.ts says what they do ---

  using Info = v8::FunctionCallbackInfo<v8::Value>;
  void send_response(host::CallId id, const Info& info);
  void start_response(host::CallId id, const Info& info);
  void write_body(host::CallId id, const Info& info);
  void finish_body(host::CallId id);
  void fail_call(host::CallId id, const Info& info);
  void read_body(host::CallId id, const Info& info);

 private:
  /// Calls a hook with a call's id and, where not empty, one more argument.
  void notify(const v8::Global<v8::Function>& hook, host::CallId id, v8::Local<v8::Value> more = {});
  /// Fills head_ from the arguments 1 and 2 of a native function; fails the call when they are wrong.
  bool read_head(host::CallId id, const Info& info);

  JsGuest& guest_;
  RequestStrings strings_;
  v8::Global<v8::Function> on_fetch_;
  v8::Global<v8::Function> on_body_ready_;
  v8::Global<v8::Function> on_writable_;
  v8::Global<v8::Function> on_dropped_;

  // Kept between calls for their memory.
  HeadReader head_;
  std::string text_;
};

/// Whether `url` is already what the URL parser would make of it. Errs on the side of no.
/// https://url.spec.whatwg.org/#concept-url-serializer
bool is_serialized_url(std::string_view scheme, std::string_view authority, std::string_view path_and_query);

}  // namespace valor::plugins::js
