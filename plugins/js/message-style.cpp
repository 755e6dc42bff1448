#include "plugins/js/message-style.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/script-error.h"
#include "plugins/js/js-guest.h"
#include "plugins/js/response-parts.h"

namespace valor::plugins::js {

namespace {

core::IdSource::Seed random_seed() {
  core::IdSource::Seed seed{};
  // Fails only before the system's random source is set up, long before this runs.
  [[maybe_unused]] ssize_t size = ::getrandom(seed.data(), sizeof seed, 0);
  return seed;
}

}  // namespace

MessageStyle::MessageStyle(JsGuest& guest)
    : guest_(guest), ids_(random_seed()), strings_(guest.isolate().v8()), head_(guest.isolate().v8()) {
  v8::Isolate* isolate = guest_.isolate().v8();
  on_message_.Reset(isolate, guest_.isolate().hook("onMessage"));
}

MessageStyle::~MessageStyle() {
  for (auto timer : timers_) guest_.context().loop().cancel_timer(timer);
}

void MessageStyle::handle(host::Call& call) {
  if (!call.has_body()) return admit(call, {});
  collecting_.emplace(call.id(), Incoming{.has_body = true, .body = {}});
  collect(call);
}

void MessageStyle::body_ready(host::Call& call) {
  collect(call);
}

void MessageStyle::collect(host::Call& call) {
  // Bodies here lie in memory as a whole, outside the plug-in's heap and then inside: these bounds keep one client, and
  // all together, from filling it.
  const uint64_t memory = uint64_t{guest_.context().definition().limits.memory_mb} << 20;
  auto found = collecting_.find(call.id());
  if (found == collecting_.end()) return;
  Incoming& incoming = found->second;
  auto too_large = [&] {
    forget(call.id());
    call.fail({.status = 413,
               .detail = "The request's body is larger than a plug-in that takes messages can hold.",
               .limit = "memory_mb",
               .limit_value = guest_.context().definition().limits.memory_mb});
  };
  if (call.content_length().value_or(0) > memory / 4) return too_large();
  for (;;) {
    core::BodyPiece piece = call.read_body();
    if (piece.status == core::ReadStatus::kWait || piece.status == core::ReadStatus::kFailed) return;
    if (piece.status == core::ReadStatus::kEnd) break;
    if (incoming.body.size() + piece.data.size() > memory / 4) return too_large();
    if (buffered_ + piece.data.size() > memory / 2) {
      forget(call.id());
      return call.fail({.status = 503,
                        .detail = "The plug-in is receiving more than it can hold at once.",
                        .limit = "memory_mb",
                        .limit_value = guest_.context().definition().limits.memory_mb,
                        .retry_after_s = 1});
    }
    incoming.body += piece.data;
    buffered_ += piece.data.size();
  }
  Incoming complete = std::move(incoming);
  buffered_ -= complete.body.size();
  collecting_.erase(found);
  admit(call, std::move(complete));
}

void MessageStyle::admit(host::Call& call, Incoming incoming) {
  if (replace_if_lost()) return;
  core::Next next = correlator_.next();
  if (next == core::Next::kGive && held_.empty()) return dispatch(call, incoming);
  buffered_ += incoming.body.size();
  held_.emplace_back(call.id(), std::move(incoming));
}

bool MessageStyle::replace_if_lost() {
  if (correlator_.next() != core::Next::kReplace) return false;
  guest_.break_down(
      {"The plug-in has not answered an earlier request, so that its answers can no longer be told apart."});
  return true;
}

void MessageStyle::work() {
  if (replace_if_lost()) return;
  while (!held_.empty() && correlator_.next() != core::Next::kHold) {
    auto [id, incoming] = std::move(held_.front());
    held_.pop_front();
    buffered_ -= incoming.body.size();
    host::Call* call = guest_.context().find(id);
    if (call == nullptr) continue;
    dispatch(*call, incoming);
    if (!guest_.running() || replace_if_lost()) return;
  }
}

bool MessageStyle::forget(host::CallId id) {
  auto found = collecting_.find(id);
  if (found != collecting_.end()) {
    buffered_ -= found->second.body.size();
    collecting_.erase(found);
    return true;
  }
  return std::erase_if(held_, [&](const auto& entry) {
           if (entry.first != id) return false;
           buffered_ -= entry.second.body.size();
           return true;
         }) > 0;
}

bool MessageStyle::make_arguments(const core::Request& request, std::string_view id, const Incoming& incoming,
                                  v8::LocalVector<v8::Value>& arguments) {
  v8::Isolate* isolate = guest_.isolate().v8();
  v8::Local<v8::Value> body = v8::Null(isolate);
  if (incoming.has_body) {
    std::unique_ptr<v8::BackingStore> store = v8::ArrayBuffer::NewBackingStore(
        isolate, incoming.body.size(), v8::BackingStoreInitializationMode::kUninitialized,
        v8::BackingStoreOnFailureMode::kReturnNull);
    if (store == nullptr) return false;
    std::memcpy(store->Data(), incoming.body.data(), incoming.body.size());
    body = v8::ArrayBuffer::New(isolate, std::move(store));
  }
  arguments.reserve(4 + 2 * request.headers.size());
  arguments.push_back(v8::Number::New(isolate, guest_.isolate().ms_since_start(guest_.context().loop().now_ms())));
  arguments.push_back(strings_.text(request.url));
  arguments.push_back(strings_.token(request.method));
  arguments.push_back(body);
  for (auto [name, value] : request.headers) {
    arguments.push_back(strings_.token(name));
    arguments.push_back(strings_.text(name == "x-request-id" ? id : value));
  }
  return true;
}

void MessageStyle::dispatch(host::Call& call, const Incoming& incoming) {
  v8::HandleScope handles(guest_.isolate().v8());
  const host::CallId id = call.id();
  const core::Request& request = call.request();
  v8::LocalVector<v8::Value> arguments(guest_.isolate().v8());
  if (!make_arguments(request, correlator_.begin(id, request.id, ids_), incoming, arguments)) {
    guest_.fail_call(id, "The request's body does not fit into the plug-in's memory.",
                     "no memory for a request's body");
    return guest_.run(0, [] {});
  }
  correlator_.enter_handler(id);
  guest_.run(id, [&] {
    (void)guest_.isolate().call(on_message_.Get(guest_.isolate().v8()), static_cast<int>(arguments.size()),
                                arguments.data());
    handler_over_ = true;
  });
  correlator_.leave_handler();
  handler_over_ = false;
}

void MessageStyle::dropped(host::CallId id, host::DropReason reason) {
  // What the plug-in never saw it will not answer.
  if (forget(id)) return;
  if (reason == host::DropReason::kTimeout) {
    correlator_.end(id, core::Ended::kTimedOut);
    // Now, before another request is given to this instance.
    replace_if_lost();
    return;
  }
  correlator_.end(id, core::Ended::kClientGone);
  // The plug-in may still answer it, for as long as it might have before its client left.
  auto timer = std::make_shared<net::EventLoop::TimerId>(0);
  net::EventLoop& loop = guest_.context().loop();
  *timer = loop.start_timer(guest_.context().definition().limits.timeout_ms, [this, id, timer, &loop] {
    timers_.erase(*timer);
    correlator_.expire(id);
    loop.wake();
  });
  timers_.insert(*timer);
}

void MessageStyle::failed(host::CallId id) {
  forget(id);
  correlator_.end(id, core::Ended::kAnswered);
}

void MessageStyle::respond(const v8::FunctionCallbackInfo<v8::Value>& info) {
  v8::Isolate* isolate = info.GetIsolate();
  std::string wrong = head_.read(info[0], info[1].As<v8::String>());
  std::string_view body;
  if (wrong.empty()) body = read_body(isolate, info[2], text_);
  std::optional<std::string_view> correlation_id;
  if (!head_.correlation_id().empty()) correlation_id = head_.correlation_id();

  net::EventLoop::Inside inside(guest_.context().loop());
  if (!wrong.empty()) return fail_matched(correlation_id, wrong);
  host::CallId id = match(correlation_id);
  if (id == 0) return;
  if (host::Call* call = guest_.context().find(id)) call->respond(head_.head(), body);
  correlator_.end(id, core::Ended::kAnswered);
  trim_buffer(text_);
}

void MessageStyle::refuse(const std::string& why) {
  net::EventLoop::Inside inside(guest_.context().loop());
  fail_matched(std::nullopt, why);
}

host::CallId MessageStyle::match(std::optional<std::string_view> correlation_id) {
  if (handler_over_) correlator_.leave_handler();
  const bool named = correlation_id || correlator_.in_handler();
  core::Correlator::Answer answer = correlator_.match(correlation_id, named ? 0 : guest_.current_call());
  if (correlator_.one_at_a_time() && !one_at_a_time_) {
    one_at_a_time_ = true;
    guest_.context().set_one_at_a_time(true);
  }
  if (!held_.empty()) guest_.context().loop().wake();
  if (answer.token == 0) {
    guest_.log(core::LogLevel::kWarn,
               "posted a response that belongs to no request: " + std::string(core::explain(answer.why)));
  }
  return answer.token;
}

void MessageStyle::fail_matched(std::optional<std::string_view> correlation_id, const std::string& why) {
  std::string text = "posted no valid response: " + why;
  host::CallId id = match(correlation_id);
  if (id == 0) return guest_.log(core::LogLevel::kError, text);
  guest_.fail_call(id, "The plug-in's response is not valid: " + why + ".", text);
}

}  // namespace valor::plugins::js
