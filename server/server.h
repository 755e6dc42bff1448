// The server: wires the rooms together. The only place that knows all of them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/modules.h"
#include "host/supervisor.h"
#include "http/handler.h"
#include "net/listener.h"
#include "plugins/builtin/builtin-kind.h"
#include "plugins/js/js-kind.h"
#include "plugins/native/native-kind.h"
#include "plugins/outgoing/instance-network.h"
#include "plugins/wasm/wasm-kind.h"
#include "server/dispatcher.h"
#include "server/io-thread.h"
#include "server/log-writer.h"
#include "server/options.h"

namespace valor::server {

enum class StartFailure {
  kConfig,  ///< a plug-in file or an option is wrong
  kListen,  ///< the address cannot be used
  kStart,   ///< something else the machine refuses
};

struct StartError {
  StartFailure kind;
  std::string message;
};

/// Reads the plug-in files; all mistakes in one message.
core::Result<std::vector<core::Definition>> read_plugin_files(const std::vector<std::string>& files);

class Server {
 public:
  /// Listens and begins to create the plug-ins. `js` says how JavaScript runs. `settled` is called once, on another
  /// thread, with the names of the plug-ins that could not be created.
  static std::variant<std::unique_ptr<Server>, StartError> start(Options options, plugins::js::JsKindOptions js,
                                                                 std::function<void(std::vector<std::string>)> settled);
  ~Server();

  uint16_t port() const { return listener_->port(); }
  size_t plugin_count() const { return plugin_count_; }

  /// Accepts nothing more, lets requests finish for at most Options::drain_timeout_ms. Blocks; any thread.
  void drain();
  /// Makes drain() return at once. Any thread.
  void cancel_drain() { drain_cancelled_ = true; }
  /// Ends everything at once. Blocks for at most a few seconds. Returns false when native code of a plug-in does not
  /// return: its thread then still uses this object, which must not be destroyed.
  bool stop();

 private:
  Server(Options options, plugins::js::JsKindOptions js);

  const Options options_;
  LogWriter log_;
  host::Routes routes_;
  Dispatcher dispatcher_{routes_};
  http::Shared shared_;
  plugins::wasm::WasmKind wasm_;
  plugins::js::JsKind js_;
  plugins::native::NativeKind native_{plugins::outgoing::network_of(&shared_), engine::check_browser_file};
  std::unique_ptr<plugins::builtin::BuiltinKind> builtin_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<IoThread>> io_;
  std::unique_ptr<host::Supervisor> supervisor_;
  size_t plugin_count_ = 0;
  std::atomic<bool> drain_cancelled_{false};
};

}  // namespace valor::server
