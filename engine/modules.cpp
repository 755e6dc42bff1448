#include "engine/modules.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/script-error.h"

namespace valor::engine {

namespace {

void throw_error(v8::Isolate* isolate, const std::string& message) {
  isolate->ThrowException(v8::Exception::Error(to_v8(isolate, message)));
}

bool has_extension(std::string_view path, std::string_view extension) {
  return path.ends_with(extension);
}

bool is_typescript(std::string_view path) {
  return has_extension(path, ".ts") || has_extension(path, ".mts");
}

bool is_always_module(std::string_view path) {
  return has_extension(path, ".mjs") || has_extension(path, ".mts");
}

core::Result<std::string> canonical_path(const std::string& path) {
  // The system would take what is before it.
  if (path.find('\0') != std::string::npos) return core::Error{"its path holds a NUL character"};
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return core::Error{std::strerror(errno)};
  std::string result = resolved;
  std::free(resolved);
  return result;
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1);
}

core::Result<std::string> read_bytes(const std::string& path) {
  // A folder would read as empty, and a device or a pipe might never end.
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(path, unknown))
    return core::Error{"cannot read " + path + ": it is not a file"};
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  if (!in || !(content << in.rdbuf())) {
    bool empty = static_cast<bool>(in) && content.str().empty() && in.peek() == std::ifstream::traits_type::eof();
    if (!empty) return core::Error{"cannot read " + path};
  }
  return std::move(content).str();
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A module specifier is a URL reference: its path is percent-encoded.
core::Result<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); at++) {
    if (text[at] == '%' && at + 2 < text.size() && hex_digit(text[at + 1]) >= 0 && hex_digit(text[at + 2]) >= 0) {
      char byte = static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
      if (byte == '/' || byte == '\0') return core::Error{"an encoded slash or NUL cannot name a file"};
      decoded += byte;
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

// https://url.spec.whatwg.org/#path-percent-encode-set, and '%' itself, because a path is not encoded yet.
std::string file_url(std::string_view path) {
  constexpr std::string_view kEncoded = " \"#<>?`{}%^";
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string url = "file://";
  for (char c : path) {
    auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || kEncoded.find(c) != std::string_view::npos) {
      url += '%';
      url += kHex[byte >> 4];
      url += kHex[byte & 15];
    } else {
      url += c;
    }
  }
  return url;
}

// "scheme:" at the start: https://url.spec.whatwg.org/#url-scheme-string
bool has_scheme(std::string_view text) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || std::isalpha(static_cast<unsigned char>(text[0])) == 0) {
    return false;
  }
  for (char c : text.substr(0, colon)) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '+' && c != '-' && c != '.') return false;
  }
  return true;
}

}  // namespace

void ModuleLoader::install(v8::Isolate* isolate) {
  isolate->SetHostImportModuleDynamicallyCallback(import_dynamically);
  isolate->SetHostInitializeImportMetaObjectCallback(fill_import_meta);
}

ModuleLoader::ModuleLoader(v8::Isolate* isolate, StripTypes strip) : isolate_(isolate), strip_(std::move(strip)) {
  isolate_->SetData(kDataSlot, this);
}

ModuleLoader::~ModuleLoader() {
  isolate_->SetData(kDataSlot, nullptr);
}

