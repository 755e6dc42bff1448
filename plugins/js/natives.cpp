// The native functions that natives.ts declares.
#include "web/natives.h"

#include "engine/script-error.h"
#include "plugins/js/fetch-style.h"
#include "plugins/js/js-guest.h"
#include "plugins/js/js-kind.h"
#include "plugins/js/message-style.h"

namespace valor::plugins::js {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

// The plug-in's message style, or nullptr, which is logged.
MessageStyle* message_style_of(const Info& info) {
  JsGuest* guest = JsGuest::from(info.GetIsolate());
  if (guest == nullptr) return nullptr;
  if (guest->message_style() == nullptr) {
    guest->log(core::LogLevel::kWarn, "posted a message although no message was sent to it; it was dropped");
  }
  return guest->message_style();
}

void respond(const Info& info) {
  if (!info[1]->IsString()) return;
  if (MessageStyle* style = message_style_of(info)) style->respond(info);
}

void refuse(const Info& info) {
  if (MessageStyle* style = message_style_of(info)) style->refuse(engine::to_utf8(info.GetIsolate(), info[0]));
}

// Calls action(style, call) for a function whose first argument names a call.
template <class Action>
void with_call(const Info& info, Action action) {
  JsGuest* guest = JsGuest::from(info.GetIsolate());
  if (guest == nullptr || guest->fetch_style() == nullptr || !info[0]->IsNumber()) return;
  action(*guest->fetch_style(), static_cast<host::CallId>(info[0].As<v8::Number>()->Value()));
}

void send_response(const Info& info) {
  with_call(info, [&](FetchStyle& style, host::CallId call) { style.send_response(call, info); });
}

void start_response(const Info& info) {
  with_call(info, [&](FetchStyle& style, host::CallId call) { style.start_response(call, info); });
}

void write_body(const Info& info) {
  with_call(info, [&](FetchStyle& style, host::CallId call) { style.write_body(call, info); });
}

void finish_body(const Info& info) {
  with_call(info, [&](FetchStyle& style, host::CallId call) { style.finish_body(call); });
}

void fail_call(const Info& info) {
  with_call(info, [&](FetchStyle& style, host::CallId call) { style.fail_call(call, info); });
}

void read_body(const Info& info) {
  with_call(info, [&](FetchStyle& style, host::CallId call) { style.read_body(call, info); });
}

// Calls action(outgoing) where an instance runs.
template <class Action>
void with_outgoing(const Info& info, Action action) {
  if (JsGuest* guest = JsGuest::from(info.GetIsolate())) action(guest->outgoing());
}

void start_outgoing(const Info& info) {
  if (!info[0]->IsString() || !info[1]->IsString() || !info[2]->IsString()) return;
  with_outgoing(info, [&](Outgoing& outgoing) { outgoing.start(info); });
}

void read_outgoing(const Info& info) {
  with_outgoing(info, [&](Outgoing& outgoing) { outgoing.read(info); });
}

void write_outgoing(const Info& info) {
  with_outgoing(info, [&](Outgoing& outgoing) { outgoing.write(info); });
}

void cancel_outgoing(const Info& info) {
  with_outgoing(info, [&](Outgoing& outgoing) { outgoing.cancel(info); });
}

// Calls action(broadcasting) where an instance runs.
template <class Action>
void with_broadcasting(const Info& info, Action action) {
  if (JsGuest* guest = JsGuest::from(info.GetIsolate())) action(guest->broadcasting());
}

void open_broadcast(const Info& info) {
  with_broadcasting(info, [&](Broadcasting& broadcasting) { broadcasting.open(info); });
}

void close_broadcast(const Info& info) {
  with_broadcasting(info, [&](Broadcasting& broadcasting) { broadcasting.close(info); });
}

void post_broadcast(const Info& info) {
  if (!info[2]->IsFunction()) return;
  with_broadcasting(info, [&](Broadcasting& broadcasting) { broadcasting.post(info); });
}

}  // namespace

void register_js_natives(engine::NativeRegistry& registry) {
  registry.add("respond", respond);
  registry.add("refuse", refuse);
  registry.add("sendResponse", send_response);
  registry.add("startResponse", start_response);
  registry.add("writeBody", write_body);
  registry.add("finishBody", finish_body);
  registry.add("failCall", fail_call);
  registry.add("readBody", read_body);
  registry.add("startOutgoing", start_outgoing);
  registry.add("readOutgoing", read_outgoing);
  registry.add("writeOutgoing", write_outgoing);
  registry.add("cancelOutgoing", cancel_outgoing);
  registry.add("openBroadcast", open_broadcast);
  registry.add("closeBroadcast", close_broadcast);
  registry.add("postBroadcast", post_broadcast);
}

engine::NativeRegistry all_natives() {
  engine::NativeRegistry registry;
  engine::register_engine_natives(registry);
  web::register_web_natives(registry);
  register_js_natives(registry);
  return registry;
}

}  // namespace valor::plugins::js
