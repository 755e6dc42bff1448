// How much memory WebAssembly has in an isolate of JavaScript. V8 has no limit for it, counts it nowhere, and tells
// nobody when it grows; so it is looked for. Its objects are found by a walk through the heap, which takes a while and
// is done seldom, and never before somebody has touched the global WebAssembly; those that are known are asked often.
#pragma once

#include <v8.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace valor::engine {

class WasmMemory {
 public:
  /// Has `global.WebAssembly` of a context say when it is first looked at. The object must outlive the context.
  void watch(v8::Local<v8::Context> context);
  bool in_use() const { return in_use_; }

  /// Bytes now, of all memories that are alive; collects garbage when it has to look for them. `limit`: how many may
  /// be, near which it looks more often. On the isolate's thread, between two steps of plug-in code.
  uint64_t bytes(v8::Local<v8::Context> context, uint64_t limit);
  void forget() { memories_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;
  uint64_t known_bytes(v8::Isolate* isolate);
  void look(v8::Local<v8::Context> context);

  bool in_use_ = false;
  std::vector<v8::Global<v8::Object>> memories_;  // weak
  Clock::time_point next_look_{};
  Clock::duration look_time_{};
};

}  // namespace valor::engine
