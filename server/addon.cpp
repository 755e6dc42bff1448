// valor.node: what the command line (cli/addon.ts) calls. Everything here runs on Node's main thread.
#include <node.h>

#include <memory>
#include <string>
#include <thread>

#include "server/main-thread.h"
#include "server/server.h"

namespace valor::server {

namespace {

using v8::Context;
using v8::Function;
using v8::FunctionCallbackInfo;
using v8::Isolate;
using v8::Local;
using v8::Object;
using v8::Value;

Local<v8::String> text(Isolate* isolate, std::string_view value) {
  return v8::String::NewFromUtf8(isolate, value.data(), v8::NewStringType::kNormal, static_cast<int>(value.size()))
      .ToLocalChecked();
}

// The fields of an options object. The command line has checked them; here they are only converted.
class Fields {
 public:
  Fields(Local<Context> context, Local<Object> object) : context_(context), object_(object) {}

  Local<Value> get(std::string_view name) const {
    Local<Value> value;
    if (!object_->Get(context_, text(Isolate::GetCurrent(), name)).ToLocal(&value))
      return v8::Undefined(Isolate::GetCurrent());
    return value;
  }
  std::string string(std::string_view name) const { return to_string(get(name)); }
  bool flag(std::string_view name) const { return get(name)->BooleanValue(Isolate::GetCurrent()); }
  uint64_t number(std::string_view name) const {
    const double value = get(name)->NumberValue(context_).FromMaybe(0);
    return value > 0 ? static_cast<uint64_t>(value) : 0;
  }
  std::vector<std::string> strings(std::string_view name) const {
    std::vector<std::string> all;
    const Local<Value> value = get(name);
    if (!value->IsArray()) return all;
    const Local<v8::Array> array = value.As<v8::Array>();
    for (uint32_t i = 0; i < array->Length(); ++i) {
      Local<Value> item;
      if (array->Get(context_, i).ToLocal(&item)) all.push_back(to_string(item));
    }
    return all;
  }
  Fields fields(std::string_view name) const {
    const Local<Value> value = get(name);
    return {context_, value->IsObject() ? value.As<Object>() : Object::New(Isolate::GetCurrent())};
  }

  static std::string to_string(Local<Value> value) {
    const v8::String::Utf8Value utf8(Isolate::GetCurrent(), value);
    return *utf8 == nullptr ? std::string() : std::string(*utf8, static_cast<size_t>(utf8.length()));
  }

