// The outline of a WebAssembly module: what it imports, exports and declares, as far as a host has to know it before V8
// compiles the module. https://webassembly.github.io/spec/core/binary/modules.html
//
// Pure: bytes in, data out. Whether the module is valid is for V8 to say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace valor::plugins::wasm {

/// A type of values, by the first byte of its binary form.
enum class ValueType : uint8_t { kI32 = 0x7f, kI64 = 0x7e, kF32 = 0x7d, kF64 = 0x7c, kV128 = 0x7b };

/// "i32"; "ref" for types of references.
std::string_view to_string(ValueType type);

struct Signature {
  std::vector<ValueType> parameters;
  std::vector<ValueType> results;
  bool operator==(const Signature&) const = default;
};

/// "(i32, i64) -> i32"
std::string to_string(const Signature& signature);

enum class ExternalKind : uint8_t { kFunction = 0, kTable = 1, kMemory = 2, kGlobal = 3, kTag = 4 };

/// "function", "table", ...
std::string_view to_string(ExternalKind kind);

struct Import {
  std::string module;
  std::string name;
  ExternalKind kind;
  uint32_t type = 0;  ///< functions: index into types
};

struct Export {
  std::string name;
  ExternalKind kind;
  uint32_t index = 0;
};

struct MemoryType {
  static constexpr uint8_t kHasMaximum = 1;
  static constexpr uint8_t kShared = 2;
  static constexpr uint8_t k64Bit = 4;
  uint8_t flags = 0;
  uint64_t minimum = 0;  ///< pages
  uint64_t maximum = 0;  ///< pages, with kHasMaximum
};

/// A section, as offsets from the start of the module.
struct Section {
  size_t start = 0;    ///< of its id
  size_t content = 0;  ///< of what follows its size
  size_t end = 0;
};

struct ModuleLayout {
  std::vector<std::optional<Signature>> types;  ///< nothing for types of anything but functions
  std::vector<Import> imports;
  std::vector<uint32_t> functions;   ///< types of the functions that it defines, which come after the imported ones
  std::vector<MemoryType> memories;  ///< that it defines
  std::vector<Export> exports;
  std::optional<Section> memory_section;

  const Export* find_export(std::string_view name) const;
  /// nullptr where the module is invalid.
  const Signature* signature_of_type(uint32_t type) const;
  const Signature* signature_of_function(uint32_t index) const;
  uint32_t imported(ExternalKind kind) const;
};

/// The bytes that every WebAssembly file begins with.
constexpr std::string_view kMagic{"\0asm", 4};

/// Fails with a sentence, without the file's name, when `bytes` are no module, or one that is torn. The sentence for a
/// component names the kind of plug-in for it.
core::Result<ModuleLayout> read_layout(std::string_view bytes);

}  // namespace valor::plugins::wasm
