// The startup snapshot: the heap of an isolate in which the platform's JavaScript has already run. An instance starts
// from it instead of compiling and running that code again.
//
// V8 trusts a snapshot blindly: a damaged one aborts the process. So the file carries a header that is checked first:
// the version of V8, the native functions that it refers to, and a hash of its bytes.
#pragma once

#include <node.h>
#include <v8.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "engine/native-registry.h"

namespace valor::engine {

class Snapshot {
 public:
  /// Reads the file that build_snapshot wrote. Fails with a sentence when it is missing, damaged, or made for another
  /// V8 or other native functions.
  static core::Result<std::shared_ptr<const Snapshot>> load(const std::string& path, const NativeRegistry& registry);

  /// Borrowed; live as long as the snapshot.
  const v8::StartupData* blob() const { return &blob_; }
  const intptr_t* external_references() const { return references_.data(); }

 private:
  Snapshot() = default;
  std::string bytes_;
  v8::StartupData blob_{nullptr, 0};
  std::vector<intptr_t> references_;
};

/// Sets the flags of V8 that isolates here need, where the command line has not. Before anything else of this folder.
void set_v8_flags();

/// Runs `bundle_source` (a classic script, UTF-8) in a fresh context that has one global, `__valor_natives`, and writes
/// the heap to `out_path`. Blocks; uses a thread of its own. Call it in the node binary that will use the file, with
/// the same V8 flags.
core::Status build_snapshot(node::MultiIsolatePlatform* platform, const NativeRegistry& registry,
                            const std::string& bundle_source, const std::string& out_path);

}  // namespace valor::engine
