#include "engine/wasm-memory.h"

#include <v8-profiler.h>

#include <algorithm>

#include "engine/script-error.h"

namespace valor::engine {

namespace {

constexpr std::chrono::milliseconds kCalmPause{1000};
constexpr std::chrono::milliseconds kWaryPause{100};
// Looking takes at most one part in so many of the time.
constexpr int kShare = 50;

class IsMemory final : public v8::QueryObjectPredicate {
 public:
  bool Filter(v8::Local<v8::Object> object) override { return object->IsWasmMemoryObject(); }
};

}  // namespace

void WasmMemory::watch(v8::Local<v8::Context> context) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const v8::Local<v8::String> name = to_v8_name(isolate, "WebAssembly");
  v8::Local<v8::Value> api;
  if (!context->Global()->Get(context, name).ToLocal(&api) || !api->IsObject()) return;
  const v8::Local<v8::Array> data = v8::Array::New(isolate, 2);
  auto touched = [](v8::Local<v8::Name>, const v8::PropertyCallbackInfo<v8::Value>& info) {
    const v8::Local<v8::Context> current = info.GetIsolate()->GetCurrentContext();
    const v8::Local<v8::Array> both = info.Data().As<v8::Array>();
    v8::Local<v8::Value> self;
    v8::Local<v8::Value> value;
    if (!both->Get(current, 0).ToLocal(&self) || !both->Get(current, 1).ToLocal(&value)) return;
    static_cast<WasmMemory*>(self.As<v8::External>()->Value())->in_use_ = true;
    info.GetReturnValue().Set(value);
  };
  if (data->Set(context, 0, v8::External::New(isolate, this)).IsNothing() || data->Set(context, 1, api).IsNothing()) {
    return;
  }
  if (context->Global()->SetLazyDataProperty(context, name, touched, data, v8::DontEnum).IsNothing()) return;
}

uint64_t WasmMemory::bytes(v8::Local<v8::Context> context, uint64_t limit) {
  if (!in_use_) return 0;
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  uint64_t known = known_bytes(isolate);
  const Clock::time_point now = Clock::now();
  if (known <= limit && now < next_look_) return known;
  look(context);
  known = known_bytes(isolate);
  look_time_ = Clock::now() - now;
  const Clock::duration pause = known > limit / 2 ? kWaryPause : kCalmPause;
  next_look_ = now + std::max(pause, look_time_ * kShare);
  return known;
}

uint64_t WasmMemory::known_bytes(v8::Isolate* isolate) {
  const v8::HandleScope handles(isolate);
  uint64_t sum = 0;
  std::erase_if(memories_, [](const v8::Global<v8::Object>& memory) { return memory.IsEmpty(); });
  for (const auto& memory : memories_) {
    sum += memory.Get(isolate).As<v8::WasmMemoryObject>()->Buffer()->ByteLength();
  }
  return sum;
}

void WasmMemory::look(v8::Local<v8::Context> context) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const v8::HandleScope handles(isolate);
  IsMemory predicate;
  memories_.clear();
  isolate->GetHeapProfiler()->QueryObjects(context, &predicate, &memories_);
  for (auto& memory : memories_) memory.SetWeak();
}

}  // namespace valor::engine
