#include "plugins/wasm/module-cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "engine/script-error.h"
#include "plugins/wasm/abi-check.h"
#include "plugins/wasm/host-imports.h"
#include "plugins/wasm/memory-cap.h"
#include "plugins/wasm/module-layout.h"

namespace valor::plugins::wasm {

namespace {

// Modules that are kept though no instance may run them, so that the next one need not compile. Each holds its code.
constexpr size_t kMostKept = 16;

core::Result<std::string> read_file(const std::string& path, uint64_t most_bytes, uint32_t memory_mb) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return core::Error{"cannot be read: " + std::string(std::strerror(errno))};
  if (!S_ISREG(status.st_mode)) return core::Error{"is no file"};
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size > most_bytes) {
    return core::Error{"the file has " + std::to_string(size >> 20) + " MiB, more than limits.memory_mb (" +
                       std::to_string(memory_mb) + ") allows"};
  }
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(size, '\0');
  if (!stream) return core::Error{"cannot be read: " + std::string(std::strerror(errno))};
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<size_t>(stream.gcount()));
  return bytes;
}

std::string key_of(std::string_view bytes, uint32_t memory_mb) {
  const std::string digest = engine::digest(core::HashAlgorithm::kSha256, bytes);
  return digest.empty() ? digest : digest + std::to_string(memory_mb);
}

v8::MemorySpan<const uint8_t> span_of(std::string_view bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

// What V8 has against a module: "Uncaught CompileError: WasmModuleObject::Compile(): expected type ... @+34"
std::string compile_error(v8::Isolate* isolate, std::string_view bytes) {
  const v8::TryCatch guard(isolate);
  if (!v8::WasmModuleObject::Compile(isolate, span_of(bytes)).IsEmpty() || !guard.HasCaught()) return {};
  std::string text = engine::to_utf8(isolate, guard.Message()->Get());
  for (const std::string_view prefix : {"Uncaught ", "CompileError: ", "WasmModuleObject::Compile(): "}) {
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
  }
  return text;
}

}  // namespace

core::Result<std::shared_ptr<const Module>> ModuleCache::load(v8::Isolate* isolate, const std::string& path,
                                                              uint32_t memory_mb, const engine::FileHashes& hashes) {
  auto refuse = [&](const std::string& why) { return core::Error{path + ": " + why}; };
  const uint64_t limit = uint64_t{memory_mb} << 20;
  core::Result<std::string> read = read_file(path, limit, memory_mb);
  if (!read) return refuse(read.error().message);
  const std::string& bytes = *read;
  if (core::Status checked = hashes.check(path, bytes); !checked) return checked.error();
  std::string key = key_of(bytes, memory_mb);
  if (auto kept = find(key)) return kept;

  core::Result<ModuleLayout> layout = read_layout(bytes);
  if (!layout) {
    // V8 knows best what is wrong within a module.
    const std::string& why = layout.error().message;
    if (why.starts_with("the file is")) return refuse(why);
    const std::string better = compile_error(isolate, bytes);
    return refuse(better.empty() ? why : "the module is invalid: " + better);
  }
  if (const core::Status checked = check_abi(*layout, host_functions()); !checked) {
    return refuse(checked.error().message);
  }
  core::Result<std::string> capped = cap_memories(bytes, *layout, limit);
  if (!capped) return refuse(capped.error().message);

  v8::Local<v8::WasmModuleObject> object;
  {
    v8::TryCatch guard(isolate);
    if (!v8::WasmModuleObject::Compile(isolate, span_of(*capped)).ToLocal(&object)) {
      if (guard.HasTerminated()) return refuse("compiling took too long and was stopped");
      std::string why = engine::to_utf8(isolate, guard.Exception());
      guard.Reset();
      // The file as it is makes V8 name the places where things are in it.
      if (std::string better = compile_error(isolate, bytes); !better.empty()) why = std::move(better);
      return refuse("the module is invalid: " + why);
    }
  }
  auto module = std::make_shared<Module>(Module{
      .compiled = object->GetCompiledModule(),
      .imports = {},
      .initialises = layout->find_export("_initialize") != nullptr,
      .moved_bytes = capped->size() - bytes.size(),
  });
  const auto functions = host_functions();
  for (size_t i = 0; i < functions.size(); ++i) {
    const bool imported = std::any_of(layout->imports.begin(), layout->imports.end(),
                                      [&](const Import& import) { return import.name == functions[i].name; });
    if (imported) module->imports.push_back(i);
  }
  keep(std::move(key), module);
  return std::shared_ptr<const Module>(std::move(module));
}

size_t ModuleCache::size() {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::shared_ptr<const Module> ModuleCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key; });
  if (key.empty() || found == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found);
  return entries_.front().module;
}

void ModuleCache::keep(std::string key, std::shared_ptr<const Module> module) {
  const std::lock_guard lock(mutex_);
  entries_.push_front({std::move(key), std::move(module)});
  if (entries_.size() > kMostKept) entries_.pop_back();
}

}  // namespace valor::plugins::wasm
