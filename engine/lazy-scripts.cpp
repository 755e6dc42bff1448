#include "engine/lazy-scripts.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "engine/script-error.h"

namespace valor::engine {

// Lets every isolate's heap refer to the one copy of the text.
class LazyScripts::Resource final : public v8::String::ExternalOneByteStringResource {
 public:
  explicit Resource(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  const char* data() const override { return script_->text.data(); }
  size_t length() const override { return script_->text.size(); }

 private:
  std::shared_ptr<Script> script_;
};

std::shared_ptr<LazyScripts::Script> LazyScripts::find(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto found = scripts_.find(name);
  if (found != scripts_.end()) return found->second;
  std::ifstream in(folder_ + "/" + std::string(name) + ".js", std::ios::binary);
  if (!in) return nullptr;
  std::stringstream content;
  content << in.rdbuf();
  auto script = std::make_shared<Script>();
  script->text = std::move(content).str();
  script->one_byte = std::all_of(script->text.begin(), script->text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  scripts_.emplace(std::string(name), script);
  return script;
}

v8::MaybeLocal<v8::Value> LazyScripts::run(v8::Local<v8::Context> context, std::string_view name) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  std::shared_ptr<Script> script = find(name);
  if (script == nullptr) {
    isolate->ThrowException(
        v8::Exception::Error(to_v8(isolate, "the platform's script " + std::string(name) + " is missing")));
    return {};
  }
  v8::Local<v8::String> text;
  if (script->one_byte) {
    if (!v8::String::NewExternalOneByte(isolate, new Resource(script)).ToLocal(&text)) return {};
  } else {
    text = to_v8(isolate, script->text);
  }
  std::vector<uint8_t> cache;
  {
    std::lock_guard lock(mutex_);
    cache = script->code_cache;
  }
  v8::ScriptOrigin origin(to_v8(isolate, "valor:" + std::string(name)));
  v8::ScriptCompiler::Source source(
      text, origin,
      cache.empty() ? nullptr
                    : new v8::ScriptCompiler::CachedData(cache.data(), static_cast<int>(cache.size()),
                                                         v8::ScriptCompiler::CachedData::BufferNotOwned));
  v8::Local<v8::UnboundScript> compiled;
  if (!v8::ScriptCompiler::CompileUnboundScript(
           isolate, &source,
           cache.empty() ? v8::ScriptCompiler::kNoCompileOptions : v8::ScriptCompiler::kConsumeCodeCache)
           .ToLocal(&compiled)) {
    return {};
  }
  v8::Local<v8::Value> result;
  if (!compiled->BindToCurrentContext()->Run(context).ToLocal(&result)) return {};
  if (cache.empty()) {
    // After the first run, so that the functions that it needed are in the cache.
    std::unique_ptr<v8::ScriptCompiler::CachedData> made(v8::ScriptCompiler::CreateCodeCache(compiled));
    if (made != nullptr) {
      std::lock_guard lock(mutex_);
      script->code_cache.assign(made->data, made->data + made->length);
    }
  }
  return result;
}

}  // namespace valor::engine
