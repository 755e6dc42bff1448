// Adding, replacing, removing and listing plug-ins while the server runs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "core/definition.h"
#include "core/result.h"

namespace valor::host {

enum class PluginState {
  kStarting,  ///< its instances are being created
  kRunning,   ///< answers requests
  kBrowser,   ///< runs in browsers only: nothing is created here, and requests get 404
  kFailed,    ///< could not be created, or its instances keep breaking; requests get 502. `error` says why
};

std::string_view to_string(PluginState state);

struct LimitTrip {
  std::string limit;  ///< "timeout_ms", "memory_mb" or "queue"; "" where none has tripped
  uint64_t value = 0;
  uint64_t count = 0;  ///< how often any limit has tripped
  int64_t last_unix_ms = 0;
};

/// A plug-in as it is now.
struct PluginStatus {
  core::Definition definition;
  uint64_t version = 1;  ///< grows with every replacement
  PluginState state = PluginState::kStarting;
  std::string error;
  uint64_t requests = 0;   ///< answered or failed since it was added
  uint64_t failures = 0;   ///< of these, ended with 5xx
  uint64_t in_flight = 0;  ///< waiting or running now
  uint64_t restarts = 0;   ///< instances replaced after a breakdown
  uint32_t instances = 0;  ///< running now
  LimitTrip last_limit;
};

enum class ControlError {
  kExists,       ///< name or mount is taken: 409
  kNotFound,     ///< no plug-in of that name: 404
  kStartFailed,  ///< the definition is fine but the plug-in could not be created: 422
  kStopping,     ///< the server drains: 503
};

struct ControlFailure {
  ControlError error;
  std::string message;
};

using ControlResult = std::variant<PluginStatus, ControlFailure>;
/// Called once, on the supervisor's thread, inside no turn: post to your own loop.
using ControlCallback = std::function<void(ControlResult)>;

/// Thread-safe.
class PluginControl {
 public:
  /// Adds and starts a plug-in; the callback comes when its first instances are ready (or it needs none). A plug-in
  /// that fails to start is not added.
  virtual void add(core::Definition definition, ControlCallback done) = 0;
  /// Replaces the plug-in of that name: the new version starts beside the old one, takes over when it is ready, and the
  /// old one finishes its requests. When the new one fails to start, the old one stays.
  virtual void replace(core::Definition definition, ControlCallback done) = 0;
  /// Takes the plug-in out of the routes and lets it finish its requests; the callback comes when it is gone.
  virtual void remove(std::string name, ControlCallback done) = 0;
  virtual std::vector<PluginStatus> list() = 0;

 protected:
  ~PluginControl() = default;
};

}  // namespace valor::host
