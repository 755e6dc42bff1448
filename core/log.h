// Where everything that happens is reported. Writing never blocks: a sink that is full counts what it drops.
#pragma once

#include <cstdint>
#include <string_view>

namespace valor::core {

enum class LogLevel { kDebug, kInfo, kWarn, kError, kOff };

/// One finished request. Views are borrowed for the call.
struct AccessRecord {
  std::string_view method;
  std::string_view target;
  uint16_t status;
  std::string_view plugin;  ///< "" where none answered
  std::string_view request_id;
  uint64_t microseconds;         ///< from the end of the request's head to the end of the answer
  std::string_view caller = {};  ///< the plug-in that fetched it inside this server; "" where it came from outside
};

/// Thread-safe.
class Log {
 public:
  /// `source` is the plug-in's name, or a part of Valor ("server", "http"). Views are borrowed for the call.
  virtual void write(LogLevel level, std::string_view source, std::string_view message) = 0;
  virtual void access(const AccessRecord& record) = 0;
  /// Whether records of this level are kept; ask before building an expensive message.
  virtual bool keeps(LogLevel level) const = 0;
  virtual bool keeps_access() const = 0;

 protected:
  ~Log() = default;
};

}  // namespace valor::core
