#include "plugins/native/host-table.h"

#include <array>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "plugins/abi/host-calls.h"
#include "plugins/abi/host-list.h"
#include "plugins/native/instance-table.h"
#include "plugins/native/native-guest.h"

namespace valor::plugins::native {

namespace {

/// Where among listed parameters each of `Parameters` begins.
template <class... Parameters>
constexpr std::array<size_t, sizeof...(Parameters)> places() {
  std::array<size_t, sizeof...(Parameters)> places{};
  size_t at = 0;
  size_t i = 0;
  ((places[i++] = at, at += abi::kListed<Parameters>), ...);
  return places;
}

template <class Parameter, size_t kAt, class Listed>
Parameter take(const Listed& listed) {
  if constexpr (std::is_same_v<Parameter, std::string_view>) {
    const size_t size = std::get<kAt + 1>(listed);
    return size == 0 ? std::string_view() : std::string_view(static_cast<const char*>(std::get<kAt>(listed)), size);
  } else if constexpr (std::is_same_v<Parameter, abi::Output>) {
    return {static_cast<char*>(std::get<kAt>(listed)), std::get<kAt + 1>(listed)};
  } else {
    return std::get<kAt>(listed);
  }
}

/// `listed`: from the parameter that stands at `kFirst` on.
template <size_t kFirst, class Listed, class Function, class... Parameters>
auto pass(const Listed& listed, Function function, std::type_identity<std::tuple<Parameters...>>) {
  return [&]<size_t... kIndex>(std::index_sequence<kIndex...>) {
    return function(take<Parameters, kFirst + places<Parameters...>()[kIndex]>(listed)...);
  }(std::index_sequence_for<Parameters...>());
}

/// Calls a function of HostCalls with the parameters that are listed.
template <class Listed, class Return, class... Parameters>
Return call(const Listed& listed, Return (*function)(Parameters...)) {
  return pass<0>(listed, function, std::type_identity<std::tuple<Parameters...>>());
}
template <class Listed, class Return, class... Parameters>
Return call(const Listed& listed, Return (*function)(abi::AbiGuest&, Parameters...)) {
  const InstanceTable::Use guest(InstanceTable::of_process(), std::get<0>(listed));
  if (!guest) return VALOR_NO_INSTANCE;
  auto with_guest = [&](Parameters... parameters) { return function(*guest, parameters...); };
  return pass<1>(listed, with_guest, std::type_identity<std::tuple<Parameters...>>());
}

/// An entry of the table.
template <class Function, auto kFunction>
struct Entry;
template <class Return, class... Listed, auto kFunction>
struct Entry<Return (*)(Listed...), kFunction> {
  static Return entry(Listed... listed) { return call(std::tuple<Listed...>(listed...), kFunction); }
};

constexpr valor_host kHost = {
    .abi = VALOR_ABI_VERSION,
    .size = sizeof(valor_host),
#define VALOR_FUNCTION(result, function, parameters) \
  .function = Entry<decltype(valor_host::function), &abi::HostCalls::function>::entry,
#include "abi/valor-host.inc"
#undef VALOR_FUNCTION
};

}  // namespace

const valor_host& host_table() {
  return kHost;
}

}  // namespace valor::plugins::native
