#include "engine/isolate.h"

#include <pthread.h>

#include <algorithm>
#include <cmath>

#include "engine/icu-memory.h"
#include "engine/modules.h"
#include "engine/script-error.h"
#include "engine/webassembly.h"

namespace valor::engine {

namespace {

// How much of its thread's stack plug-in code may use: what browsers give, and what is left when the thread has less.
constexpr uintptr_t kStackSize = 1 << 20;
// Of the stack of an error in an isolate without the Web platform.
constexpr int kBareStackFrames = 40;
// Kept free at the far end for C++ called by the deepest JavaScript frame.
constexpr uintptr_t kStackReserve = 192 << 10;

// https://html.spec.whatwg.org/multipage/timers-and-user-prompts.html: a delay is a signed 32-bit number.
constexpr double kLongestDelay = 2147483647;

uintptr_t stack_limit_of_this_thread() {
  auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  uintptr_t lowest = here - kStackSize;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    void* start = nullptr;
    size_t size = 0;
    if (pthread_attr_getstack(&attributes, &start, &size) == 0) {
      lowest = std::max(lowest, reinterpret_cast<uintptr_t>(start) + kStackReserve);
    }
    pthread_attr_destroy(&attributes);
  }
  return lowest;
}

}  // namespace

core::Result<std::unique_ptr<Isolate>> Isolate::make(const IsolateBlueprint& blueprint) {
  std::unique_ptr<Isolate> self(new Isolate(blueprint));
  self->memory_ = std::make_shared<MemoryLimit>(blueprint.memory_bytes);
  self->tasks_ = std::make_shared<TaskQueue>();
  self->delegate_ = std::make_unique<TaskQueueDelegate>(self->tasks_);

  v8::Isolate* isolate = v8::Isolate::Allocate();
  self->isolate_ = isolate;
  blueprint.platform->RegisterIsolate(isolate, self->delegate_.get());
  v8::Isolate::CreateParams params;
  if (blueprint.snapshot != nullptr) {
    params.snapshot_blob = blueprint.snapshot->blob();
    params.external_references = blueprint.snapshot->external_references();
  }
  params.array_buffer_allocator_shared = self->memory_;
  self->memory_->configure(params.constraints);
  v8::Isolate::Initialize(isolate, params);
  const v8::Isolate::Scope entered(isolate);
  isolate->SetData(kDataSlot, self.get());
  isolate->SetMicrotasksPolicy(v8::MicrotasksPolicy::kExplicit);
  isolate->SetCaptureStackTraceForUncaughtExceptions(true, 10);
  isolate->SetPromiseRejectCallback(on_promise_reject);
  isolate->AddMessageListener(on_message);
  ModuleLoader::install(isolate);
  install_wasm_streaming(isolate);
  self->memory_->attach(isolate);

  v8::HandleScope handles(isolate);
  v8::Local<v8::Context> context = v8::Context::New(isolate);
  context->Enter();
  self->context_.Reset(isolate, context);
  if (blueprint.snapshot == nullptr) {
    // Those of a panic hide what led to it.
    v8::Local<v8::Value> error;
    if (!context->Global()->Get(context, to_v8_name(isolate, "Error")).ToLocal(&error) ||
        error.As<v8::Object>()
            ->Set(context, to_v8_name(isolate, "stackTraceLimit"), v8::Integer::New(isolate, kBareStackFrames))
            .IsNothing()) {
      return core::Error{"V8's own startup snapshot has no Error"};
    }
    return self;
  }
  v8::Local<v8::Object> hooks;
  if (!context->GetDataFromSnapshotOnce<v8::Object>(0).ToLocal(&hooks)) {
    return core::Error{"the startup snapshot holds no platform; build it again"};
  }
  self->hooks_.Reset(isolate, hooks);
  v8::Local<v8::Function> made = self->hook("onContextMade");
  if (!made.IsEmpty() && made->Call(context, v8::Undefined(isolate), 0, nullptr).IsEmpty()) {
    return core::Error{"the platform in the startup snapshot cannot begin; build it again"};
  }
  self->on_timer_.Reset(isolate, self->hook("onTimer"));
  self->on_unhandled_rejection_.Reset(isolate, self->hook("onUnhandledRejection"));
  self->wasm_memory_.watch(context);
  return self;
}

void Isolate::move_in(IsolateTenant tenant) {
  tenant_ = std::move(tenant);
  occupied_ = true;
  start_ = Clock::now();
  time_origin_ms_ =
      std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch()).count();
  tasks_->set_wake(tenant_.wake);
  isolate_->Enter();
  isolate_->SetStackLimit(stack_limit_of_this_thread());
  count_icu_memory_of_this_thread(&memory_->native_bytes());
}