v8::Maybe<ModuleLoader::Entry> ModuleLoader::run_entry(v8::Local<v8::Context> context, const std::string& path,
                                                       const std::string& root_path, FileHashes hashes) {
  auto fail = [&](const std::string& message) {
    throw_error(isolate_, message);
    return v8::Nothing<Entry>();
  };
  core::Result<std::string> file = canonical_path(path);
  if (!file) return fail("cannot read " + path + ": " + file.error().message);
  // The folder of the link, if it is one: that is where the operator put the plug-in.
  std::string folder = root_path.empty() ? folder_of(path) : root_path;
  core::Result<std::string> root = canonical_path(folder);
  if (!root) return fail("cannot read " + folder + ": " + root.error().message);
  root_ = *root == "/" ? *root : *root + "/";
  entry_ = *file;
  hashes_ = std::move(hashes);

  if (!is_always_module(*file)) {
    core::Result<std::string> text = read(*file);
    if (!text) return fail(text.error().message);
    v8::Local<v8::String> source = to_v8(isolate_, *text);
    v8::TryCatch guard(isolate_);
    v8::ScriptOrigin origin(to_v8(isolate_, *file));
    v8::Local<v8::Script> script;
    if (v8::Script::Compile(context, source, &origin).ToLocal(&script)) {
      v8::Local<v8::Value> ignored;
      entry_is_module_ = false;
      if (!script->Run(context).ToLocal(&ignored)) {
        guard.ReThrow();
        return v8::Nothing<Entry>();
      }
      return v8::Just(Entry{});
    }
    v8::TryCatch module_guard(isolate_);
    if (compile_module(*file, source).IsEmpty()) {
      // What a module may say that a script may not is never the first mistake here: tell the one of the script, unless
      // that is only about being no module.
      bool looks_like_module = false;
      std::string message = to_utf8(isolate_, guard.Exception());
      for (std::string_view sign : {"import statement", "'export'", "import.meta", "await"}) {
        looks_like_module = looks_like_module || message.find(sign) != std::string::npos;
      }
      if (looks_like_module) {
        module_guard.ReThrow();
      } else {
        module_guard.Reset();
        guard.ReThrow();
      }
      return v8::Nothing<Entry>();
    }
  }
  v8::Local<v8::Module> module;
  Entry entry;
  if (!load(context, {*file, ""}, Kind::kScript).ToLocal(&module) || !start(context, module).ToLocal(&entry.settled)) {
    return v8::Nothing<Entry>();
  }
  entry.module = module;
  return v8::Just(entry);
}

ModuleLoader::Import ModuleLoader::import_script(v8::Local<v8::Context> context, const std::string& path,
                                                 std::string& reason) {
  if (entry_is_module_) return Import::kInModule;
  core::Result<std::string> decoded = percent_decode(path);
  if (!decoded) return Import::kMissing;
  core::Result<std::string> file = canonical_path(folder_of(entry_) + *decoded);
  if (!file || !file->starts_with(root_)) return Import::kMissing;
  core::Result<std::string> text = read(*file);
  if (!text) {
    reason = text.error().message;
    return Import::kUnusable;
  }
  v8::ScriptOrigin origin(to_v8(isolate_, *file));
  v8::Local<v8::Script> script;
  v8::Local<v8::Value> ignored;
  if (!v8::Script::Compile(context, to_v8(isolate_, *text), &origin).ToLocal(&script) ||
      !script->Run(context).ToLocal(&ignored)) {
    return Import::kThrew;
  }
  return Import::kDone;
}

core::Result<ModuleLoader::Target> ModuleLoader::locate(std::string_view specifier, const std::string& referrer) const {
  std::string name = "cannot import '" + std::string(specifier) + "' in " + referrer + ": ";
  Target target;
  size_t end = std::min(specifier.find('?'), specifier.find('#'));
  if (end != std::string_view::npos) {
    target.suffix = specifier.substr(end);
    specifier = specifier.substr(0, end);
  }
  std::string_view path = specifier;
  bool absolute = false;
  if (specifier.starts_with("file://")) {
    path = specifier.substr(7);
    absolute = true;
    if (!path.starts_with('/')) return core::Error{name + "a file: URL here has no host"};
  } else if (specifier.starts_with('/')) {
    absolute = true;
  } else if (has_scheme(specifier)) {
    return core::Error{name + "only files in the plug-in's own folder can be imported, not URLs"};
  } else if (!specifier.starts_with("./") && !specifier.starts_with("../")) {
    return core::Error{
        name +
        "packages are not looked up; write a path that starts with ./ or ../, or bundle the plug-in with "
        "its packages into one file"};
  }
  core::Result<std::string> decoded = percent_decode(path);
  if (!decoded) return core::Error{name + decoded.error().message};
  core::Result<std::string> file = canonical_path(absolute ? *decoded : folder_of(referrer) + *decoded);
  // The same words for "is not there" and "is outside", so that a plug-in cannot explore the disk.
  if (!file || !file->starts_with(root_)) {
    return core::Error{name + "there is no such file in the plug-in's folder " + root_};
  }
  target.path = std::move(*file);
  return target;
}

std::string ModuleLoader::own_file(std::string_view url) const {
  core::Result<Target> target = url.starts_with("file:///") ? locate(url, entry_) : core::Error{};
  std::error_code unknown;
  const bool found = target && std::filesystem::is_regular_file(target->path, unknown);
  return found ? std::move(target->path) : std::string();
}

