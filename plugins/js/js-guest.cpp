#include "plugins/js/js-guest.h"

#include <utility>

#include "engine/script-error.h"
#include "plugins/js/fetch-style.h"
#include "plugins/js/message-style.h"

namespace valor::plugins::js {

namespace {

constexpr const char* kNoStyle =
    "the script answers no requests: it must set onmessage (or listen to \"message\"), listen to \"fetch\", or be a "
    "module whose default export has a fetch function";

}  // namespace

std::unique_ptr<host::Guest> JsKind::create(host::GuestContext& context) {
  return std::make_unique<JsGuest>(context, options_, stock_, hub_);
}

JsGuest::~JsGuest() {
  {
    std::lock_guard lock(interrupt_mutex_);
    interruptible_ = nullptr;
  }
  style_.reset();
  outgoing_.reset();
  broadcasting_.reset();
  if (isolate_ == nullptr) return;
  loading_.Reset();
  entry_module_.Reset();
  // A large heap takes a while.
  net::EventLoop::Outside outside(context_.loop());
  modules_.reset();
  isolate_.reset();
}

void JsGuest::start() {
  state_ = State::kStarting;
  const core::Definition& definition = context_.definition();
  engine::IsolateTenant tenant;
  tenant.log = &context_.log();
  tenant.name = definition.name;
  tenant.location = context_.location();
  tenant.config = definition.config;
  tenant.wake = [loop = &context_.loop()] { loop->wake(); };
  tenant.owner = this;
  fatal_guard_ = std::make_unique<engine::FatalGuard>([this] {
    if (broadcasting_ != nullptr) broadcasting_->leave();
    const uint32_t limit = context_.definition().limits.memory_mb;
    context_.lost(
        {.detail = "The plug-in asked for more memory in one piece than the engine can give, and was stopped.",
         .limit = "memory_mb",
         .limit_value = limit});
  });
  core::Result<std::unique_ptr<engine::Isolate>> made = core::Error{};
  {
    net::EventLoop::Outside outside(context_.loop());
    made = stock_.take(options_.blueprint(definition.limits));
  }
  if (!made) return fail_start(made.error().message);
  isolate_ = std::move(made).value();
  isolate_->move_in(std::move(tenant));
  modules_ = std::make_unique<engine::ModuleLoader>(isolate_->v8(), options_.strip);
  {
    std::lock_guard lock(interrupt_mutex_);
    interruptible_ = isolate_.get();
    if (interrupted_) isolate_->terminate();
  }
  run(0, [&] {
    v8::Isolate* isolate = isolate_->v8();
    v8::Local<v8::Context> context = isolate_->context();
    v8::TryCatch guard(isolate);
    engine::ModuleLoader::Entry entry;
    if (isolate_->dead()) return;
    if (definition.fetch == core::FetchRules::kBrowser) {
      (void)isolate_->call(isolate_->hook("useBrowserFetch"), 0, nullptr);
    }
    if (modules_->run_entry(context, definition.url, definition.root, {definition.integrity, definition.url})
            .To(&entry)) {
      if (entry.module.IsEmpty()) return;
      entry.settled->MarkAsHandled();
      entry_module_.Reset(isolate, entry.module);
      loading_.Reset(isolate, entry.settled);
    } else if (!guard.HasTerminated()) {
      load_error_ = engine::describe_exception(context, guard.Exception(), guard.Message());
    }
  });
}

void JsGuest::after_run() {
  for (const auto& error : isolate_->take_uncaught()) {
    host::CallId id = call_of(error.activity);
    if (style_ != nullptr && id != 0 && context_.find(id) != nullptr && style_->fails_on_uncaught(id)) {
      fail_call(id, "The plug-in threw an error while it handled this request.", "uncaught " + error.text);
    } else {
      log(core::LogLevel::kError, "uncaught " + error.text);
    }
  }
  if (state_ == State::kOver) return;
  if (isolate_->dead()) return give_up();
  if (state_ == State::kStarting) finish_loading();
}

void JsGuest::finish_loading() {
  if (!load_error_.empty()) return fail_start(std::move(load_error_));
  v8::HandleScope handles(isolate_->v8());
  if (!loading_.IsEmpty()) {
    v8::Local<v8::Promise> loading = loading_.Get(isolate_->v8());
    if (loading->State() == v8::Promise::kPending) return;
    if (loading->State() == v8::Promise::kRejected) {
      std::string text;
      {
        net::EventLoop::Outside outside(context_.loop());
        v8::Local<v8::Value> reason = loading->Result();
        text = engine::describe_exception(isolate_->context(), reason,
                                          v8::Exception::CreateMessage(isolate_->v8(), reason));
      }
      return fail_start(std::move(text));
    }
    loading_.Reset();
  }
  choose_style();
}

void JsGuest::choose_style() {
  v8::Isolate* isolate = isolate_->v8();
  std::string choice;
  {
    net::EventLoop::Outside outside(context_.loop());
    v8::Local<v8::Value> argument = v8::Undefined(isolate);
    if (!entry_module_.IsEmpty()) argument = entry_module_.Get(isolate)->GetModuleNamespace();
    v8::Local<v8::Value> result;
    if (isolate_->call(isolate_->hook("chooseStyle"), 1, &argument).ToLocal(&result)) {
      choice = engine::to_utf8(isolate, result);
    }
  }
  std::string error;
  for (const auto& uncaught : isolate_->take_uncaught()) error = uncaught.text;
  if (isolate_->dead()) return give_up();
  if (!error.empty()) return fail_start(error);
  if (choice == "message") {
    auto style = std::make_unique<MessageStyle>(*this);
    message_style_ = style.get();
    style_ = std::move(style);
  } else if (choice == "module" || choice == "service-worker") {
    auto style = std::make_unique<FetchStyle>(*this);
    fetch_style_ = style.get();
    style_ = std::move(style);
  } else {
    return fail_start(kNoStyle);
  }
  state_ = State::kReady;
  context_.ready();
}

void JsGuest::fail_start(std::string message) {
  state_ = State::kOver;
  context_.start_failed(std::move(message));
}

void JsGuest::give_up() {
  const bool starting = state_ == State::kStarting;
  state_ = State::kOver;
  const core::Limits& limits = context_.definition().limits;
  host::Breakdown breakdown;
  if (isolate_->memory().tripped()) {
    breakdown.detail = "The plug-in used more memory than its limit allows.";
    breakdown.limit = "memory_mb";
    breakdown.limit_value = limits.memory_mb;
  } else {
    breakdown.detail = "The plug-in computed for longer than its limit allows and was stopped.";
  }
  if (!starting) return context_.broken(std::move(breakdown));
  fail_start(breakdown.limit.empty()
                 ? "loading took too long and was stopped (timeout_ms " + std::to_string(limits.timeout_ms) + ")"
                 : "loading used more memory than its limit allows (memory_mb " + std::to_string(limits.memory_mb) +
                       ")");
}

void JsGuest::break_down(host::Breakdown breakdown) {
  state_ = State::kOver;
  context_.broken(std::move(breakdown));
}

host::CallId JsGuest::call_of(uint32_t activity) const {
  // An activity is the lower half of the id of a call, and no call is four thousand million calls old.
  if (activity == 0) return 0;
  host::CallId id = (newest_call_ & ~host::CallId{UINT32_MAX}) | activity;
  return id > newest_call_ ? id - (host::CallId{1} << 32) : id;
}

void JsGuest::fail_call(host::CallId id, const std::string& detail, const std::string& log_text) {
  log(core::LogLevel::kError, log_text);
  if (style_ != nullptr) style_->failed(id);
  if (host::Call* call = context_.find(id)) call->fail({.status = 500, .detail = detail});
}

void JsGuest::handle(host::Call& call) {
  if (state_ != State::kReady) return;
  newest_call_ = call.id();
  style_->handle(call);
}

void JsGuest::body_ready(host::Call& call) {
  if (state_ == State::kReady) style_->body_ready(call);
}

void JsGuest::writable(host::Call& call) {
  if (state_ == State::kReady) style_->writable(call);
}

void JsGuest::dropped(host::CallId id, host::DropReason reason) {
  if (outgoing_ != nullptr) outgoing_->drop(id);
  if (state_ == State::kReady) style_->dropped(id, reason);
}

Outgoing& JsGuest::outgoing() {
  if (outgoing_ == nullptr) outgoing_ = std::make_unique<Outgoing>(*this);
  return *outgoing_;
}

Broadcasting& JsGuest::broadcasting() {
  if (broadcasting_ == nullptr) broadcasting_ = std::make_unique<Broadcasting>(*this, hub_);
  return *broadcasting_;
}

bool JsGuest::work() {
  if (state_ == State::kOver || isolate_ == nullptr) return false;
  bool more = false;
  if (isolate_->dead()) {
    give_up();
  } else if (isolate_->wait_ms() == 0) {
    {
      net::EventLoop::Outside outside(context_.loop());
      more = isolate_->run_due();
    }
    after_run();
  }
  if (outgoing_ != nullptr && state_ != State::kOver) outgoing_->deliver();
  if (broadcasting_ != nullptr && state_ != State::kOver) broadcasting_->deliver();
  if (state_ == State::kReady) style_->work();
  return more && state_ != State::kOver;
}

int JsGuest::wait_ms() {
  if (state_ == State::kOver || isolate_ == nullptr) return -1;
  if (outgoing_ != nullptr && outgoing_->has_news()) return 0;
  if (broadcasting_ != nullptr && broadcasting_->has_mail()) return 0;
  return isolate_->wait_ms();
}

void JsGuest::probe() {
  std::lock_guard lock(interrupt_mutex_);
  if (interruptible_ != nullptr) interruptible_->request_memory_check();
}

bool JsGuest::interrupt() {
  std::lock_guard lock(interrupt_mutex_);
  interrupted_ = true;
  if (interruptible_ != nullptr) interruptible_->terminate();
  return true;
}

}  // namespace valor::plugins::js