Isolate::~Isolate() {
  if (isolate_ == nullptr) return;
  if (!occupied_) isolate_->Enter();
  {
    v8::HandleScope handles(isolate_);
    if (!context_.IsEmpty()) context()->Exit();
    wasm_memory_.forget();
    rejections_.Reset();
    on_timer_.Reset();
    on_unhandled_rejection_.Reset();
    hooks_.Reset();
    context_.Reset();
  }
  v8::Isolate* isolate = isolate_;
  {
    std::lock_guard lock(terminate_mutex_);
    isolate_ = nullptr;
  }
  tasks_->close();
  memory_->detach();
  if (occupied_) count_icu_memory_of_this_thread(nullptr);
  isolate->SetData(kDataSlot, nullptr);
  isolate->Exit();
  blueprint_.platform->DisposeIsolate(isolate);
}

v8::Local<v8::Function> Isolate::hook(const char* name) const {
  if (hooks_.IsEmpty()) return {};
  v8::EscapableHandleScope handles(isolate_);
  v8::Local<v8::Value> value;
  if (!hooks_.Get(isolate_)->Get(context(), to_v8_name(isolate_, name)).ToLocal(&value) || !value->IsFunction()) {
    return {};
  }
  return handles.Escape(value.As<v8::Function>());
}

v8::MaybeLocal<v8::Value> Isolate::call(v8::Local<v8::Function> function, int count, v8::Local<v8::Value>* arguments) {
  if (dead()) return {};
  // What it throws comes to on_message().
  return function->Call(context(), v8::Undefined(isolate_), count, arguments);
}

void Isolate::checkpoint() {
  if (dead()) return;
  isolate_->PerformMicrotaskCheckpoint();
  if (!rejections_.IsEmpty()) report_rejections();
  if (wasm_memory_.in_use()) check_wasm_memory();
}

void Isolate::check_wasm_memory() {
  if (dead()) return;
  v8::HandleScope handles(isolate_);
  memory_->set_wasm_bytes(wasm_memory_.bytes(context(), memory_->limit()));
}

void Isolate::report_rejections() {
  // https://html.spec.whatwg.org/multipage/webappapis.html#notify-about-rejected-promises
  v8::HandleScope handles(isolate_);
  v8::Local<v8::Array> rejections = rejections_.Get(isolate_);
  rejections_.Reset();
  for (uint32_t at = 0; at + 2 < rejections->Length() && !dead(); at += 3) {
    v8::HandleScope scope(isolate_);
    v8::Local<v8::Value> promise;
    v8::Local<v8::Value> reason;
    v8::Local<v8::Value> number;
    if (!rejections->Get(context(), at).ToLocal(&promise) || !rejections->Get(context(), at + 1).ToLocal(&reason) ||
        !rejections->Get(context(), at + 2).ToLocal(&number)) {
      return;
    }
    if (promise.As<v8::Promise>()->HasHandler()) continue;
    const uint32_t activity = number.As<v8::Uint32>()->Value();
    if (!on_unhandled_rejection_.IsEmpty()) {
      begin_activity(activity);
      v8::Local<v8::Value> arguments[] = {promise, reason};
      v8::Local<v8::Value> prevented;
      if (!call(on_unhandled_rejection_.Get(isolate_), 2, arguments).ToLocal(&prevented) && dead()) return;
      if (!prevented.IsEmpty() && prevented->IsTrue()) continue;
    }
    if (!keeps_uncaught(activity)) continue;
    v8::Local<v8::Message> message = v8::Exception::CreateMessage(isolate_, reason);
    uncaught_.push_back({"(in promise) " + describe_exception(context(), reason, message), activity});
  }
}

bool Isolate::run_due() {
  if (dead()) return false;
  v8::HandleScope handles(isolate_);
  if (tasks_->run_due()) {
    begin_activity(0);
    checkpoint();
  }
  run_timers();
  return !dead() && wait_ms() == 0;
}

void Isolate::run_timers() {
  // Timers that these ones start wait for the next turn.
  Clock::time_point now = Clock::now();
  while (!dead() && !timer_order_.empty() && timer_order_.begin()->first <= now) {
    uint32_t id = timer_order_.begin()->second;
    timer_order_.erase(timer_order_.begin());
    auto timer = timers_.find(id);
    begin_activity(timer->second.activity);
    timers_.erase(timer);
    v8::HandleScope handles(isolate_);
    v8::Local<v8::Value> argument = v8::Integer::NewFromUnsigned(isolate_, id);
    (void)call(on_timer_.Get(isolate_), 1, &argument);
    checkpoint();
  }
}

int Isolate::wait_ms() {
  if (dead()) return -1;
  int wait = tasks_->wait_ms();
  if (timer_order_.empty()) return wait;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(timer_order_.begin()->first - Clock::now()).count();
  int timer_wait = static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000));
  return wait < 0 ? timer_wait : std::min(wait, timer_wait);
}

void Isolate::begin_activity(uint32_t activity) {
  isolate_->SetContinuationPreservedEmbedderDataV2(v8::Integer::NewFromUnsigned(isolate_, activity));
}

