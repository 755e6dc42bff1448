// Writes WebAssembly modules for tests: such that no compiler would make.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/wasm/byte-reader.h"
#include "plugins/wasm/module-layout.h"

namespace valor::plugins::wasm::testing {

/// Instructions, as far as tests need them.
class Code {
 public:
  Code& op(uint8_t byte) {
    bytes += static_cast<char>(byte);
    return *this;
  }
  Code& index(uint8_t instruction, uint64_t value) {
    op(instruction);
    append_leb(bytes, value);
    return *this;
  }
  Code& i32(int32_t value) {
    op(0x41);
    return signed_leb(value);
  }
  Code& i64(int64_t value) {
    op(0x42);
    return signed_leb(value);
  }
  Code& local(uint32_t local) { return index(0x20, local); }
  Code& call(uint32_t function) { return index(0x10, function); }

  std::string bytes;

 private:
  Code& signed_leb(int64_t value) {
    for (;;) {
      const auto low = static_cast<uint8_t>(value & 0x7f);
      value >>= 7;
      const bool last = (value == 0 && (low & 0x40) == 0) || (value == -1 && (low & 0x40) != 0);
      op(last ? low : static_cast<uint8_t>(low | 0x80));
      if (last) return *this;
    }
  }
};

class ModuleWriter {
 public:
  /// All functions are imported before the first is defined. Returns the function's index.
  uint32_t import_function(std::string_view module, std::string_view name, const Signature& signature) {
    std::string entry;
    append_name(entry, module);
    append_name(entry, name);
    entry += '\0';
    append_leb(entry, type(signature));
    imports_.push_back(std::move(entry));
    return functions_++;
  }
  void import_other(std::string_view module, std::string_view name, std::string_view kind_and_type) {
    std::string entry;
    append_name(entry, module);
    append_name(entry, name);
    entry += kind_and_type;
    imports_.push_back(std::move(entry));
  }
  uint32_t function(const Signature& signature, const Code& code, std::string_view exported = {}) {
    std::string entry;
    append_leb(entry, type(signature));
    definitions_.push_back(std::move(entry));
    std::string body(1, '\0');  // no locals
    body += code.bytes;
    body += '\x0b';
    std::string sized;
    append_leb(sized, body.size());
    bodies_.push_back(sized + body);
    if (!exported.empty()) add_export(exported, ExternalKind::kFunction, functions_);
    return functions_++;
  }
  void memory(MemoryType memory) {
    std::string entry(1, static_cast<char>(memory.flags));
    append_leb(entry, memory.minimum);
    if ((memory.flags & MemoryType::kHasMaximum) != 0) append_leb(entry, memory.maximum);
    memories_.push_back(std::move(entry));
  }
  /// For exceptions without values.
  void tag() {
    std::string entry(1, '\0');
    append_leb(entry, type({}));
    tags_.push_back(std::move(entry));
  }
  void add_export(std::string_view name, ExternalKind kind, uint32_t index) {
    std::string entry;
    append_name(entry, name);
    entry += static_cast<char>(kind);
    append_leb(entry, index);
    exports_.push_back(std::move(entry));
  }
  void start(uint32_t function) { start_ = static_cast<int64_t>(function); }

  std::string bytes() const {
    std::string out("\0asm\1\0\0\0", 8);
    section(out, 1, types_);
    section(out, 2, imports_);
    section(out, 3, definitions_);
    section(out, 5, memories_);
    section(out, 13, tags_);
    section(out, 7, exports_);
    if (start_ >= 0) {
      std::string content;
      append_leb(content, static_cast<uint64_t>(start_));
      append_section(out, 8, content);
    }
    section(out, 10, bodies_);
    return out;
  }

  static void append_section(std::string& out, uint8_t id, const std::string& content) {
    out += static_cast<char>(id);
    append_leb(out, content.size());
    out += content;
  }

 private:
  uint32_t type(const Signature& signature) {
    std::string entry(1, '\x60');
    for (const auto* list : {&signature.parameters, &signature.results}) {
      append_leb(entry, list->size());
      for (const ValueType value : *list) entry += static_cast<char>(value);
    }
    for (uint32_t i = 0; i < types_.size(); ++i) {
      if (types_[i] == entry) return i;
    }
    types_.push_back(std::move(entry));
    return static_cast<uint32_t>(types_.size() - 1);
  }
  static void append_name(std::string& out, std::string_view name) {
    append_leb(out, name.size());
    out += name;
  }
  static void section(std::string& out, uint8_t id, const std::vector<std::string>& entries) {
    if (entries.empty()) return;
    std::string content;
    append_leb(content, entries.size());
    for (const std::string& entry : entries) content += entry;
    append_section(out, id, content);
  }

  std::vector<std::string> types_, imports_, definitions_, memories_, tags_, exports_, bodies_;
  uint32_t functions_ = 0;
  int64_t start_ = -1;
};

constexpr ValueType kI32 = ValueType::kI32;
constexpr ValueType kI64 = ValueType::kI64;

/// What a guest is made of: change it before write().
struct GuestParts {
  std::vector<MemoryType> memories = {{.minimum = 1}};
  int32_t abi = 1;
  int32_t allocated = 1024;  ///< what valor_alloc() returns
  Code start = {};           ///< of valor_start: locals 0 self, 1 request, 2 head, 3 its size, and no others
  Code complete = {}, drop = {}, destroy = {};  ///< the same of these
  Code create = Code().i32(0);                  ///< after create_done(); leaves an i32
  std::string without = {};                     ///< an export that is left out
  bool throws = false;                          ///< it has a tag, 0
  bool starts = false;                          ///< it has a start function
  Code at_start = {};                           ///< its instructions
  std::vector<std::pair<std::string, Signature>> imports =
      {};  ///< from "valor", besides create_done: functions 1, 2, ...

  std::string write() const {
    ModuleWriter module;
    const uint32_t create_done = module.import_function("valor", "create_done", {{kI64}, {kI32}});
    for (const auto& [name, signature] : imports) module.import_function("valor", name, signature);
    for (const MemoryType& memory : memories) module.memory(memory);
    if (throws) module.tag();
    auto define = [&](std::string_view name, const Signature& signature, const Code& code) {
      module.function(signature, code, name == without ? std::string_view() : name);
    };
    if (without != "memory") module.add_export("memory", ExternalKind::kMemory, 0);
    define("valor_abi", {{}, {kI32}}, Code().i32(abi));
    define("valor_alloc", {{kI32}, {kI32}}, Code().i32(allocated));
    define("valor_free", {{kI32, kI32}, {}}, {});
    Code creation = Code().local(0).call(create_done).op(0x1a);
    creation.bytes += create.bytes;
    define("valor_create", {{kI64}, {kI32}}, creation);
    define("valor_start", {{kI32, kI64, kI32, kI32}, {}}, start);
    define("valor_complete", {{kI32, kI64, kI32, kI32, kI32}, {}}, complete);
    define("valor_drop", {{kI32, kI64, kI32}, {}}, drop);
    define("valor_destroy", {{kI32}, {}}, destroy);
    if (starts) module.start(module.function({{}, {}}, at_start));
    return module.bytes();
  }
};

}  // namespace valor::plugins::wasm::testing
