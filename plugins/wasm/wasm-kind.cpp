#include "plugins/wasm/wasm-kind.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "plugins/wasm/module-layout.h"
#include "plugins/wasm/wasm-guest.h"

namespace valor::plugins::wasm {

namespace {

// What the engine's own heap may have besides the memory of the guest, which may then grow to its limit exactly. What
// the guest itself has in that heap (tables, objects of its garbage collection) counts with its memory.
constexpr uint64_t kEngineBytes = uint64_t{8} << 20;

bool is_magic_of(const std::string& path) {
  std::array<char, kMagic.size()> first{};
  std::ifstream(path, std::ios::binary).read(first.data(), first.size());
  return std::string_view(first.data(), first.size()) == kMagic;
}

}  // namespace

std::unique_ptr<host::Guest> WasmKind::create(host::GuestContext& context) {
  return std::make_unique<WasmGuest>(context, *this);
}

bool WasmKind::fits(const core::Definition& definition) {
  std::string url = definition.url;
  std::transform(url.begin(), url.end(), url.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (url.ends_with(".wasm")) return true;
  constexpr std::string_view kScripts[] = {".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"};
  if (std::any_of(std::begin(kScripts), std::end(kScripts), [&](auto end) { return url.ends_with(end); })) return false;
  return is_magic_of(definition.url);
}

engine::IsolateBlueprint WasmKind::blueprint(const core::Limits& limits) const {
  return {platform_, nullptr, nullptr, (uint64_t{limits.memory_mb} << 20) + kEngineBytes};
}

}  // namespace valor::plugins::wasm
