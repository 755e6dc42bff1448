// How a request reaches a handler, in each of the shapes that a handler may have.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>
#include <valor/context.hpp>
#include <valor/request.hpp>
#include <valor/responder.hpp>
#include <valor/response.hpp>
#include <valor/task.hpp>

namespace valor::detail {

template <class T>
struct IsTask : std::false_type {};
template <class T>
struct IsTask<Task<T>> : std::true_type {};

/// A request that has just arrived: what guest_start() gets.
struct Arrival {
  Instance& instance;
  Context& context;
  uint64_t number;
  const void* head;
  size_t head_size;
  std::string_view pattern = {};  ///< of the route that it takes

  Request request() const { return {instance.number(), number, head, head_size, pattern}; }
};

/// Hidden, as Plugin is.
template <auto on_request>
struct __attribute__((visibility("hidden"))) Handler {
  using Function = decltype(on_request);
  static constexpr bool kResponderAndContext = std::is_invocable_v<Function, Request, Responder, Context&>;
  static constexpr bool kResponder = std::is_invocable_v<Function, Request, Responder>;
  static constexpr bool kContext = std::is_invocable_v<Function, Request, Context&>;
  static constexpr bool kPlain = std::is_invocable_v<Function, Request>;
  static_assert(kResponderAndContext || kResponder || kContext || kPlain,
                "a handler takes (Request), (Request, Context&), (Request, Responder) or "
                "(Request, Responder, Context&), with the Request by value or as const Request&");

  static void handle(const Arrival& arrival) {
    using Answer = decltype(call(arrival));
    if constexpr (std::is_void_v<Answer>) {
      static_assert(kResponder || kResponderAndContext, "a handler without a Responder returns a Response");
      call(arrival);
    } else if constexpr (IsTask<Answer>::value) {
      drive(arrival.instance, arrival.number, arrival.context, arrival.request());
    } else {
      ResponseSender::start(arrival.instance, arrival.number, call(arrival));
    }
  }

 private:
  // A function of its own, so that the Request is made where the handler wants it: no move, no copy of its head.
  static auto call(const Arrival& arrival) {
    if constexpr (kResponderAndContext) {
      on_request(arrival.request(), Responder(arrival.instance, arrival.number), arrival.context);
    } else if constexpr (kResponder) {
      on_request(arrival.request(), Responder(arrival.instance, arrival.number));
    } else if constexpr (kContext) {
      return on_request(arrival.request(), arrival.context);
    } else {
      return on_request(arrival.request());
    }
  }

  // The Request lives in this coroutine, since a handler may take it by reference.
  static Driver drive(Instance& instance, uint64_t number, Context& context, Request request) {
    if constexpr (kContext) {
      ResponseSender::start(instance, number, co_await on_request(std::move(request), context));
    } else {
      ResponseSender::start(instance, number, co_await on_request(std::move(request)));
    }
  }
};

}  // namespace valor::detail
