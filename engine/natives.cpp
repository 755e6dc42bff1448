// The services that engine offers to the platform's JavaScript.
#include <cmath>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "engine/isolate.h"
#include "engine/modules.h"
#include "engine/native-registry.h"
#include "engine/script-error.h"
#include "engine/snapshot-build.h"

namespace valor::engine {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

// setTimer(id: number, delayMs: number): the hook onTimer(id) is called once.
void set_timer(const Info& info) {
  Isolate* self = Isolate::from(info.GetIsolate());
  if (self == nullptr || !info[0]->IsUint32() || !info[1]->IsNumber()) return;
  self->set_timer(info[0].As<v8::Uint32>()->Value(), info[1].As<v8::Number>()->Value());
}

// clearTimer(id: number)
void clear_timer(const Info& info) {
  Isolate* self = Isolate::from(info.GetIsolate());
  if (self != nullptr && info[0]->IsUint32()) self->clear_timer(info[0].As<v8::Uint32>()->Value());
}

// now(): milliseconds since the instance started. No finer than https://w3c.github.io/hr-time/#clock-resolution allows.
void now(const Info& info) {
  constexpr double kStepsPerMs = 200;
  Isolate* self = Isolate::from(info.GetIsolate());
  info.GetReturnValue().Set(self != nullptr ? std::floor(self->now_ms() * kStepsPerMs) / kStepsPerMs : 0.0);
}

// timeOrigin(): when that was, in milliseconds since 1970
void time_origin(const Info& info) {
  Isolate* self = Isolate::from(info.GetIsolate());
  info.GetReturnValue().Set(self != nullptr ? self->time_origin_ms() : 0.0);
}

// enqueueMicrotask(callback: () => void)
void enqueue_microtask(const Info& info) {
  if (info[0]->IsFunction()) info.GetIsolate()->EnqueueMicrotask(info[0].As<v8::Function>());
}

// reportException(error: unknown): as if it had been thrown and nobody had caught it
void report_exception(const Info& info) {
  Isolate* self = Isolate::from(info.GetIsolate());
  if (self != nullptr) self->add_uncaught(info[0], v8::Exception::CreateMessage(info.GetIsolate(), info[0]));
}

// log(level: 0 | 1 | 2 | 3, text: string): debug, info, warn, error
void log(const Info& info) {
  Isolate* self = Isolate::from(info.GetIsolate());
  if (self == nullptr || !info[0]->IsUint32()) return;
  uint32_t level = std::min(info[0].As<v8::Uint32>()->Value(), static_cast<uint32_t>(core::LogLevel::kError));
  self->log(static_cast<core::LogLevel>(level), to_utf8(info.GetIsolate(), info[1]));
}

// keepsLog(level): whether log() with that level goes anywhere
void keeps_log(const Info& info) {
  Isolate* self = Isolate::from(info.GetIsolate());
  if (self == nullptr || !info[0]->IsUint32()) return;
  uint32_t level = std::min(info[0].As<v8::Uint32>()->Value(), static_cast<uint32_t>(core::LogLevel::kError));
  info.GetReturnValue().Set(self->tenant().log->keeps(static_cast<core::LogLevel>(level)));
}

// isolateInfo(): { name, location, config (JSON text), hardwareConcurrency }
void isolate_info(const Info& info) {
  Isolate* self = Isolate::from(info.GetIsolate());
  if (self == nullptr) return;
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Object> result = v8::Object::New(isolate);
  auto set = [&](const char* name, v8::Local<v8::Value> value) {
    // Fails only when the isolate is being terminated.
    (void)result->Set(context, to_v8_name(isolate, name), value).FromMaybe(false);
  };
  set("name", to_v8(isolate, self->tenant().name));
  set("location", to_v8(isolate, self->tenant().location));
  set("config", to_v8(isolate, self->tenant().config));
  set("hardwareConcurrency", v8::Integer::NewFromUnsigned(isolate, std::max(1U, std::thread::hardware_concurrency())));
  info.GetReturnValue().Set(result);
}

// activity(): on whose behalf the code runs
void activity(const Info& info) {
  if (Isolate* self = Isolate::from(info.GetIsolate())) info.GetReturnValue().Set(self->current_activity());
}

// beginActivity(activity: number, state)
void begin_activity(const Info& info) {
  Isolate* self = Isolate::from(info.GetIsolate());
  if (self != nullptr && info[0]->IsUint32()) self->begin_activity(info[0].As<v8::Uint32>()->Value(), info[1]);
}

// activityState(): what was given with the activity, or undefined
void activity_state(const Info& info) {
  Isolate* self = Isolate::from(info.GetIsolate());
  v8::Local<v8::Value> state = self != nullptr ? self->activity_state() : v8::Local<v8::Value>();
  if (!state.IsEmpty()) info.GetReturnValue().Set(state);
}

// loadLazy(name: string): the completion value of that lazy script, which runs now
void load_lazy(const Info& info) {
  Isolate* self = Isolate::from(info.GetIsolate());
  v8::Isolate* isolate = info.GetIsolate();
  if (self == nullptr) {
    isolate->ThrowException(v8::Exception::Error(to_v8(isolate, "no lazy scripts while the snapshot is built")));
    return;
  }
  v8::Local<v8::Value> result;
  if (self->lazy().run(isolate->GetCurrentContext(), to_utf8(isolate, info[0])).ToLocal(&result)) {
    info.GetReturnValue().Set(result);
  }
}

// importScript(path: string): runs a classic script of the plug-in's folder; "", "missing", "module" or why it cannot
// be run
void import_script(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  ModuleLoader* loader = Isolate::from(isolate) != nullptr ? ModuleLoader::from(isolate) : nullptr;
  ModuleLoader::Import done = ModuleLoader::Import::kMissing;
  std::string result;
  if (loader != nullptr) done = loader->import_script(isolate->GetCurrentContext(), to_utf8(isolate, info[0]), result);
  if (done == ModuleLoader::Import::kMissing) result = "missing";
  if (done == ModuleLoader::Import::kInModule) result = "module";
  if (done != ModuleLoader::Import::kThrew) info.GetReturnValue().Set(to_v8(isolate, result));
}

// readOwnFile(url: string, offset: number): Uint8Array, null at the end, undefined when there is none
void read_own_file(const Info& info) {
  constexpr size_t kPiece = 256 * 1024;
  v8::Isolate* isolate = info.GetIsolate();
  ModuleLoader* loader = Isolate::from(isolate) != nullptr ? ModuleLoader::from(isolate) : nullptr;
  if (loader == nullptr || !info[1]->IsNumber()) return;
  const std::string path = loader->own_file(to_utf8(isolate, info[0]));
  const auto offset = static_cast<std::streamoff>(info[1].As<v8::Number>()->Value());
  if (core::Status checked = offset == 0 ? loader->check_own_file(path) : core::Nothing{}; !checked) {
    isolate->ThrowException(v8::Exception::TypeError(to_v8(isolate, checked.error().message)));
    return;
  }
  std::ifstream in(path, std::ios::binary);
  if (!in.seekg(offset)) return;
  std::vector<char> bytes(kPiece);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto length = static_cast<size_t>(in.gcount());
  if (length == 0) return info.GetReturnValue().SetNull();
  std::unique_ptr<v8::BackingStore> store = v8::ArrayBuffer::NewBackingStore(
      isolate, length, v8::BackingStoreInitializationMode::kUninitialized, v8::BackingStoreOnFailureMode::kReturnNull);
  // The isolate has tripped its memory limit, and ends when its code returns.
  if (store == nullptr) return info.GetReturnValue().SetNull();
  std::memcpy(store->Data(), bytes.data(), length);
  info.GetReturnValue().Set(v8::Uint8Array::New(v8::ArrayBuffer::New(isolate, std::move(store)), 0, length));
}

// setHooks(hooks: object): functions that C++ calls; only while the snapshot is built
void set_hooks(const Info& info) {
  SnapshotBuild* build = SnapshotBuild::from(info.GetIsolate());
  if (build != nullptr && info[0]->IsObject()) build->hooks.Reset(info.GetIsolate(), info[0].As<v8::Object>());
}

}  // namespace

void register_engine_natives(NativeRegistry& registry) {
  registry.add("setTimer", set_timer);
  registry.add("clearTimer", clear_timer);
  registry.add("now", now);
  registry.add("timeOrigin", time_origin);
  registry.add("enqueueMicrotask", enqueue_microtask);
  registry.add("reportException", report_exception);
  registry.add("log", log);
  registry.add("keepsLog", keeps_log);
  registry.add("isolateInfo", isolate_info);
  registry.add("activity", activity);
  registry.add("beginActivity", begin_activity);
  registry.add("activityState", activity_state);
  registry.add("loadLazy", load_lazy);
  registry.add("importScript", import_script);
  registry.add("readOwnFile", read_own_file);
  registry.add("setHooks", set_hooks);
}

}  // namespace valor::engine