// What V8 preserves is the activity's number, or a pair of that and a state.
namespace {

v8::Local<v8::Value> preserved(v8::Isolate* isolate, uint32_t part) {
  v8::Local<v8::Data> data = isolate->GetContinuationPreservedEmbedderDataV2();
  if (data.IsEmpty() || !data->IsValue()) return {};
  v8::Local<v8::Value> value = data.As<v8::Value>();
  if (!value->IsArray()) return part == 0 ? value : v8::Local<v8::Value>();
  if (!value.As<v8::Array>()->Get(isolate->GetCurrentContext(), part).ToLocal(&value)) return {};
  return value;
}

}  // namespace

uint32_t Isolate::current_activity() const {
  v8::HandleScope handles(isolate_);
  v8::Local<v8::Value> activity = preserved(isolate_, 0);
  return !activity.IsEmpty() && activity->IsUint32() ? activity.As<v8::Uint32>()->Value() : 0;
}

void Isolate::begin_activity(uint32_t activity, v8::Local<v8::Value> state) {
  v8::HandleScope handles(isolate_);
  v8::Local<v8::Value> pair[] = {v8::Integer::NewFromUnsigned(isolate_, activity), state};
  isolate_->SetContinuationPreservedEmbedderDataV2(v8::Array::New(isolate_, pair, 2));
}

v8::Local<v8::Value> Isolate::activity_state() const {
  return preserved(isolate_, 1);
}

std::vector<UncaughtError> Isolate::take_uncaught() {
  std::vector<UncaughtError> errors;
  errors.swap(uncaught_);
  if (suppressed_ > 0) {
    const std::string text = "(" + std::to_string(suppressed_) + " more errors that are not shown)";
    for (const uint32_t activity : suppressed_for_) errors.push_back({text, activity});
    suppressed_ = 0;
    suppressed_for_.clear();
  }
  return errors;
}

bool Isolate::keeps_uncaught(uint32_t activity) {
  if (uncaught_.size() < kMaxUncaught) return true;
  ++suppressed_;
  suppressed_for_.insert(activity);
  return false;
}

void Isolate::add_uncaught(v8::Local<v8::Value> exception, v8::Local<v8::Message> message) {
  v8::HandleScope handles(isolate_);
  uint32_t activity = current_activity();
  if (!keeps_uncaught(activity)) return;
  uncaught_.push_back({describe_exception(context(), exception, message), activity});
}

void Isolate::terminate() {
  std::lock_guard lock(terminate_mutex_);
  terminated_.store(true);
  if (isolate_ != nullptr) isolate_->TerminateExecution();
}

void Isolate::request_memory_check() {
  std::lock_guard lock(terminate_mutex_);
  if (isolate_ == nullptr) return;
  isolate_->RequestInterrupt(
      [](v8::Isolate* isolate, void*) {
        Isolate* self = from(isolate);
        if (self == nullptr || self->dead()) return;
        self->check_wasm_memory();
        if (!self->dead()) self->memory_->check();
      },
      nullptr);
}

void Isolate::set_timer(uint32_t id, double milliseconds) {
  clear_timer(id);
  double delay = milliseconds >= 0 ? std::min(milliseconds, kLongestDelay) : 0;
  auto due = Clock::now() + std::chrono::microseconds(static_cast<int64_t>(delay * 1000));
  timers_[id] = {due, current_activity()};
  timer_order_.emplace(due, id);
}

void Isolate::clear_timer(uint32_t id) {
  auto timer = timers_.find(id);
  if (timer == timers_.end()) return;
  timer_order_.erase({timer->second.due, id});
  timers_.erase(timer);
}

double Isolate::now_ms() const {
  return std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
}

double Isolate::ms_since_start(uint64_t monotonic_ms) const {
  const auto start = std::chrono::ceil<std::chrono::milliseconds>(start_.time_since_epoch()).count();
  return static_cast<double>(std::max<int64_t>(0, static_cast<int64_t>(monotonic_ms) - start));
}

void Isolate::on_promise_reject(v8::PromiseRejectMessage message) {
  // One that gets a handler later is passed over when the rejections are reported.
  if (message.GetEvent() != v8::kPromiseRejectWithNoHandler) return;
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  Isolate* self = from(isolate);
  if (self == nullptr) return;
  v8::HandleScope handles(isolate);
  if (self->rejections_.IsEmpty()) self->rejections_.Reset(isolate, v8::Array::New(isolate));
  v8::Local<v8::Array> rejections = self->rejections_.Get(isolate);
  v8::Local<v8::Context> context = self->context();
  const v8::Local<v8::Value> parts[] = {message.GetPromise(), message.GetValue(),
                                        v8::Integer::NewFromUnsigned(isolate, self->current_activity())};
  // Fails only when the isolate is being terminated.
  for (const v8::Local<v8::Value>& part : parts) {
    if (!rejections->CreateDataProperty(context, rejections->Length(), part).FromMaybe(false)) return;
  }
}

void Isolate::on_message(v8::Local<v8::Message> message, v8::Local<v8::Value> exception) {
  Isolate* self = from(v8::Isolate::GetCurrent());
  if (self != nullptr) self->add_uncaught(exception, message);
}

}  // namespace valor::engine
