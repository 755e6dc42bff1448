// One running JavaScript plug-in: an isolate, the script in it, and the way in which that script wants its requests.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/fatal-guard.h"
#include "engine/isolate.h"
#include "engine/modules.h"
#include "plugins/js/broadcasting.h"
#include "plugins/js/js-kind.h"
#include "plugins/js/outgoing.h"
#include "plugins/js/style.h"

namespace valor::plugins::js {

class FetchStyle;
class MessageStyle;

class JsGuest final : public host::Guest {
 public:
  JsGuest(host::GuestContext& context, const JsKindOptions& options, engine::IsolateStock& stock, BroadcastHub& hub)
      : context_(context), options_(options), stock_(stock), hub_(hub) {}
  ~JsGuest() override;

  static JsGuest* from(v8::Isolate* isolate) {
    engine::Isolate* owner = engine::Isolate::from(isolate);
    return owner != nullptr ? static_cast<JsGuest*>(owner->tenant().owner) : nullptr;
  }

  void start() override;
  void handle(host::Call& call) override;
  void body_ready(host::Call& call) override;
  void writable(host::Call& call) override;
  void dropped(host::CallId id, host::DropReason reason) override;
  bool work() override;
  int wait_ms() override;
  void probe() override;
  bool interrupt() override;

  // --- for the styles ---

  host::GuestContext& context() { return context_; }
  engine::Isolate& isolate() { return *isolate_; }
  bool running() const { return state_ == State::kReady; }
  /// Whether plug-in code may run, be it to load the script.
  bool alive() const { return state_ != State::kOver; }
  /// On whose behalf the code that is running runs; 0: of nobody.
  host::CallId current_call() const { return call_of(isolate_->current_activity()); }
  const JsKindOptions& options() const { return options_; }
  /// Made when first asked for.
  Outgoing& outgoing();
  Broadcasting& broadcasting();
  /// Tells the host that the instance cannot go on.
  void break_down(host::Breakdown breakdown);
  /// nullptr when the script chose another style, or none yet.
  MessageStyle* message_style() { return message_style_; }
  FetchStyle* fetch_style() { return fetch_style_; }

  /// Runs `body` as plug-in code on behalf of a call (0: of none): outside the turn, with handles, and everything that
  /// has to follow. Afterwards the guest may be broken, and any call may be gone.
  template <class Body>
  void run(host::CallId call, Body body);

  /// Fails a call, where it is still there, and logs why.
  void fail_call(host::CallId id, const std::string& detail, const std::string& log_text);
  void log(core::LogLevel level, const std::string& text) {
    context_.log().write(level, context_.definition().name, text);
  }

 private:
  enum class State { kNew, kStarting, kReady, kOver };

  /// Errors that nobody caught, the end of loading, the end of the isolate: what may have come of running code.
  void after_run();
  void finish_loading();
  void choose_style();
  void fail_start(std::string message);
  void give_up();
  host::CallId call_of(uint32_t activity) const;

  host::GuestContext& context_;
  const JsKindOptions& options_;
  engine::IsolateStock& stock_;
  BroadcastHub& hub_;
  State state_ = State::kNew;
  std::unique_ptr<engine::FatalGuard> fatal_guard_;
  std::unique_ptr<engine::Isolate> isolate_;
  std::unique_ptr<engine::ModuleLoader> modules_;
  v8::Global<v8::Module> entry_module_;
  v8::Global<v8::Promise> loading_;
  std::string load_error_;
  std::unique_ptr<Outgoing> outgoing_;
  std::unique_ptr<Broadcasting> broadcasting_;
  std::unique_ptr<Style> style_;
  MessageStyle* message_style_ = nullptr;
  FetchStyle* fetch_style_ = nullptr;
  host::CallId newest_call_ = 0;

  std::mutex interrupt_mutex_;  // guards the two below between threads
  engine::Isolate* interruptible_ = nullptr;
  bool interrupted_ = false;
};

template <class Body>
void JsGuest::run(host::CallId call, Body body) {
  if (state_ == State::kOver) return;
  {
    net::EventLoop::Outside outside(context_.loop());
    v8::HandleScope handles(isolate_->v8());
    isolate_->begin_activity(static_cast<uint32_t>(call));
    body();
    isolate_->checkpoint();
  }
  after_run();
}

}  // namespace valor::plugins::js
