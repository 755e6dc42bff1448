#include "plugins/wasm/abi-check.h"

#include <algorithm>
#include <array>

#include "core/json.h"

namespace valor::plugins::wasm {

namespace {

constexpr size_t kMaxShown = 20;  // mistakes listed; more would hide the advice

struct GuestFunction {
  std::string_view name;
  Signature signature;
  bool optional = false;
};

// valor_guest of abi/valor.h, and what it says about WASM.
const std::array<GuestFunction, 9>& guest_functions() {
  constexpr ValueType i32 = ValueType::kI32;
  constexpr ValueType i64 = ValueType::kI64;
  static const std::array<GuestFunction, 9> functions = {{
      {"valor_abi", {{}, {i32}}},
      {"valor_alloc", {{i32}, {i32}}},
      {"valor_free", {{i32, i32}, {}}},
      {"valor_create", {{i64}, {i32}}},
      {"valor_start", {{i32, i64, i32, i32}, {}}},
      {"valor_complete", {{i32, i64, i32, i32, i32}, {}}},
      {"valor_drop", {{i32, i64, i32}, {}}},
      {"valor_destroy", {{i32}, {}}},
      {"_initialize", {{}, {}}, true},
  }};
  return functions;
}

// A name from a file, as it may stand in a message.
std::string shown(std::string_view name) {
  constexpr size_t kMax = 80;
  std::string out;
  core::append_json_string(out, name.substr(0, kMax));
  if (name.size() > kMax) out += "...";
  return out;
}

// What a module that is no plug-in was made for.
std::string advice(const ModuleLayout& layout) {
  auto imports_from = [&](auto matches) {
    return std::any_of(layout.imports.begin(), layout.imports.end(),
                       [&](const Import& import) { return matches(std::string_view(import.module)); });
  };
  auto exports_like = [&](std::string_view start) {
    return std::any_of(layout.exports.begin(), layout.exports.end(),
                       [&](const Export& entry) { return entry.name.starts_with(start); });
  };
  const bool bindgen = exports_like("__wbindgen_") || exports_like("__wbg_") || imports_from([](std::string_view name) {
                         return name == "wbg" || name == "__wbindgen_placeholder__" || name.ends_with("_bg.js");
                       });
  if (bindgen) {
    return "It was made with wasm-bindgen, which goes with JavaScript: make it with --target web, and give as \"url\" "
           "a "
           "script that imports the .js file beside it and answers requests (docs/plugins-wasm.md)";
  }
  const bool wasi = imports_from([](std::string_view name) { return name.starts_with("wasi"); });
  if (layout.find_export("_start") != nullptr) {
    return std::string(wasi ? "It is a WASI program" : "It is a program with a main function") +
           ", for which \"type\": \"wasi\" is the kind. Where this Valor does not run that kind yet, compile the code "
           "as "
           "a library that answers requests, with one of the SDKs (clang: -mexec-model=reactor)";
  }
  if (wasi) {
    return "What is imported from WASI must come out of the module itself: the SDKs bring stand-ins, and in C "
           "everything that opens files or prints is to be left out";
  }
  if (imports_from([](std::string_view name) { return name == "env"; })) {
    return "Imports from \"env\" are functions that the linker did not find: link what defines them";
  }
  return "docs/plugins-wasm.md says how to compile a plug-in with the SDKs for C++, Rust, AssemblyScript and C. A "
         "module "
         "for JavaScript is run by a script that loads it";
}

class Mistakes {
 public:
  void add(std::string text) {
    if (++count_ <= kMaxShown) text_ += "\n  " + std::move(text);
  }
  bool any() const { return count_ > 0; }
  std::string text() const {
    if (count_ <= kMaxShown) return text_;
    return text_ + "\n  and " + std::to_string(count_ - kMaxShown) + " more";
  }

 private:
  size_t count_ = 0;
  std::string text_;
};

std::string type_of(const Signature* signature) {
  return signature == nullptr ? "of an invalid type" : to_string(*signature);
}

void check_exports(const ModuleLayout& layout, Mistakes& mistakes) {
  const Export* memory = layout.find_export("memory");
  if (memory == nullptr) {
    mistakes.add("missing export: memory");
  } else if (memory->kind != ExternalKind::kMemory) {
    mistakes.add("export memory is a " + std::string(to_string(memory->kind)) + ", not a memory");
  }
  for (const GuestFunction& function : guest_functions()) {
    const std::string name(function.name);
    const Export* found = layout.find_export(function.name);
    if (found == nullptr) {
      if (!function.optional) mistakes.add("missing export: " + name + to_string(function.signature));
    } else if (found->kind != ExternalKind::kFunction) {
      mistakes.add("export " + name + " is a " + std::string(to_string(found->kind)) + ", not a function");
    } else if (const Signature* type = layout.signature_of_function(found->index);
               type == nullptr || *type != function.signature) {
      mistakes.add("export " + name + " is " + type_of(type) + ", not " + to_string(function.signature));
    }
  }
}

// Returns whether the module wants functions that a later Valor may have.
bool check_imports(const ModuleLayout& layout, std::span<const HostFunction> host, Mistakes& mistakes) {
  bool newer = false;
  for (const Import& import : layout.imports) {
    const std::string name = shown(import.module) + "." + shown(import.name);
    if (import.module != kHostModule) {
      mistakes.add("unknown import: " + std::string(to_string(import.kind)) + " " + name);
      continue;
    }
    const auto known =
        std::find_if(host.begin(), host.end(), [&](const HostFunction& f) { return f.name == import.name; });
    if (known == host.end() || import.kind != ExternalKind::kFunction) {
      mistakes.add("unknown import: " + std::string(to_string(import.kind)) + " " + name +
                   ", which this Valor does not have");
      newer = true;
      continue;
    }
    const Signature* type = layout.signature_of_type(import.type);
    if (type == nullptr || *type != known->signature) {
      mistakes.add("import " + name + " is " + type_of(type) + ", not " + to_string(known->signature));
    }
  }
  return newer;
}

}  // namespace

core::Status check_abi(const ModuleLayout& layout, std::span<const HostFunction> host) {
  Mistakes exports;
  Mistakes imports;
  check_exports(layout, exports);
  const bool newer = check_imports(layout, host, imports);
  if (!exports.any() && !imports.any()) return core::Nothing{};
  std::string text = "it does not speak Valor's plug-in ABI:" + exports.text() + imports.text() + "\n";
  text += newer && !exports.any()
              ? "It was compiled for a newer Valor: update this one, or compile it with this one's SDK"
              : advice(layout);
  return core::Error{std::move(text)};
}

}  // namespace valor::plugins::wasm
