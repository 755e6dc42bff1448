// Large JavaScript libraries of the platform that most plug-ins never use: they are kept out of the snapshot and
// evaluated in an instance when it first needs them. All instances share the text and the compiled code.
#pragma once

#include <v8.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace valor::engine {

class LazyScripts {
 public:
  /// `folder` holds NAME.js, one classic script each.
  explicit LazyScripts(std::string folder) : folder_(std::move(folder)) {}

  /// Runs the script called `name` in the context and returns its completion value. Throws a JavaScript exception when
  /// there is none of that name or it throws. Any isolate, on its thread.
  v8::MaybeLocal<v8::Value> run(v8::Local<v8::Context> context, std::string_view name);

 private:
  struct Script {
    bool one_byte = false;
    std::string text;
    std::vector<uint8_t> code_cache;  // made by the first isolate that compiles it
  };
  class Resource;

  std::shared_ptr<Script> find(std::string_view name);

  std::string folder_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Script>, std::less<>> scripts_;
};

}  // namespace valor::engine