 private:
  Local<Context> context_;
  Local<Object> object_;
};

core::LogLevel log_level(const std::string& name) {
  if (name == "debug") return core::LogLevel::kDebug;
  if (name == "warn") return core::LogLevel::kWarn;
  if (name == "error") return core::LogLevel::kError;
  if (name == "off") return core::LogLevel::kOff;
  return core::LogLevel::kInfo;
}

plugins::builtin::BrowserDelivery browser_delivery(const std::string& name) {
  using plugins::builtin::BrowserDelivery;
  if (name == "local") return BrowserDelivery::kLocal;
  return name == "open" ? BrowserDelivery::kOpen : BrowserDelivery::kOff;
}

Options to_options(const Fields& fields) {
  Options options;
  options.plugin_files = fields.strings("pluginFiles");
  options.host = fields.string("host");
  options.port = static_cast<uint16_t>(fields.number("port"));
  options.registry = fields.flag("registry");
  options.admin_token = fields.string("adminToken");
  options.browser = browser_delivery(fields.string("browser"));
  options.web_folder = fields.string("webFolder");
  options.log_json = fields.string("log") == "json";
  options.log_level = log_level(fields.string("logLevel"));
  options.access_log = fields.flag("accessLog");
  options.color = fields.flag("color");
  options.drain_timeout_ms = static_cast<uint32_t>(fields.number("drainTimeoutMs"));
  options.io_threads = static_cast<uint32_t>(fields.number("ioThreads"));
  const Fields limits = fields.fields("limits");
  options.limits = {.request_line_bytes = limits.number("requestLineBytes"),
                    .header_bytes = limits.number("headerBytes"),
                    .header_count = limits.number("headerCount"),
                    .body_bytes = limits.number("bodyBytes"),
                    .header_timeout_ms = static_cast<uint32_t>(limits.number("headerTimeoutMs")),
                    .body_timeout_ms = static_cast<uint32_t>(limits.number("bodyTimeoutMs")),
                    .idle_timeout_ms = static_cast<uint32_t>(limits.number("idleTimeoutMs")),
                    .max_connections = static_cast<uint32_t>(limits.number("maxConnections"))};
  return options;
}

// The one server of a process, and who waits for it. Owned by the module instance.
struct Module {
  std::shared_ptr<MainThread> main;
  std::unique_ptr<Server> server;
  std::thread draining;
};

Module& module_of(const FunctionCallbackInfo<Value>& info) {
  return *static_cast<Module*>(info.Data().As<v8::External>()->Value());
}

void reject(Local<Context> context, Local<v8::Promise::Resolver> resolver, std::string_view code,
            const std::string& message) {
  Isolate* isolate = Isolate::GetCurrent();
  const Local<Value> error = v8::Exception::Error(text(isolate, message));
  error.As<Object>()->Set(context, text(isolate, "code"), text(isolate, code)).Check();
  resolver->Reject(context, error).Check();
}

std::string_view code_of(StartFailure failure) {
  switch (failure) {
    case StartFailure::kConfig:
      return "ERR_CONFIG";
    case StartFailure::kListen:
      return "ERR_LISTEN";
    case StartFailure::kStart:
      break;
  }
  return "ERR_START";
}

using SharedResolver = std::shared_ptr<v8::Global<v8::Promise::Resolver>>;

void resolve_started(Module& module, Local<Context> context, const SharedResolver& pending, const std::string& host,
                     const std::vector<std::string>& failed) {
  Isolate* isolate = Isolate::GetCurrent();
  if (module.server == nullptr) return;
  std::vector<Local<Value>> names;
  for (const std::string& name : failed) names.push_back(text(isolate, name));
  const Local<Object> started = Object::New(isolate);
  auto set = [&](std::string_view name, Local<Value> value) {
    started->Set(context, text(isolate, name), value).Check();
  };
  set("host", text(isolate, host));
  set("port", v8::Integer::New(isolate, module.server->port()));
  set("plugins", v8::Number::New(isolate, static_cast<double>(module.server->plugin_count())));
  set("failed", v8::Array::New(isolate, names.data(), names.size()));
  pending->Get(isolate)->Resolve(context, started).Check();
  pending->Reset();
}

// start(options, stripTypes): Promise
void start(const FunctionCallbackInfo<Value>& info) {
  Isolate* isolate = info.GetIsolate();
  const Local<Context> context = isolate->GetCurrentContext();
  Module& module = module_of(info);
  const Local<v8::Promise::Resolver> resolver = v8::Promise::Resolver::New(context).ToLocalChecked();
  info.GetReturnValue().Set(resolver->GetPromise());
  if (module.server != nullptr) return reject(context, resolver, "ERR_START", "the server is running already");

  const Fields fields(context, info[0].As<Object>());
  const Options options = to_options(fields);
  const std::string resources = fields.string("resourceDir");
  auto snapshot = engine::Snapshot::load(resources + "/valor.snapshot", plugins::js::all_natives());
  if (!snapshot) return reject(context, resolver, "ERR_START", snapshot.error().message);

  module.main = MainThread::create(isolate);
  module.main->set_strip(info[1].As<Function>());
  const auto main = module.main;
  auto pending = std::make_shared<v8::Global<v8::Promise::Resolver>>(isolate, resolver);
  auto settled = [&module, main, pending, host = options.host](std::vector<std::string> failed) {
    main->post([&module, pending, host, failed = std::move(failed)](Local<Context> main_context) {
      resolve_started(module, main_context, pending, host, failed);
    });
  };
  auto server = Server::start(
      options,
      {.platform = node::GetMultiIsolatePlatform(node::GetCurrentEnvironment(context)),
       .snapshot = *snapshot,
       .lazy = std::make_shared<engine::LazyScripts>(resources + "/lazy"),
       .strip = [main](const std::string& path, const std::string& source) { return main->strip(path, source); }},
      std::move(settled));
  if (auto* error = std::get_if<StartError>(&server)) {
    module.main->close();
    return reject(context, resolver, code_of(error->kind), error->message);
  }
  module.server = std::move(std::get<std::unique_ptr<Server>>(server));
}

void stop_now(Module& module) {
  if (module.main != nullptr) module.main->close();
  if (module.server != nullptr) module.server->cancel_drain();
  if (module.draining.joinable()) module.draining.join();
  if (module.server == nullptr) return;
  Server* server = module.server.release();
  // Otherwise a thread is stuck in native code, uses the server, and ends with the process.
  if (server->stop()) delete server;
}

// stop(): void
void stop(const FunctionCallbackInfo<Value>& info) {
  stop_now(module_of(info));
}

// drain(): Promise
void drain(const FunctionCallbackInfo<Value>& info) {
  Isolate* isolate = info.GetIsolate();
  const Local<Context> context = isolate->GetCurrentContext();
  Module& module = module_of(info);
  const Local<v8::Promise::Resolver> resolver = v8::Promise::Resolver::New(context).ToLocalChecked();
  info.GetReturnValue().Set(resolver->GetPromise());
  if (module.server == nullptr || module.draining.joinable()) {
    resolver->Resolve(context, v8::Undefined(isolate)).Check();
    return;
  }
  auto pending = std::make_shared<v8::Global<v8::Promise::Resolver>>(isolate, resolver);
  module.draining = std::thread([server = module.server.get(), main = module.main, pending] {
    server->drain();
    main->post([pending](Local<Context> main_context) {
      Isolate* main_isolate = Isolate::GetCurrent();
      pending->Get(main_isolate)->Resolve(main_context, v8::Undefined(main_isolate)).Check();
      pending->Reset();
    });
  });
}

void initialise(Local<Object> exports, Local<Value>, Local<Context> context, void*) {
  Isolate* isolate = Isolate::GetCurrent();
  auto* module = new Module;
  // At the natural end of the process; process.exit() does not come here, so the command line calls stop() then.
  node::AddEnvironmentCleanupHook(isolate, [](void* data) { stop_now(*static_cast<Module*>(data)); }, module);
  const Local<v8::External> data = v8::External::New(isolate, module);
  auto set = [&](std::string_view name, v8::FunctionCallback callback) {
    exports->Set(context, text(isolate, name), Function::New(context, callback, data).ToLocalChecked()).Check();
  };
  set("start", start);
  set("drain", drain);
  set("stop", stop);
  exports->Set(context, text(isolate, "version"), text(isolate, VALOR_VERSION)).Check();
}

}  // namespace

}  // namespace valor::server

NODE_MODULE_CONTEXT_AWARE(valor, valor::server::initialise)
