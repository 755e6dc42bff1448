#include "plugins/js/broadcasting.h"

#include <string>

#include "engine/script-error.h"
#include "plugins/js/js-guest.h"

namespace valor::plugins::js {

namespace {

// Requests are looked at again after so many, however many more wait.
constexpr int kMessagesPerTurn = 64;

}  // namespace

Broadcasting::Broadcasting(JsGuest& guest, BroadcastHub& hub)
    : guest_(guest),
      member_(hub.join(guest.context().definition().name, [loop = &guest.context().loop()] { loop->wake(); })) {
  engine::Isolate& isolate = guest.isolate();
  v8::HandleScope handles(isolate.v8());
  on_broadcast_.Reset(isolate.v8(), isolate.hook("onBroadcast"));
  unpack_.Reset(isolate.v8(), isolate.hook("unpackPlatformObject"));
}

void Broadcasting::open(const Info& info) {
  member_->open(engine::to_utf8(info.GetIsolate(), info[0]));
}

void Broadcasting::close(const Info& info) {
  member_->close(engine::to_utf8(info.GetIsolate(), info[0]));
}

void Broadcasting::post(const Info& info) {
  const std::string channel = engine::to_utf8(info.GetIsolate(), info[0]);
  if (!member_->has_listeners(channel)) return;
  const auto value = web::serialize(info.GetIsolate()->GetCurrentContext(), info[1], info[2].As<v8::Function>());
  if (value != nullptr) member_->post(channel, value);
}

void Broadcasting::deliver() {
  BroadcastHub::Letter letter;
  for (int count = 0; count < kMessagesPerTurn && guest_.alive() && member_->take(letter); ++count) deliver(letter);
}

void Broadcasting::deliver(const BroadcastHub::Letter& letter) {
  if (letter.value == nullptr) {
    guest_.log(core::LogLevel::kError, "BroadcastChannel \"" + letter.channel +
                                           "\": the instance did not keep up and missed " +
                                           std::to_string(letter.missing) + " messages of other instances");
  }
  guest_.run(0, [&] {
    engine::Isolate& isolate = guest_.isolate();
    v8::Isolate* v8 = isolate.v8();
    v8::Local<v8::Value> arguments[] = {engine::to_v8(v8, letter.channel), v8::Undefined(v8), v8::False(v8)};
    if (letter.value != nullptr) {
      const v8::TryCatch guard(v8);
      if (web::deserialize(isolate.context(), *letter.value, unpack_.Get(v8)).ToLocal(&arguments[1])) {
        arguments[2] = v8::True(v8);
      }
    }
    (void)isolate.call(on_broadcast_.Get(v8), 3, arguments);
  });
}

}  // namespace valor::plugins::js
