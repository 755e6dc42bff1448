// Breaks the rule that no exception leaves a function of the guest.
#include <valor.h>

namespace {

const valor_host* host;

const valor_guest kGuest = {
    VALOR_ABI_VERSION,
    sizeof(valor_guest),
    [](uint64_t instance) -> void* {
      host->create_done(instance);
      return nullptr;
    },
    [](void*, uint64_t, const void*, size_t) { throw 1; },
    [](void*, uint64_t, int32_t, const void*, size_t) {},
    [](void*, uint64_t, uint32_t) {},
    [](void*) {},
};

}  // namespace

const valor_guest* valor_plugin_v1(const valor_host* its_host) {
  host = its_host;
  return &kGuest;
}
