// Modules as they are compiled: once in a process, for all instances that load the same bytes under the same memory
// limit.
#pragma once

#include <v8.h>

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/result.h"
#include "engine/integrity.h"

namespace valor::plugins::wasm {

/// A module that speaks the ABI. Immutable; any thread.
struct Module {
  v8::CompiledWasmModule compiled;
  std::vector<size_t> imports;  ///< of host_functions(), those that it imports
  bool initialises = false;     ///< it exports _initialize
  uint64_t moved_bytes = 0;     ///< how much further back its code is than in the file, since its memories were capped
};

/// Thread-safe.
class ModuleCache {
 public:
  /// Reads the file at `path`, checks it, and compiles it unless that has been done. `isolate` is entered, in a
  /// context, on this thread. The error is for the operator and names the file.
  core::Result<std::shared_ptr<const Module>> load(v8::Isolate* isolate, const std::string& path, uint32_t memory_mb,
                                                   const engine::FileHashes& hashes);

  /// How many modules it keeps.
  size_t size();

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Module> module;
  };
  std::shared_ptr<const Module> find(const std::string& key);
  void keep(std::string key, std::shared_ptr<const Module> module);

  std::mutex mutex_;
  std::list<Entry> entries_;  // the one used last in front
};

}  // namespace valor::plugins::wasm
