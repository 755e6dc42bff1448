// Writing a plug-in in C++. This is a whole one:
//
//     #include <valor/vlugin.hpp>
//     valor::Response on_request(valor::Request request) { return "OK response from a plugin"; }
//     VLUGIN(on_request)
//
// A handler takes a Request or a const Request&, optionally followed by a Context&, and returns a Response (or what
// makes one: a string) or a Task of it. A handler that takes a Responder returns nothing and answers through that.
// VLUGIN(on_request, on_create) names a function that runs first in every instance: void or Task<>, taking a Context&.
#pragma once

#include <valor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <valor/body.hpp>
#include <valor/combine.hpp>
#include <valor/completion.hpp>
#include <valor/context.hpp>
#include <valor/fetch.hpp>
#include <valor/handler.hpp>
#include <valor/request.hpp>
#include <valor/responder.hpp>
#include <valor/response.hpp>
#include <valor/system.hpp>
#include <valor/task.hpp>
#include <valor/text.hpp>

namespace valor::detail {

/// The handlers of a plug-in as the guest functions of the ABI. Hidden: GCC makes static data of templates unique in
/// the process, so two plug-ins that both call their handler on_request would share one table.
template <auto on_request, auto on_create = nullptr>
class __attribute__((visibility("hidden"))) Plugin final : public Instance {
 public:
  static const valor_guest& guest() {
    static constexpr valor_guest kGuest = {VALOR_ABI_VERSION, sizeof(valor_guest), guest_create, guest_start,
                                           guest_complete,    guest_drop,          guest_destroy};
    return kGuest;
  }

#if !defined(__wasm__)
  static const valor_guest* enter(const valor_host* its_host) {
    if (its_host->size < sizeof(valor_host)) return nullptr;
    host = its_host;
    return &guest();
  }
#endif

 private:
  explicit Plugin(uint64_t number) : Instance(number), context_(std::in_place, number) {}

  static Driver drive_creation(Instance&, uint64_t, Plugin& plugin) {
    co_await on_create(*plugin.context_);
    plugin.created();
  }

  void created() {
    if (context_->failed()) {
      host->create_fail(number(), context_->failure().data(), context_->failure().size());
    } else {
      host->create_done(number());
    }
  }

  void run_on_create() {
    if constexpr (std::is_null_pointer_v<decltype(on_create)>) {
      created();
    } else if constexpr (IsTask<std::invoke_result_t<decltype(on_create), Context&>>::value) {
      drive_creation(*this, 0, *this);
    } else {
      on_create(*context_);
      created();
    }
  }

  void handle(const Arrival& arrival) {
    if constexpr (requires { on_request.handle(arrival); }) {
      on_request.handle(arrival);  // a Router
    } else {
      Handler<on_request>::handle(arrival);
    }
  }

  static void* guest_create(uint64_t number) {
    Plugin* plugin = nullptr;
    std::string error;
    const bool made = guarded(
        [&] {
          plugin = new Plugin(number);
          plugin->run_on_create();
        },
        error);
    if (!made) host->create_fail(number, error.data(), error.size());
    if (plugin) plugin->settle();
    return plugin;
  }

  static void guest_start(void* self, uint64_t request, const void* head, size_t head_size) {
    Plugin& plugin = *static_cast<Plugin*>(self);
    std::string error;
    if (!guarded([&] { plugin.handle({plugin, *plugin.context_, request, head, head_size}); }, error)) {
      fail_request(plugin.number(), request, error);
    }
    plugin.settle();
  }

  static void guest_complete(void* self, uint64_t operation, int32_t status, const void* data, size_t size) {
    detail::Operation::of(operation)->complete(status, data, size);
    static_cast<Plugin*>(self)->settle();
  }

  static void guest_drop(void* self, uint64_t request, uint32_t) {
    Plugin& plugin = *static_cast<Plugin*>(self);
    plugin.doom_request(request);
    plugin.settle();
  }

  static void guest_destroy(void* self) {
    Plugin* plugin = static_cast<Plugin*>(self);
    if (!plugin) return;
    plugin->close();
    plugin->context_.reset();
    plugin->release();
  }

  std::optional<Context> context_;
};

}  // namespace valor::detail

/// VLUGIN(on_request) or VLUGIN(on_request, on_create): makes this library or module a plug-in. Once, at namespace
/// scope. on_request may also be a Router (valor/router.hpp).
#if defined(__wasm__)
#define VLUGIN(...)                                         \
  namespace {                                               \
  using ValorPlugin = ::valor::detail::Plugin<__VA_ARGS__>; \
  }                                                         \
  VALOR_PLUGIN(ValorPlugin::guest())
#else
#define VLUGIN(...)                                                                 \
  extern "C" const valor_guest* valor_plugin_v1(const valor_host* valor_its_host) { \
    return ::valor::detail::Plugin<__VA_ARGS__>::enter(valor_its_host);             \
  }
#endif
