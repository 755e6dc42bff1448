// The routes in force: which instances answer which mount. A table never changes; a change is a new table.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/router.h"
#include "core/site.h"
#include "host/instance.h"

namespace valor::host {

struct RoutedPlugin {
  std::shared_ptr<Plugin> plugin;
  std::vector<std::shared_ptr<Instance>> instances;
  std::string refusal;  ///< why nobody can answer now (502); "" where somebody can

  /// The instance that takes the next request, with a place reserved there; nullptr when all queues are full. Prefers
  /// the one on `here`, then the one with the least to do; wakes a dormant one when all others are busy.
  Instance* reserve(const net::EventLoop& here) const;
};

struct RouteTable {
  uint64_t version = 0;
  core::Router router;  ///< ids are indexes of `plugins`
  std::vector<RoutedPlugin> plugins;
  core::Site site;  ///< plug-ins whose public URL is another than the server's with their mount
};

/// Thread-safe.
class Routes {
 public:
  /// Cheap: to be compared before each use of a table that one holds.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  std::shared_ptr<const RouteTable> table() const;
  void publish(std::shared_ptr<const RouteTable> table);

 private:
  std::atomic<uint64_t> version_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<const RouteTable> table_ = std::make_shared<RouteTable>();
};

}  // namespace valor::host
