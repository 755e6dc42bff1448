// How plugins/abi/host-calls.h takes the parameters that abi/valor-host.inc lists: a pointer and the size behind it
// become one piece of text or one place to write to, the instance's number becomes the guest. Checked for every
// function where this is included.
#pragma once

#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "abi/valor.h"
#include "plugins/abi/host-calls.h"

namespace valor::plugins::abi {

/// How many listed parameters a parameter of HostCalls stands for.
template <class Parameter>
constexpr size_t kListed = std::is_same_v<Parameter, std::string_view> || std::is_same_v<Parameter, Output> ? 2 : 1;

namespace list {

template <class Type>
struct Flat {
  using List = std::tuple<Type>;
};
template <>
struct Flat<AbiGuest&> {
  using List = std::tuple<uint64_t>;
};
template <>
struct Flat<std::string_view> {
  using List = std::tuple<const void*, size_t>;
};
template <>
struct Flat<Output> {
  using List = std::tuple<void*, size_t>;
};
template <class Type>
using SamePointer =
    std::conditional_t<std::is_pointer_v<Type>,
                       std::conditional_t<std::is_const_v<std::remove_pointer_t<Type>>, const void*, void*>, Type>;

template <class Function>
struct Listed;
template <class Return, class... Parameters>
struct Listed<Return (*)(Parameters...)> {
  using Type = std::tuple<Return, SamePointer<Parameters>...>;
};
template <class Function>
struct Taken;
template <class Return, class... Parameters>
struct Taken<Return (*)(Parameters...)> {
  using Type =
      decltype(std::tuple_cat(std::declval<std::tuple<Return>>(), std::declval<typename Flat<Parameters>::List>()...));
};

#define VALOR_FUNCTION(result, name, parameters)                                                                   \
  static_assert(std::is_same_v<Listed<decltype(valor_host::name)>::Type, Taken<decltype(&HostCalls::name)>::Type>, \
                "plugins/abi/host-calls.h takes " #name "() in another way than abi/valor-host.inc lists it");
#include "abi/valor-host.inc"
#undef VALOR_FUNCTION

}  // namespace list

}  // namespace valor::plugins::abi
