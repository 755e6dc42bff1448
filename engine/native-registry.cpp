#include "engine/native-registry.h"

namespace valor::engine {

std::vector<intptr_t> NativeRegistry::external_references() const {
  std::vector<intptr_t> references;
  references.reserve(natives_.size() + 1);
  for (const auto& native : natives_) references.push_back(reinterpret_cast<intptr_t>(native.callback));
  references.push_back(0);
  return references;
}

uint64_t NativeRegistry::fingerprint() const {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  auto mix = [&](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const auto& native : natives_) {
    for (const char* at = native.name; *at != '\0'; at++) mix(static_cast<unsigned char>(*at));
    mix(0);
  }
  return hash;
}

}  // namespace valor::engine
