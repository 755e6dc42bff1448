#include "engine/native-registry.h"

namespace valor::engine {

std::vector<intptr_t> NativeRegistry::external_references() const {
  std::vector<intptr_t> references;
  references.reserve(natives_.size() + references_.size() + 1);
  for (const auto& native : natives_) references.push_back(reinterpret_cast<intptr_t>(native.callback));
  for (const auto& reference : references_) references.push_back(reference.address);
  references.push_back(0);
  return references;
}

uint64_t NativeRegistry::fingerprint() const {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  auto mix = [&](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
  auto mix_name = [&](const char* name) {
    for (const char* at = name; *at != '\0'; at++) mix(static_cast<unsigned char>(*at));
    mix(0);
  };
  for (const auto& native : natives_) mix_name(native.name);
  for (const auto& reference : references_) mix_name(reference.name);
  return hash;
}

}  // namespace valor::engine