core::Status ModuleLoader::check_own_file(const std::string& path) const {
  if (!hashes_.lists(path)) return core::Nothing{};
  core::Result<std::string> bytes = read_bytes(path);
  return bytes ? hashes_.check(path, *bytes) : bytes.error();
}

core::Result<std::string> ModuleLoader::read(const std::string& path) const {
  core::Result<std::string> bytes = read_bytes(path);
  if (!bytes) return bytes;
  if (core::Status checked = hashes_.check(path, *bytes); !checked) return checked.error();
  std::string text = std::move(bytes).value();
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  if (text.size() > static_cast<size_t>(v8::String::kMaxLength)) return core::Error{path + " is too large"};
  if (!is_typescript(path)) return text;
  if (!strip_) return core::Error{path + " is TypeScript, which this program cannot strip"};
  return strip_(path, text);
}

v8::MaybeLocal<v8::Module> ModuleLoader::compile_module(const std::string& path, v8::Local<v8::String> source) {
  v8::ScriptOrigin origin(to_v8(isolate_, path), 0, 0, false, -1, v8::Local<v8::Value>(), false, false, true);
  v8::ScriptCompiler::Source unit(source, origin);
  return v8::ScriptCompiler::CompileModule(isolate_, &unit);
}

v8::MaybeLocal<v8::Module> ModuleLoader::load(v8::Local<v8::Context> context, const Target& target, Kind kind) {
  std::string key = (kind == Kind::kJson ? "json " : "script ") + target.path + target.suffix;
  auto known = records_.find(key);
  if (known != records_.end()) return known->second->module.Get(isolate_);
  core::Result<std::string> text = read(target.path);
  if (!text) {
    throw_error(isolate_, text.error().message);
    return {};
  }
  auto record = std::make_unique<Record>();
  record->path = target.path;
  record->url = file_url(target.path) + target.suffix;
  v8::Local<v8::Module> module;
  if (kind == Kind::kJson) {
    record->source = std::move(*text);
    v8::Local<v8::String> name = to_v8_name(isolate_, "default");
    module = v8::Module::CreateSyntheticModule(isolate_, to_v8(isolate_, target.path),
                                               v8::MemorySpan<const v8::Local<v8::String>>(&name, 1), evaluate_json);
  } else if (!compile_module(target.path, to_v8(isolate_, *text)).ToLocal(&module)) {
    return {};
  }
  record->module.Reset(isolate_, module);
  by_hash_.emplace(module->GetIdentityHash(), record.get());
  records_.emplace(std::move(key), std::move(record));
  return module;
}

ModuleLoader::Record* ModuleLoader::record_of(v8::Local<v8::Module> module) {
  auto [begin, end] = by_hash_.equal_range(module->GetIdentityHash());
  for (auto at = begin; at != end; ++at) {
    if (at->second->module == module) return at->second;
  }
  return nullptr;
}

v8::MaybeLocal<v8::Module> ModuleLoader::import(v8::Local<v8::Context> context, const std::string& specifier,
                                                v8::Local<v8::FixedArray> attributes, int stride,
                                                const std::string& referrer) {
  // https://tc39.es/proposal-import-attributes/: `attributes` holds key, value (and place, when static) in turn.
  std::string type;
  for (int at = 0; at + 1 < attributes->Length(); at += stride) {
    std::string key = to_utf8(isolate_, attributes->Get(at).As<v8::Value>());
    if (key != "type") {
      throw_error(isolate_, "cannot import '" + specifier + "' in " + referrer + ": unknown attribute '" + key + "'");
      return {};
    }
    type = to_utf8(isolate_, attributes->Get(at + 1).As<v8::Value>());
  }
  core::Result<Target> target = locate(specifier, referrer);
  std::string error;
  if (!target) {
    error = target.error().message;
  } else if (!type.empty() && type != "json") {
    error = "cannot import '" + specifier + "' in " + referrer + ": modules of type '" + type + "' are unknown";
  } else if (has_extension(target->path, ".json") != (type == "json")) {
    error = "cannot import '" + specifier + "' in " + referrer +
            (type.empty() ? ": JSON needs with { type: 'json' }" : ": its name must end with .json");
  }
  if (!error.empty()) {
    throw_error(isolate_, error);
    return {};
  }
  return load(context, *target, type == "json" ? Kind::kJson : Kind::kScript);
}

