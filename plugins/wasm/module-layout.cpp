#include "plugins/wasm/module-layout.h"

#include <algorithm>

#include "plugins/wasm/byte-reader.h"

namespace valor::plugins::wasm {

namespace {

// The file's magic and its version. A component has the same magic, and a version whose upper half, the layer, is 1.
// https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md
constexpr size_t kHeadSize = 8;
constexpr std::string_view kVersion{"\1\0\0\0", 4};
constexpr std::string_view kComponentLayer{"\1\0", 2};

// What V8 accepts at most of each, which bounds what a file of a given size makes us keep.
constexpr uint32_t kMostEntries = 1'000'000;
// Each reserves gigabytes of addresses.
constexpr uint32_t kMostMemories = 64;

// Of those that are read here, each comes at most once, in this order.
enum SectionId : uint8_t { kType = 1, kImport = 2, kFunction = 3, kMemory = 5, kExport = 7 };

bool is_read(uint8_t id) {
  return id == kType || id == kImport || id == kFunction || id == kMemory || id == kExport;
}

uint32_t count_of(ByteReader& reader, uint32_t most = kMostEntries) {
  const uint32_t count = reader.count();
  if (count > most) reader.fail();
  return reader.failed() ? 0 : count;
}

void skip_heap_type(ByteReader& reader) {
  // shared, exact
  while (reader.peek() == 0x65 || reader.peek() == 0x62) reader.byte();
  reader.skip_s33();
}

ValueType read_value_type(ByteReader& reader) {
  const uint8_t first = reader.byte();
  if (first == 0x63 || first == 0x64) skip_heap_type(reader);  // (ref null ht), (ref ht)
  if (first < 0x40 || first > 0x7f) reader.fail();
  return static_cast<ValueType>(first);
}

std::vector<ValueType> read_value_types(ByteReader& reader) {
  std::vector<ValueType> types;
  for (uint32_t left = count_of(reader, 1000); left > 0 && !reader.failed(); --left) {
    types.push_back(read_value_type(reader));
  }
  return types;
}

void skip_field(ByteReader& reader) {
  // i8, i16
  if (reader.peek() == 0x78 || reader.peek() == 0x77) {
    reader.byte();
  } else {
    read_value_type(reader);
  }
  reader.byte();
}

std::optional<Signature> read_type(ByteReader& reader) {
  uint8_t form = reader.byte();
  // sub, sub final
  if (form == 0x50 || form == 0x4f) {
    for (uint32_t left = count_of(reader); left > 0 && !reader.failed(); --left) reader.u32();
    form = reader.byte();
  }
  // shared
  if (form == 0x65) form = reader.byte();
  switch (form) {
    case 0x60: {
      Signature signature;
      signature.parameters = read_value_types(reader);
      signature.results = read_value_types(reader);
      return signature;
    }
    case 0x5f:
      for (uint32_t left = count_of(reader); left > 0 && !reader.failed(); --left) skip_field(reader);
      return std::nullopt;
    case 0x5e:
      skip_field(reader);
      return std::nullopt;
    default:
      reader.fail();
      return std::nullopt;
  }
}

void read_types(ByteReader& reader, ModuleLayout& layout) {
  for (uint32_t left = count_of(reader); left > 0 && !reader.failed(); --left) {
    if (reader.peek() != 0x4e) {
      layout.types.push_back(read_type(reader));
      continue;
    }
    reader.byte();  // a group of types that may name each other
    for (uint32_t in_group = count_of(reader); in_group > 0 && !reader.failed(); --in_group) {
      layout.types.push_back(read_type(reader));
      if (layout.types.size() > kMostEntries) reader.fail();
    }
  }
}

MemoryType read_limits(ByteReader& reader) {
  MemoryType type;
  type.flags = reader.byte();
  type.minimum = reader.u64();
  if ((type.flags & MemoryType::kHasMaximum) != 0) type.maximum = reader.u64();
  if (type.flags > (MemoryType::kHasMaximum | MemoryType::kShared | MemoryType::k64Bit)) reader.fail();
  return type;
}

void read_imports(ByteReader& reader, ModuleLayout& layout) {
  for (uint32_t left = count_of(reader); left > 0 && !reader.failed(); --left) {
    Import import;
    import.module = reader.name();
    import.name = reader.name();
    import.kind = static_cast<ExternalKind>(reader.byte());
    switch (import.kind) {
      case ExternalKind::kFunction:
        import.type = reader.u32();
        break;
      case ExternalKind::kTable:
        read_value_type(reader);
        read_limits(reader);
        break;
      case ExternalKind::kMemory:
        read_limits(reader);
        break;
      case ExternalKind::kGlobal:
        read_value_type(reader);
        reader.byte();
        break;
      case ExternalKind::kTag:
        reader.byte();
        reader.u32();
        break;
      default:
        reader.fail();
    }
    layout.imports.push_back(std::move(import));
  }
}

void read_functions(ByteReader& reader, ModuleLayout& layout) {
  for (uint32_t left = count_of(reader); left > 0 && !reader.failed(); --left) layout.functions.push_back(reader.u32());
}

void read_memories(ByteReader& reader, ModuleLayout& layout) {
  for (uint32_t left = count_of(reader, kMostMemories); left > 0 && !reader.failed(); --left) {
    layout.memories.push_back(read_limits(reader));
  }
}

void read_exports(ByteReader& reader, ModuleLayout& layout) {
  for (uint32_t left = count_of(reader); left > 0 && !reader.failed(); --left) {
    Export entry;
    entry.name = reader.name();
    entry.kind = static_cast<ExternalKind>(reader.byte());
    entry.index = reader.u32();
    if (entry.kind > ExternalKind::kTag) reader.fail();
    layout.exports.push_back(std::move(entry));
  }
}

void read_section(uint8_t id, ByteReader& reader, const Section& section, ModuleLayout& layout) {
  switch (id) {
    case kType:
      read_types(reader, layout);
      break;
    case kImport:
      read_imports(reader, layout);
      break;
    case kFunction:
      read_functions(reader, layout);
      break;
    case kMemory:
      layout.memory_section = section;
      read_memories(reader, layout);
      break;
    case kExport:
      read_exports(reader, layout);
      break;
    default:
      return;
  }
  if (reader.left() > 0) reader.fail();
}

core::Error check_head(std::string_view bytes) {
  if (bytes.empty()) return {"the file is empty"};
  if (bytes.size() < kHeadSize && kMagic.starts_with(bytes.substr(0, kMagic.size()))) return {"the file is cut short"};
  if (!bytes.starts_with(kMagic)) {
    return {
        "the file is no WebAssembly module: it does not begin with \"\\0asm\". A script has a name that ends in .js, "
        ".mjs, .ts or .mts"};
  }
  if (bytes.substr(6, 2) == kComponentLayer) {
    return {"the file is a WebAssembly component, not a module. Components are plug-ins of \"type\": \"wasi\""};
  }
  if (bytes.substr(4, 4) != kVersion) {
    return {"the file is of another version of WebAssembly than 1 (its bytes 4 to 7 are not 1, 0, 0, 0)"};
  }
  return {};
}

}  // namespace

std::string_view to_string(ValueType type) {
  switch (type) {
    case ValueType::kI32:
      return "i32";
    case ValueType::kI64:
      return "i64";
    case ValueType::kF32:
      return "f32";
    case ValueType::kF64:
      return "f64";
    case ValueType::kV128:
      return "v128";
  }
  return "ref";
}

std::string to_string(const Signature& signature) {
  auto list = [](const std::vector<ValueType>& types) {
    std::string text;
    for (const ValueType type : types) text.append(text.empty() ? "" : ", ").append(to_string(type));
    return text;
  };
  std::string text = "(" + list(signature.parameters) + ")";
  if (!signature.results.empty()) text += " -> " + list(signature.results);
  return text;
}

std::string_view to_string(ExternalKind kind) {
  switch (kind) {
    case ExternalKind::kFunction:
      return "function";
    case ExternalKind::kTable:
      return "table";
    case ExternalKind::kMemory:
      return "memory";
    case ExternalKind::kGlobal:
      return "global";
    case ExternalKind::kTag:
      break;
  }
  return "tag";
}

const Export* ModuleLayout::find_export(std::string_view name) const {
  const auto found = std::find_if(exports.begin(), exports.end(), [&](const Export& e) { return e.name == name; });
  return found == exports.end() ? nullptr : &*found;
}

const Signature* ModuleLayout::signature_of_type(uint32_t type) const {
  return type < types.size() && types[type] ? &*types[type] : nullptr;
}

const Signature* ModuleLayout::signature_of_function(uint32_t index) const {
  for (const Import& import : imports) {
    if (import.kind != ExternalKind::kFunction) continue;
    if (index-- == 0) return signature_of_type(import.type);
  }
  return index < functions.size() ? signature_of_type(functions[index]) : nullptr;
}

uint32_t ModuleLayout::imported(ExternalKind kind) const {
  return static_cast<uint32_t>(
      std::count_if(imports.begin(), imports.end(), [&](const Import& import) { return import.kind == kind; }));
}

core::Result<ModuleLayout> read_layout(std::string_view bytes) {
  if (core::Error error = check_head(bytes); !error.message.empty()) return error;
  ModuleLayout layout;
  ByteReader reader(bytes, kHeadSize);
  uint8_t last = 0;
  while (reader.left() > 0) {
    Section section;
    section.start = reader.at();
    const uint8_t id = reader.byte();
    const uint32_t size = reader.u32();
    section.content = reader.at();
    reader.take(size);
    if (reader.failed()) {
      return core::Error{"the file is cut short: its section at byte " + std::to_string(section.start) +
                         " does not end within it"};
    }
    section.end = reader.at();
    if (!is_read(id)) continue;
    if (id <= last) return core::Error{"the section at byte " + std::to_string(section.start) + " is out of order"};
    last = id;
    ByteReader content(bytes.substr(0, section.end), section.content);
    read_section(id, content, section, layout);
    if (content.failed()) {
      return core::Error{"the section at byte " + std::to_string(section.start) + " (of kind " + std::to_string(id) +
                         ") is invalid, or uses what this Valor does not know"};
    }
  }
  return layout;
}

}  // namespace valor::plugins::wasm
