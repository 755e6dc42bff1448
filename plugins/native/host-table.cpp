#include "plugins/native/host-table.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include "plugins/native/instance-table.h"
#include "plugins/native/native-guest.h"

namespace valor::plugins::native {

namespace {

std::string_view view(const void* data, size_t size) {
  return size == 0 ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

int32_t copy_out(std::string_view text, void* buffer, size_t capacity) {
  if (capacity > 0 && !text.empty()) std::memcpy(buffer, text.data(), std::min(capacity, text.size()));
  return static_cast<int32_t>(text.size());
}

/// Calls `function` with the instance, on whichever thread the plug-in called from.
template <class Function>
int32_t with_instance(uint64_t instance, Function function) {
  const InstanceTable::Use guest(InstanceTable::of_process(), instance);
  return guest && !guest->over() ? function(*guest) : VALOR_NO_INSTANCE;
}

/// The same inside the turn of its loop.
template <class Function>
auto in_turn(uint64_t instance, Function function) -> decltype(function(std::declval<NativeGuest&>())) {
  const InstanceTable::Use guest(InstanceTable::of_process(), instance);
  if (!guest) return VALOR_NO_INSTANCE;
  const net::EventLoop::Inside inside(guest->loop());
  return guest->over() ? VALOR_NO_INSTANCE : function(*guest);
}

int32_t create_done(uint64_t instance) {
  return in_turn(instance, [](NativeGuest& guest) { return guest.create_done(); });
}

int32_t create_fail(uint64_t instance, const char* message, size_t message_size) {
  return in_turn(instance, [&](NativeGuest& guest) { return guest.create_fail(view(message, message_size)); });
}

int32_t abort(uint64_t instance, const char* message, size_t message_size) {
  return in_turn(instance, [&](NativeGuest& guest) { return guest.abort(view(message, message_size)); });
}

int32_t config(uint64_t instance, char* buffer, size_t capacity) {
  return with_instance(instance,
                       [&](NativeGuest& guest) { return copy_out(guest.definition().config, buffer, capacity); });
}

int32_t name(uint64_t instance, char* buffer, size_t capacity) {
  return with_instance(instance,
                       [&](NativeGuest& guest) { return copy_out(guest.definition().name, buffer, capacity); });
}

int32_t location(uint64_t instance, char* buffer, size_t capacity) {
  return with_instance(instance, [&](NativeGuest& guest) { return copy_out(guest.location(), buffer, capacity); });
}

int32_t log(uint64_t instance, uint32_t level, const char* message, size_t message_size) {
  return with_instance(instance, [&](NativeGuest& guest) { return guest.log(level, view(message, message_size)); });
}

int32_t state_get(uint64_t instance, const char* key, size_t key_size, void* buffer, size_t capacity) {
  return in_turn(instance, [&](NativeGuest& guest) {
    const std::optional<std::string_view> value = guest.state_get(view(key, key_size));
    return value ? copy_out(*value, buffer, capacity) : VALOR_ABSENT;
  });
}

int32_t state_set(uint64_t instance, const char* key, size_t key_size, const void* value, size_t value_size) {
  return in_turn(instance,
                 [&](NativeGuest& guest) { return guest.state_set(view(key, key_size), view(value, value_size)); });
}

int32_t state_delete(uint64_t instance, const char* key, size_t key_size) {
  return in_turn(instance, [&](NativeGuest& guest) { return guest.state_delete(view(key, key_size)); });
}

int32_t respond(uint64_t instance, uint64_t request, uint32_t status, const void* headers, size_t headers_size,
                const void* body, size_t body_size) {
  return in_turn(instance, [&](NativeGuest& guest) {
    return guest.respond(request, status, view(headers, headers_size), view(body, body_size));
  });
}

int32_t send_head(uint64_t instance, uint64_t request, uint32_t status, const void* headers, size_t headers_size,
                  uint64_t length) {
  return in_turn(instance, [&](NativeGuest& guest) {
    return guest.send_head(request, status, view(headers, headers_size), length);
  });
}

int32_t send_body(uint64_t instance, uint64_t request, const void* data, size_t data_size, uint64_t operation) {
  return in_turn(instance,
                 [&](NativeGuest& guest) { return guest.send_body(request, view(data, data_size), operation); });
}

int32_t send_end(uint64_t instance, uint64_t request) {
  return in_turn(instance, [&](NativeGuest& guest) { return guest.send_end(request); });
}

int32_t fail(uint64_t instance, uint64_t request, const char* message, size_t message_size) {
  return in_turn(instance, [&](NativeGuest& guest) { return guest.fail(request, view(message, message_size)); });
}

int32_t body_read(uint64_t instance, uint64_t request, void* buffer, size_t capacity, uint64_t operation) {
  return in_turn(instance, [&](NativeGuest& guest) {
    return guest.body_read(request, static_cast<char*>(buffer), capacity, operation);
  });
}

int64_t fetch(uint64_t instance, uint64_t request, const char* method, size_t method_size, const char* url,
              size_t url_size, const void* headers, size_t headers_size, uint64_t length, uint32_t flags,
              uint64_t operation) {
  return in_turn(instance, [&](NativeGuest& guest) {
    return guest.fetch(request, view(method, method_size), view(url, url_size), view(headers, headers_size), length,
                       flags, operation);
  });
}

int32_t fetch_cancel(uint64_t instance, uint64_t fetch) {
  return in_turn(instance, [&](NativeGuest& guest) { return guest.fetch_cancel(fetch); });
}

int32_t sleep(uint64_t instance, uint64_t milliseconds, uint64_t operation) {
  return in_turn(instance, [&](NativeGuest& guest) { return guest.sleep(milliseconds, operation); });
}

int32_t cancel(uint64_t instance, uint64_t operation) {
  return in_turn(instance, [&](NativeGuest& guest) { return guest.cancel(operation); });
}

uint64_t now(uint32_t clock) {
  if (clock != VALOR_CLOCK_UNIX && clock != VALOR_CLOCK_MONOTONIC) return 0;
  timespec time;
  clock_gettime(clock == VALOR_CLOCK_UNIX ? CLOCK_REALTIME : CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}

int32_t random(void* buffer, size_t size) {
  char* at = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t got = getrandom(at, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return VALOR_INVALID;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return VALOR_OK;
}

constexpr valor_host kHost = {
    .abi = VALOR_ABI_VERSION,
    .size = sizeof(valor_host),
#define VALOR_FUNCTION(result, function, parameters) .function = function,
#include "abi/valor-host.inc"
#undef VALOR_FUNCTION
};

}  // namespace

const valor_host& host_table() {
  return kHost;
}

}  // namespace valor::plugins::native