v8::MaybeLocal<v8::Promise> ModuleLoader::start(v8::Local<v8::Context> context, v8::Local<v8::Module> module) {
  v8::Local<v8::Value> settled;
  if (module->GetStatus() == v8::Module::kUninstantiated && module->InstantiateModule(context, resolve).IsNothing()) {
    return {};
  }
  if (!module->Evaluate(context).ToLocal(&settled)) return {};
  return settled.As<v8::Promise>();
}

v8::MaybeLocal<v8::Module> ModuleLoader::resolve(v8::Local<v8::Context> context, v8::Local<v8::String> specifier,
                                                 v8::Local<v8::FixedArray> attributes, v8::Local<v8::Module> referrer) {
  ModuleLoader* self = from(v8::Isolate::GetCurrent());
  Record* record = self->record_of(referrer);
  return self->import(context, to_utf8(self->isolate_, specifier), attributes, 3,
                      record != nullptr ? record->path : self->root_);
}

v8::MaybeLocal<v8::Promise> ModuleLoader::import_dynamically(v8::Local<v8::Context> context, v8::Local<v8::Data>,
                                                             v8::Local<v8::Value> resource_name,
                                                             v8::Local<v8::String> specifier,
                                                             v8::Local<v8::FixedArray> attributes) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::EscapableHandleScope handles(isolate);
  ModuleLoader* self = from(isolate);
  v8::Local<v8::Promise::Resolver> resolver;
  if (!v8::Promise::Resolver::New(context).ToLocal(&resolver)) return {};
  v8::TryCatch guard(isolate);
  v8::Local<v8::Module> module;
  v8::Local<v8::Promise> settled;
  std::string referrer = to_utf8(isolate, resource_name);
  // Code made by eval or new Function may have no file.
  if (self != nullptr && !referrer.starts_with('/')) referrer = self->root_;
  if (self == nullptr ||
      !self->import(context, to_utf8(isolate, specifier), attributes, 2, referrer).ToLocal(&module) ||
      !self->start(context, module).ToLocal(&settled)) {
    if (guard.HasTerminated()) {
      guard.ReThrow();
      return {};
    }
    v8::Local<v8::Value> reason = guard.HasCaught() ? guard.Exception() : v8::Undefined(isolate).As<v8::Value>();
    if (resolver->Reject(context, reason).IsNothing()) return {};
    return handles.Escape(resolver->GetPromise());
  }
  auto give_namespace = [](const v8::FunctionCallbackInfo<v8::Value>& info) { info.GetReturnValue().Set(info.Data()); };
  v8::Local<v8::Function> then;
  v8::Local<v8::Promise> result;
  if (!v8::Function::New(context, give_namespace, module->GetModuleNamespace()).ToLocal(&then) ||
      !settled->Then(context, then).ToLocal(&result)) {
    return {};
  }
  return handles.Escape(result);
}

void ModuleLoader::fill_import_meta(v8::Local<v8::Context> context, v8::Local<v8::Module> module,
                                    v8::Local<v8::Object> meta) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  ModuleLoader* self = from(isolate);
  Record* record = self != nullptr ? self->record_of(module) : nullptr;
  if (record == nullptr) return;
  // Fails only when the isolate is being terminated.
  (void)meta->CreateDataProperty(context, to_v8_name(isolate, "url"), to_v8(isolate, record->url)).FromMaybe(false);
}

v8::MaybeLocal<v8::Value> ModuleLoader::evaluate_json(v8::Local<v8::Context> context, v8::Local<v8::Module> module) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  Record* record = from(isolate)->record_of(module);
  v8::Local<v8::Value> value;
  v8::TryCatch guard(isolate);
  if (!v8::JSON::Parse(context, to_v8(isolate, record->source)).ToLocal(&value)) {
    std::string reason = to_utf8(isolate, guard.Exception());
    guard.Reset();
    isolate->ThrowException(v8::Exception::SyntaxError(to_v8(isolate, record->path + ": " + reason)));
    guard.ReThrow();
    return {};
  }
  record->source = {};
  v8::Local<v8::Promise::Resolver> resolver;
  if (module->SetSyntheticModuleExport(isolate, to_v8_name(isolate, "default"), value).IsNothing() ||
      !v8::Promise::Resolver::New(context).ToLocal(&resolver) ||
      resolver->Resolve(context, v8::Undefined(isolate)).IsNothing()) {
    return {};
  }
  return resolver->GetPromise().As<v8::Value>();
}

}  // namespace valor::engine
