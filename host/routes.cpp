#include "host/routes.h"

namespace valor::host {

Instance* RoutedPlugin::reserve(const net::EventLoop& here) const {
  if (instances.size() == 1) return instances[0]->reserve() ? instances[0].get() : nullptr;
  Instance* best = nullptr;
  Instance* dormant = nullptr;
  for (const auto& instance : instances) {
    if (!instance->started()) {
      if (dormant == nullptr) dormant = instance.get();
      continue;
    }
    const bool closer = best != nullptr && instance->load() == best->load() && &instance->loop() == &here;
    if (best == nullptr || instance->load() < best->load() || closer) best = instance.get();
  }
  if (dormant != nullptr && (best == nullptr || best->load() > 0)) best = dormant;
  return best != nullptr && best->reserve() ? best : nullptr;
}

std::shared_ptr<const RouteTable> Routes::table() const {
  std::lock_guard lock(mutex_);
  return table_;
}

void Routes::publish(std::shared_ptr<const RouteTable> table) {
  std::lock_guard lock(mutex_);
  version_.store(table->version, std::memory_order_release);
  table_ = std::move(table);
}

}  // namespace valor::host
