// A plug-in in one version: its definition, and what is counted of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "core/definition.h"
#include "core/log.h"
#include "host/plugin-control.h"

namespace valor::host {

/// Counters live on when a plug-in is replaced by a new version. Thread-safe.
struct PluginCounters {
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> failures{0};
  std::atomic<uint64_t> restarts{0};

  void limit_tripped(const std::string& limit, uint64_t value, int64_t unix_ms) {
    std::lock_guard lock(mutex);
    last_limit = {limit, value, last_limit.count + 1, unix_ms};
  }
  LimitTrip limit_trip() const {
    std::lock_guard lock(mutex);
    return last_limit;
  }

 private:
  mutable std::mutex mutex;
  LimitTrip last_limit;
};

/// Shared by the instances of one version. Immutable but for the counters.
struct Plugin {
  const core::Definition definition;
  const std::string
      location;    ///< public URL of the mount; with a slash at the end, unless the definition gives another
  core::Log& log;  ///< outlives the plug-in
  const std::shared_ptr<PluginCounters> counters;
};

}  // namespace valor::host
