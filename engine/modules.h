// ECMAScript modules and classic scripts of one plug-in, loaded from files below the folder of its entry script.
//
// Nothing outside that folder can be named: not by "..", not by an absolute path, not by a symbolic link. Which files
// are modules is decided as Node does it: .mjs and .mts are; .js and .ts are when they parse only as one; whatever is
// imported is. TypeScript files are handed to a function that blanks out their types in place, so that lines and
// columns of errors stay those of the file.
#pragma once

#include <v8.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/result.h"
#include "engine/integrity.h"

namespace valor::engine {

/// Takes the path and the text of a TypeScript file and returns its JavaScript. Any thread; may block.
using StripTypes = std::function<core::Result<std::string>(const std::string& path, const std::string& source)>;

class ModuleLoader {
 public:
  /// Makes import() and import.meta of `isolate` ask its loader. Once per isolate.
  static void install(v8::Isolate* isolate);

  /// For the isolate that is entered, on its thread. Destroy it before the isolate.
  ModuleLoader(v8::Isolate* isolate, StripTypes strip);
  ~ModuleLoader();
  ModuleLoader(const ModuleLoader&) = delete;
  ModuleLoader& operator=(const ModuleLoader&) = delete;

  struct Entry {
    v8::Local<v8::Module> module;    ///< empty for a classic script
    v8::Local<v8::Promise> settled;  ///< of the module's evaluation
  };
  /// Loads and runs the script at `path` (absolute); what it imports lies below the folder `root`, or its own if that
  /// is "", and is what `hashes` allow. Runs plug-in code. Throws JavaScript exceptions; also for files that are
  /// missing or may not be read.
  v8::Maybe<Entry> run_entry(v8::Local<v8::Context> context, const std::string& path, const std::string& root = "",
                             FileHashes hashes = {});

  /// The loader of the isolate that is entered; nullptr when it has none.
  static ModuleLoader* from(v8::Isolate* isolate) { return static_cast<ModuleLoader*>(isolate->GetData(kDataSlot)); }

  /// The path of a file that the plug-in may import, from its file: URL; empty when there is none.
  std::string own_file(std::string_view url) const;
  /// Whether the file at `path`, an own_file(), is the one that is meant, where the definition says that.
  core::Status check_own_file(const std::string& path) const;

  enum class Import { kDone, kThrew, kMissing, kUnusable, kInModule };
  /// Runs a classic script (importScripts); `path` is relative to the entry script's folder and percent-encoded.
  /// kUnusable: it is there, and `reason` says why it cannot be run. kInModule: the entry is a module, which may not do
  /// this.
  Import import_script(v8::Local<v8::Context> context, const std::string& path, std::string& reason);

 private:
  enum class Kind { kScript, kJson };
  struct Record {
    std::string path;    // of the file, canonical
    std::string url;     // file: URL, with query and fragment of the import
    std::string source;  // JSON modules: text until it is evaluated
    v8::Global<v8::Module> module;
  };

  static constexpr uint32_t kDataSlot = 2;
  static v8::MaybeLocal<v8::Module> resolve(v8::Local<v8::Context> context, v8::Local<v8::String> specifier,
                                            v8::Local<v8::FixedArray> attributes, v8::Local<v8::Module> referrer);
  static v8::MaybeLocal<v8::Promise> import_dynamically(v8::Local<v8::Context> context, v8::Local<v8::Data> options,
                                                        v8::Local<v8::Value> resource_name,
                                                        v8::Local<v8::String> specifier,
                                                        v8::Local<v8::FixedArray> attributes);
  static void fill_import_meta(v8::Local<v8::Context> context, v8::Local<v8::Module> module,
                               v8::Local<v8::Object> meta);
  static v8::MaybeLocal<v8::Value> evaluate_json(v8::Local<v8::Context> context, v8::Local<v8::Module> module);

  struct Target {
    std::string path;    // canonical
    std::string suffix;  // "?query#fragment" as written
  };
  /// Where `specifier`, written in the file `referrer`, leads.
  core::Result<Target> locate(std::string_view specifier, const std::string& referrer) const;
  core::Result<std::string> read(const std::string& path) const;
  v8::MaybeLocal<v8::Module> load(v8::Local<v8::Context> context, const Target& target, Kind kind);
  v8::MaybeLocal<v8::Module> import(v8::Local<v8::Context> context, const std::string& specifier,
                                    v8::Local<v8::FixedArray> attributes, int stride, const std::string& referrer);
  v8::MaybeLocal<v8::Module> compile_module(const std::string& path, v8::Local<v8::String> source);
  v8::MaybeLocal<v8::Promise> start(v8::Local<v8::Context> context, v8::Local<v8::Module> module);
  Record* record_of(v8::Local<v8::Module> module);

  v8::Isolate* isolate_;
  StripTypes strip_;
  std::string root_;   // canonical, with a slash at the end
  std::string entry_;  // canonical
  FileHashes hashes_;
  bool entry_is_module_ = true;
  std::map<std::string, std::unique_ptr<Record>, std::less<>> records_;
  std::unordered_multimap<int, Record*> by_hash_;
};

}  // namespace valor::engine
