#include "server/server.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/registry.h"

namespace valor::server {

namespace {

constexpr std::string_view kServerHeader = "valor";
constexpr const char* kHealthName = "_health";
constexpr const char* kRegistryName = "_plugins";
constexpr const char* kBrowserName = "_valor";
// How long threads get to end when the server stops; one that does not is stuck in native code.
constexpr uint64_t kThreadPatienceMs = 2000;
constexpr std::chrono::milliseconds kDrainPoll{5};

std::string base_url(const std::string& host, uint16_t port) {
  std::string name = host;
  if (host == "0.0.0.0" || host.empty()) name = "127.0.0.1";
  if (host == "::" || host == "[::]") name = "[::1]";
  if (name.find(':') != std::string::npos && name.front() != '[') name = "[" + name + "]";
  return "http://" + name + ":" + std::to_string(port) + "/";
}

// What is certain to be this server, from inside. Not what a Host header says, which is the client's.
core::Site site_of(const std::string& host, uint16_t port) {
  core::Site site;
  std::string origin = base_url(host, port);
  origin.pop_back();
  if (port == 80) origin.resize(origin.size() - std::string_view(":80").size());
  const bool any = origin.starts_with("http://127.0.0.1") || origin.starts_with("http://[::1]");
  site.add_origin(origin);
  if (any) site.add_origin("http://localhost" + (port == 80 ? std::string() : ":" + std::to_string(port)));
  return site;
}

uint32_t io_thread_count(const Options& options) {
  if (options.io_threads > 0) return options.io_threads;
  return std::max(1u, std::thread::hardware_concurrency() / 2);
}

plugins::js::JsKindOptions with_server(plugins::js::JsKindOptions options, http::Shared& server) {
  options.server = &server;
  return options;
}

core::Definition builtin(const char* name, const char* which) {
  core::Definition definition;
  definition.type = core::PluginType::kStatic;
  definition.name = definition.prefix = name;
  definition.builtin = which;
  return definition;
}

void add_builtins(std::vector<core::Definition>& definitions, const Options& options) {
  // An operator's own plug-in of that name or mount goes first.
  auto taken = [&](std::string_view name) {
    return std::any_of(definitions.begin(), definitions.end(), [&](const core::Definition& definition) {
      return definition.name == name || definition.prefix == name;
    });
  };
  if (!taken(kHealthName)) definitions.push_back(builtin(kHealthName, "health"));
  if (options.registry && !taken(kRegistryName)) definitions.push_back(builtin(kRegistryName, "registry"));
  if (options.browser != plugins::builtin::BrowserDelivery::kOff && !taken(kBrowserName)) {
    definitions.push_back(builtin(kBrowserName, "browser"));
    // Most servers are never asked for it.
    definitions.back().instances.min = 0;
  }
}

}  // namespace

core::Result<std::vector<core::Definition>> read_plugin_files(const std::vector<std::string>& files) {
  std::vector<core::Definition> all;
  std::string mistakes;
  core::Registry names;
  for (const std::string& file : files) {
    std::ifstream stream(file, std::ios::binary);
    std::stringstream text;
    if (std::error_code error; !stream || std::filesystem::is_directory(file, error)) {
      mistakes += file + ": cannot be read; -p takes the path of a plug-in file\n";
      continue;
    }
    text << stream.rdbuf();
    auto definitions = core::parse_plugin_file(text.str(), file);
    if (!definitions) {
      mistakes += definitions.error().message + "\n";
      continue;
    }
    const auto folder = std::filesystem::absolute(file).lexically_normal().parent_path();
    for (core::Definition& definition : *definitions) {
      core::resolve_paths(definition, folder.string());
      // One file has been checked in itself; several may contradict each other.
      auto added = names.add(definition);
      if (auto* failure = std::get_if<core::RegistryFailure>(&added)) mistakes += file + ": " + failure->message + "\n";
      all.push_back(std::move(definition));
    }
  }
  if (!mistakes.empty()) {
    while (!mistakes.empty() && mistakes.back() == '\n') mistakes.pop_back();
    return core::Error{std::move(mistakes)};
  }
  return all;
}

Server::Server(Options options, plugins::js::JsKindOptions js)
    : options_(std::move(options)),
      log_({.json = options_.log_json,
            .color = options_.color,
            .access = options_.access_log,
            .level = options_.log_level}),
      shared_{dispatcher_, log_, options_.limits, std::string(kServerHeader)},
      wasm_(js.platform, plugins::outgoing::network_of(&shared_)),
      js_(with_server(std::move(js), shared_)) {}

std::variant<std::unique_ptr<Server>, StartError> Server::start(Options options, plugins::js::JsKindOptions js,
                                                                std::function<void(std::vector<std::string>)> settled) {
  auto definitions = read_plugin_files(options.plugin_files);
  if (!definitions) return StartError{StartFailure::kConfig, definitions.error().message};
  if (options.registry && options.admin_token.empty() && !net::is_loopback(options.host)) {
    return StartError{StartFailure::kConfig,
                      "-w on " + options.host +
                          " would let anybody who reaches it add plug-ins: give a token with --admin-token-file or "
                          "VALOR_ADMIN_TOKEN, or listen on 127.0.0.1"};
  }
  add_builtins(*definitions, options);

  auto strip = js.strip;
  std::unique_ptr<Server> server(new Server(std::move(options), std::move(js)));
  auto listener = net::Listener::open(server->options_.host, server->options_.port);
  if (!listener) return StartError{StartFailure::kListen, listener.error().message};
  server->listener_ = std::move(*listener);

  server->dispatcher_.set_site(site_of(server->options_.host, server->port()));

  std::vector<net::EventLoop*> loops;
  for (uint32_t i = 0; i < io_thread_count(server->options_); ++i) {
    auto io = IoThread::create(*server->listener_, server->shared_);
    if (!io) return StartError{StartFailure::kStart, io.error().message};
    loops.push_back(&(*io)->loop());
    server->io_.push_back(std::move(*io));
  }
  auto kind = [self = server.get()](const core::Definition& definition) -> host::Kind& {
    switch (definition.type) {
      case core::PluginType::kNative:
        return self->native_;
      case core::PluginType::kWeb:
        if (plugins::wasm::WasmKind::fits(definition)) return self->wasm_;
        return self->js_;
      case core::PluginType::kStatic:
        break;
    }
    return *self->builtin_;
  };
  auto supervisor = host::Supervisor::create({.routes = server->routes_,
                                              .log = server->log_,
                                              .kind = std::move(kind),
                                              .base_url = base_url(server->options_.host, server->port()),
                                              .loops = loops,
                                              .check_for_browsers = engine::check_browser_file,
                                              .drain_ms = server->options_.drain_timeout_ms});
  if (!supervisor) return StartError{StartFailure::kStart, supervisor.error().message};
  server->supervisor_ = std::move(*supervisor);
  server->builtin_ = std::make_unique<plugins::builtin::BuiltinKind>(
      plugins::builtin::BuiltinOptions{.control = server->supervisor_.get(),
                                       .registry_enabled = server->options_.registry,
                                       .admin_token = server->options_.admin_token,
                                       .browser = {.delivery = server->options_.browser,
                                                   .web_folder = server->options_.web_folder,
                                                   .tools = {.strip = std::move(strip),
                                                             .digest = engine::digest,
                                                             .is_module = plugins::wasm::WasmKind::fits,
                                                             .kept_back = server->options_.plugin_files}}});
  server->plugin_count_ = definitions->size();
  // The routes are there before the first connection is.
  server->supervisor_->load(std::move(*definitions), std::move(settled));
  for (auto& io : server->io_) io->start();
  return server;
}

Server::~Server() {
  stop();
}

void Server::drain() {
  shared_.draining = true;
  for (auto& io : io_) io->stop_accepting();
  listener_->close();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.drain_timeout_ms);
  while (shared_.connections > 0 && !drain_cancelled_ && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kDrainPoll);
  }
  if (shared_.connections > 0 && !drain_cancelled_) {
    log_.write(core::LogLevel::kWarn, "server",
               std::to_string(shared_.connections) + " connections did not finish within the drain timeout (" +
                   std::to_string(options_.drain_timeout_ms) + " ms) and are closed");
  }
}

bool Server::stop() {
  if (supervisor_ == nullptr) return true;
  shared_.draining = true;
  if (!supervisor_->shut_down(kThreadPatienceMs)) return false;
  io_.clear();
  supervisor_.reset();
  return true;
}

}  // namespace valor::server
