// The C++ functions that JavaScript of the platform may call, by name and in a fixed order.
//
// The startup snapshot stores a native function as its position in this list, not as an address. The program that
// builds the snapshot and the one that uses it must therefore register the same functions in the same order; a
// fingerprint in the snapshot file proves that they did (engine/snapshot.h).
#pragma once

#include <v8.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace valor::engine {

class NativeRegistry {
 public:
  struct Native {
    const char* name;
    v8::FunctionCallback callback;
  };

  /// `name` must be a literal (borrowed for ever), unique, and a JavaScript identifier. `callback` is a plain function
  /// without data of its own: what it needs it finds through engine::Isolate::from(info.GetIsolate()), which is nullptr
  /// while the snapshot is built.
  void add(const char* name, v8::FunctionCallback callback) { natives_.push_back({name, callback}); }

  /// The address of something else that the snapshot may refer to. `name` as above.
  void add_reference(const char* name, intptr_t address) { references_.push_back({name, address}); }

  const std::vector<Native>& natives() const { return natives_; }

  /// Ends with a zero, as V8 wants it. Lives as long as isolates use it.
  std::vector<intptr_t> external_references() const;

  /// Equal for two registries with the same names in the same order.
  uint64_t fingerprint() const;

 private:
  struct Reference {
    const char* name;
    intptr_t address;
  };
  std::vector<Native> natives_;
  std::vector<Reference> references_;
};

/// The functions that engine itself offers: timers, clock, log, lazy scripts, hooks (natives.cpp).
void register_engine_natives(NativeRegistry& registry);

}  // namespace valor::engine
