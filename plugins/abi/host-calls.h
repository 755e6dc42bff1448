// What the functions of the host (abi/valor-host.inc) do once whatever carries the guest has made sense of their
// arguments: has found the instance of that number, and memory that can be read or written behind each pointer and
// size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugins/abi/abi-guest.h"

namespace valor::plugins::abi {

/// Where a function may write.
struct Output {
  char* data;
  size_t size;
};

/// Named as in the list. A guest stands for the instance's number. Called outside the turn of the guest's loop, on any
/// thread.
struct HostCalls {
  static int32_t create_done(AbiGuest& guest);
  static int32_t create_fail(AbiGuest& guest, std::string_view message);
  static int32_t abort(AbiGuest& guest, std::string_view message);
  static int32_t config(AbiGuest& guest, Output buffer);
  static int32_t name(AbiGuest& guest, Output buffer);
  static int32_t location(AbiGuest& guest, Output buffer);
  static int32_t log(AbiGuest& guest, uint32_t level, std::string_view message);
  static int32_t state_get(AbiGuest& guest, std::string_view key, Output buffer);
  static int32_t state_set(AbiGuest& guest, std::string_view key, std::string_view value);
  static int32_t state_delete(AbiGuest& guest, std::string_view key);
  static int32_t respond(AbiGuest& guest, uint64_t request, uint32_t status, std::string_view headers,
                         std::string_view body);
  static int32_t send_head(AbiGuest& guest, uint64_t request, uint32_t status, std::string_view headers,
                           uint64_t length);
  static int32_t send_body(AbiGuest& guest, uint64_t exchange, std::string_view data, uint64_t operation);
  static int32_t send_end(AbiGuest& guest, uint64_t exchange);
  static int32_t fail(AbiGuest& guest, uint64_t request, std::string_view message);
  static int32_t body_read(AbiGuest& guest, uint64_t exchange, Output buffer, uint64_t operation);
  static int64_t fetch(AbiGuest& guest, uint64_t request, std::string_view method, std::string_view url,
                       std::string_view headers, uint64_t length, uint32_t flags, uint64_t operation);
  static int32_t fetch_cancel(AbiGuest& guest, uint64_t fetch);
  static int32_t sleep(AbiGuest& guest, uint64_t milliseconds, uint64_t operation);
  static int32_t cancel(AbiGuest& guest, uint64_t operation);
  static uint64_t now(uint32_t clock);
  static int32_t random(Output buffer);
};

}  // namespace valor::plugins::abi
