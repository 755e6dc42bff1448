// What native functions find while a snapshot is built, when there is no engine::Isolate yet.
#pragma once

#include <v8.h>

namespace valor::engine {

struct SnapshotBuild {
  static constexpr uint32_t kDataSlot = 1;
  static SnapshotBuild* from(v8::Isolate* isolate) { return static_cast<SnapshotBuild*>(isolate->GetData(kDataSlot)); }

  v8::Global<v8::Object> hooks;
};

}  // namespace valor::engine
