#include "plugins/abi/host-calls.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace valor::plugins::abi {

namespace {

/// Calls `function` inside the turn of the guest's loop.
template <class Function>
auto in_turn(AbiGuest& guest, Function function) -> decltype(function()) {
  const net::EventLoop::Inside inside(guest.loop());
  // Asked inside: another thread of the plug-in may have ended the instance.
  return guest.over() ? VALOR_NO_INSTANCE : function();
}

int32_t copy_out(std::string_view text, Output buffer) {
  if (buffer.size > 0 && !text.empty()) std::memcpy(buffer.data, text.data(), std::min(buffer.size, text.size()));
  return static_cast<int32_t>(text.size());
}

}  // namespace

int32_t HostCalls::create_done(AbiGuest& guest) {
  return in_turn(guest, [&] { return guest.create_done(); });
}

int32_t HostCalls::create_fail(AbiGuest& guest, std::string_view message) {
  return in_turn(guest, [&] { return guest.create_fail(message); });
}

int32_t HostCalls::abort(AbiGuest& guest, std::string_view message) {
  return in_turn(guest, [&] { return guest.abort(message); });
}

int32_t HostCalls::config(AbiGuest& guest, Output buffer) {
  return guest.over() ? VALOR_NO_INSTANCE : copy_out(guest.definition().config, buffer);
}

int32_t HostCalls::name(AbiGuest& guest, Output buffer) {
  return guest.over() ? VALOR_NO_INSTANCE : copy_out(guest.definition().name, buffer);
}

int32_t HostCalls::location(AbiGuest& guest, Output buffer) {
  return guest.over() ? VALOR_NO_INSTANCE : copy_out(guest.location(), buffer);
}

int32_t HostCalls::log(AbiGuest& guest, uint32_t level, std::string_view message) {
  return guest.over() ? VALOR_NO_INSTANCE : guest.log(level, message);
}

int32_t HostCalls::state_get(AbiGuest& guest, std::string_view key, Output buffer) {
  return in_turn(guest, [&] {
    const std::optional<std::string_view> value = guest.state_get(key);
    return value ? copy_out(*value, buffer) : VALOR_ABSENT;
  });
}

int32_t HostCalls::state_set(AbiGuest& guest, std::string_view key, std::string_view value) {
  return in_turn(guest, [&] { return guest.state_set(key, value); });
}

int32_t HostCalls::state_delete(AbiGuest& guest, std::string_view key) {
  return in_turn(guest, [&] { return guest.state_delete(key); });
}

int32_t HostCalls::respond(AbiGuest& guest, uint64_t request, uint32_t status, std::string_view headers,
                           std::string_view body) {
  return in_turn(guest, [&] { return guest.respond(request, status, headers, body); });
}

int32_t HostCalls::send_head(AbiGuest& guest, uint64_t request, uint32_t status, std::string_view headers,
                             uint64_t length) {
  return in_turn(guest, [&] { return guest.send_head(request, status, headers, length); });
}

int32_t HostCalls::send_body(AbiGuest& guest, uint64_t exchange, std::string_view data, uint64_t operation) {
  return in_turn(guest, [&] { return guest.send_body(exchange, data, operation); });
}

int32_t HostCalls::send_end(AbiGuest& guest, uint64_t exchange) {
  return in_turn(guest, [&] { return guest.send_end(exchange); });
}

int32_t HostCalls::fail(AbiGuest& guest, uint64_t request, std::string_view message) {
  return in_turn(guest, [&] { return guest.fail(request, message); });
}

int32_t HostCalls::body_read(AbiGuest& guest, uint64_t exchange, Output buffer, uint64_t operation) {
  return in_turn(guest, [&] { return guest.body_read(exchange, buffer.data, buffer.size, operation); });
}

int64_t HostCalls::fetch(AbiGuest& guest, uint64_t request, std::string_view method, std::string_view url,
                         std::string_view headers, uint64_t length, uint32_t flags, uint64_t operation) {
  return in_turn(guest, [&] { return guest.fetch(request, method, url, headers, length, flags, operation); });
}

int32_t HostCalls::fetch_cancel(AbiGuest& guest, uint64_t fetch) {
  return in_turn(guest, [&] { return guest.fetch_cancel(fetch); });
}

int32_t HostCalls::sleep(AbiGuest& guest, uint64_t milliseconds, uint64_t operation) {
  return in_turn(guest, [&] { return guest.sleep(milliseconds, operation); });
}

int32_t HostCalls::cancel(AbiGuest& guest, uint64_t operation) {
  return in_turn(guest, [&] { return guest.cancel(operation); });
}

uint64_t HostCalls::now(uint32_t clock) {
  if (clock != VALOR_CLOCK_UNIX && clock != VALOR_CLOCK_MONOTONIC) return 0;
  timespec time;
  clock_gettime(clock == VALOR_CLOCK_UNIX ? CLOCK_REALTIME : CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}

int32_t HostCalls::random(Output buffer) {
  while (buffer.size > 0) {
    const ssize_t got = getrandom(buffer.data, buffer.size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return VALOR_INVALID;
    buffer.data += got;
    buffer.size -= static_cast<size_t>(got);
  }
  return VALOR_OK;
}

}  // namespace valor::plugins::abi
