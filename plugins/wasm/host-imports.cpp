#include "plugins/wasm/host-imports.h"

#include <array>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "abi/valor.h"
#include "plugins/abi/host-calls.h"
#include "plugins/abi/host-list.h"
#include "plugins/wasm/wasm-guest.h"

namespace valor::plugins::wasm {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;
using abi::Output;

// ---- from the C types of a function to those of WASM

/// The types of a list of C parameters. A pointer and the size that follows it are two i32; other 64-bit numbers are
/// i64.
template <class... Parameters>
std::vector<ValueType> wasm_types() {
  std::vector<ValueType> types;
  bool after_pointer = false;
  auto add = [&]<class Type>(std::type_identity<Type>) {
    const bool wide = sizeof(Type) == 8 && !std::is_pointer_v<Type> && !after_pointer;
    types.push_back(wide ? ValueType::kI64 : ValueType::kI32);
    after_pointer = std::is_pointer_v<Type>;
  };
  (add(std::type_identity<Parameters>()), ...);
  return types;
}

template <class Function>
struct SignatureOf;
template <class Return, class... Parameters>
struct SignatureOf<Return (*)(Parameters...)> {
  static Signature get() { return {wasm_types<Parameters...>(), wasm_types<Return>()}; }
};

// ---- from the arguments of a call to those of HostCalls

/// Takes the arguments of one call in turn.
class Arguments {
 public:
  Arguments(const Info& info, WasmGuest& guest, const char* function)
      : info_(info), guest_(guest), function_(function) {}

  bool valid() const { return valid_; }

  void take(uint64_t& value) { value = info_[at_++].As<v8::BigInt>()->Uint64Value(); }
  void take(uint32_t& value) { value = number(); }
  void take(std::string_view& text) {
    const auto [data, size] = block();
    text = {data, size};
  }
  void take(Output& buffer) {
    const auto [data, size] = block();
    buffer = {data, size};
  }

 private:
  uint32_t number() { return static_cast<uint32_t>(info_[at_++].As<v8::Int32>()->Value()); }

  std::pair<char*, uint32_t> block() {
    const uint32_t pointer = number();
    const uint32_t size = number();
    if (size == 0) return {nullptr, 0};
    if (!looked_) {
      memory_ = guest_.memory();
      looked_ = true;
    }
    if (memory_.holds(pointer, size)) return {memory_.at(pointer), size};
    if (valid_) guest_.refuse(function_, pointer, size, memory_.size());
    valid_ = false;
    return {nullptr, 0};
  }

  const Info& info_;
  WasmGuest& guest_;
  const char* function_;
  MemoryView memory_;
  int at_ = 0;
  bool looked_ = false;
  bool valid_ = true;
};

void give(const Info& info, int32_t value) {
  info.GetReturnValue().Set(value);
}
void give(const Info& info, int64_t value) {
  info.GetReturnValue().Set(v8::BigInt::New(info.GetIsolate(), value));
}
void give(const Info& info, uint64_t value) {
  info.GetReturnValue().Set(v8::BigInt::NewFromUnsigned(info.GetIsolate(), value));
}

template <class Function>
struct Call;
/// A function about an instance.
template <class Return, class... Parameters>
struct Call<Return (*)(abi::AbiGuest&, Parameters...)> {
  static void run(const Info& info, WasmGuest& guest, const char* name,
                  Return (*function)(abi::AbiGuest&, Parameters...)) {
    std::tuple<uint64_t, std::remove_cvref_t<Parameters>...> values{};
    Arguments arguments(info, guest, name);
    std::apply([&](auto&... value) { (arguments.take(value), ...); }, values);
    if (std::get<0>(values) != guest.number()) return give(info, Return{VALOR_NO_INSTANCE});
    if (!arguments.valid()) return give(info, Return{VALOR_INVALID});
    give(info, std::apply([&](uint64_t, auto&... value) { return function(guest, value...); }, values));
  }
};
/// A function about none.
template <class Return, class... Parameters>
struct Call<Return (*)(Parameters...)> {
  static void run(const Info& info, WasmGuest& guest, const char* name, Return (*function)(Parameters...)) {
    std::tuple<std::remove_cvref_t<Parameters>...> values{};
    Arguments arguments(info, guest, name);
    std::apply([&](auto&... value) { (arguments.take(value), ...); }, values);
    if (!arguments.valid()) return give(info, static_cast<Return>(VALOR_INVALID));
    give(info, std::apply([&](auto&... value) { return function(value...); }, values));
  }
};

template <auto kFunction>
void callback(const Info& info, const char* name) {
  WasmGuest& guest = *WasmGuest::from(info.GetIsolate());
  if (guest.may_call_host()) Call<decltype(kFunction)>::run(info, guest, name, kFunction);
  // Also after abort(): the guest's code must not go on.
  if (!guest.may_call_host()) guest.unwind();
}

}  // namespace

std::span<const HostFunction> host_functions() {
  static const HostFunction functions[] = {
#define VALOR_FUNCTION(result, name, parameters) {#name, SignatureOf<decltype(valor_host::name)>::get()},
#include "abi/valor-host.inc"
#undef VALOR_FUNCTION
  };
  return functions;
}

std::span<const v8::FunctionCallback> host_callbacks() {
  static constexpr v8::FunctionCallback kCallbacks[] = {
#define VALOR_FUNCTION(result, name, parameters) [](const Info& info) { callback<&abi::HostCalls::name>(info, #name); },
#include "abi/valor-host.inc"
#undef VALOR_FUNCTION
  };
  return kCallbacks;
}

}  // namespace valor::plugins::wasm
