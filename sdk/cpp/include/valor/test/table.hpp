// The functions of valor.h as a plug-in under test calls them.
#pragma once

#include <valor.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <valor/test/host.hpp>

namespace valor::test::internal {

/// Calls function(host) under its lock.
template <class Function>
auto with_host(uint64_t instance, Function function) -> decltype(function(std::declval<Host&>())) {
  const std::shared_ptr<Host> host = Hosts::all().find(instance);
  if (!host) return VALOR_NO_INSTANCE;
  const std::lock_guard lock(host->mutex);
  return function(*host);
}

inline std::string_view view(const void* data, size_t size) {
  return {static_cast<const char*>(data), size};
}

inline int32_t copy_out(std::string_view text, void* buffer, size_t capacity) {
  if (const size_t size = std::min(text.size(), capacity); size > 0) std::memcpy(buffer, text.data(), size);
  return static_cast<int32_t>(text.size());
}

inline int32_t create_done(uint64_t instance) {
  return with_host(instance, [](Host& host) { return host.created = true, VALOR_OK; });
}
inline int32_t create_fail(uint64_t instance, const char* message, size_t size) {
  return with_host(instance, [&](Host& host) {
    if (host.created || !host.error.empty()) return VALOR_INVALID;
    host.error = size == 0 ? std::string_view("no reason given") : view(message, size);
    return VALOR_OK;
  });
}
inline int32_t abort(uint64_t instance, const char* message, size_t size) {
  return with_host(instance, [&](Host& host) {
    host.aborted = true;
    host.error = view(message, size);
    for (auto& [number, request] : host.requests) {
      if (!request.answer.ended) host.fail(request, number, 502, view(message, size));
    }
    return VALOR_OK;
  });
}
inline int32_t config(uint64_t instance, char* buffer, size_t capacity) {
  return with_host(instance, [&](Host& host) { return copy_out(host.config, buffer, capacity); });
}
inline int32_t name(uint64_t instance, char* buffer, size_t capacity) {
  return with_host(instance, [&](Host& host) { return copy_out(host.name, buffer, capacity); });
}
inline int32_t location(uint64_t instance, char* buffer, size_t capacity) {
  return with_host(instance, [&](Host& host) { return copy_out(host.location, buffer, capacity); });
}
inline int32_t log(uint64_t instance, uint32_t level, const char* message, size_t size) {
  return with_host(instance, [&](Host& host) {
    host.log.push_back({level, std::string(view(message, size))});
    return VALOR_OK;
  });
}

inline int32_t state_get(uint64_t instance, const char* key, size_t key_size, void* buffer, size_t capacity) {
  return with_host(instance, [&](Host& host) {
    const auto at = host.store.find(view(key, key_size));
    return at == host.store.end() ? VALOR_ABSENT : copy_out(at->second, buffer, capacity);
  });
}
inline int32_t state_set(uint64_t instance, const char* key, size_t key_size, const void* value, size_t value_size) {
  return with_host(instance, [&](Host& host) {
    if (key_size == 0 || key_size > VALOR_STATE_KEY_BYTES) return VALOR_INVALID;
    size_t total = key_size + value_size;
    for (const auto& [its_key, its_value] : host.store) {
      if (its_key != view(key, key_size)) total += its_key.size() + its_value.size();
    }
    if (total > VALOR_STATE_BYTES) return VALOR_INVALID;
    host.store.insert_or_assign(std::string(view(key, key_size)), std::string(view(value, value_size)));
    return VALOR_OK;
  });
}
inline int32_t state_delete(uint64_t instance, const char* key, size_t key_size) {
  return with_host(instance, [&](Host& host) {
    return host.store.erase(std::string(view(key, key_size))) == 0 ? VALOR_ABSENT : VALOR_OK;
  });
}

/// Takes the head of an answer, or fails the request as the server would.
inline int32_t take_head(Host& host, RequestState& request, uint64_t number, uint32_t status, const void* headers,
                         size_t headers_size) {
  if (request.head_sent) return VALOR_INVALID;
  std::optional<HeaderList> list = unpack_headers(headers, headers_size);
  if (status < 200 || status > 599 || !list) {
    host.fail(request, number, 500, list ? "status " + std::to_string(status) : "a header that would break HTTP");
    return VALOR_INVALID;
  }
  request.head_sent = true;
  request.answer.status = static_cast<int>(status);
  request.answer.headers = std::move(*list);
  return VALOR_OK;
}

inline int32_t respond(uint64_t instance, uint64_t number, uint32_t status, const void* headers, size_t headers_size,
                       const void* body, size_t body_size) {
  return with_host(instance, [&](Host& host) -> int32_t {
    RequestState* request = host.open_request(number);
    if (!request) return VALOR_GONE;
    if (const int32_t result = take_head(host, *request, number, status, headers, headers_size)) return result;
    request->answer.body = view(body, body_size);
    if (body_size > 0) request->answer.pieces.emplace_back(view(body, body_size));
    request->answer.length = body_size;
    host.end_request(*request, number);
    return VALOR_OK;
  });
}
inline int32_t send_head(uint64_t instance, uint64_t number, uint32_t status, const void* headers, size_t headers_size,
                         uint64_t length) {
  return with_host(instance, [&](Host& host) -> int32_t {
    RequestState* request = host.open_request(number);
    if (!request) return VALOR_GONE;
    if (const int32_t result = take_head(host, *request, number, status, headers, headers_size)) return result;
    if (length != VALOR_LENGTH_UNKNOWN) request->answer.length = length;
    host.changed.notify_all();
    return VALOR_OK;
  });
}
inline int32_t send_body(uint64_t instance, uint64_t exchange, const void* data, size_t size, uint64_t operation) {
  return with_host(instance, [&](Host& host) -> int32_t {
    if (FetchState* fetch = host.find_fetch(exchange)) {
      if (!fetch->sending) return VALOR_INVALID;
      fetch->call.body += view(data, size);
      return VALOR_OK;
    }
    RequestState* request = host.open_request(exchange);
    if (!request) return VALOR_GONE;
    if (!request->head_sent || request->writer != 0) return VALOR_INVALID;
    request->answer.body += view(data, size);
    request->answer.pieces.emplace_back(view(data, size));
    request->window -= std::min<uint64_t>(request->window, size);
    if (request->window > 0) return VALOR_OK;
    request->writer = operation;
    return VALOR_WAIT;
  });
}
inline int32_t send_end(uint64_t instance, uint64_t exchange) {
  return with_host(instance, [&](Host& host) -> int32_t {
    if (FetchState* fetch = host.find_fetch(exchange)) {
      if (!std::exchange(fetch->sending, false)) return VALOR_INVALID;
      host.asked.push_back(exchange);
      return VALOR_OK;
    }
    RequestState* request = host.open_request(exchange);
    if (!request) return VALOR_GONE;
    if (!request->head_sent) return VALOR_INVALID;
    Answer& answer = request->answer;
    answer.broken = answer.length && *answer.length != answer.body.size();
    host.end_request(*request, exchange);
    return VALOR_OK;
  });
}
inline int32_t fail(uint64_t instance, uint64_t number, const char* message, size_t size) {
  return with_host(instance, [&](Host& host) -> int32_t {
    RequestState* request = host.open_request(number);
    if (!request) return VALOR_GONE;
    host.log.push_back({VALOR_LOG_ERROR, std::string(view(message, size))});
    host.fail(*request, number, 500, view(message, size));
    return VALOR_OK;
  });
}

inline int32_t body_read(uint64_t instance, uint64_t exchange, void* buffer, size_t capacity, uint64_t operation) {
  return with_host(instance, [&](Host& host) -> int32_t {
    FetchState* fetch = host.find_fetch(exchange);
    RequestState* request = fetch ? nullptr : host.open_request(exchange);
    if (!fetch && !request) return VALOR_GONE;
    Inbound& body = fetch ? fetch->inbound : request->inbound;
    if (capacity == 0 || body.reader != 0 || (fetch && fetch->operation != 0)) return VALOR_INVALID;
    if (body.pieces.empty()) {
      if (body.broken) return VALOR_GONE;
      if (body.ended) return 0;
      body.reader = operation;
      return VALOR_WAIT;
    }
    std::string& piece = body.pieces.front();
    const size_t size = std::min(piece.size(), capacity);
    std::memcpy(buffer, piece.data(), size);
    piece.erase(0, size);
    if (piece.empty()) body.pieces.pop_front();
    return static_cast<int32_t>(size);
  });
}

inline int64_t fetch(uint64_t instance, uint64_t request, const char* method, size_t method_size, const char* url,
                     size_t url_size, const void* headers, size_t headers_size, uint64_t, uint32_t flags,
                     uint64_t operation) {
  return with_host(instance, [&](Host& host) -> int64_t {
    if (request != 0 && !host.open_request(request)) return VALOR_GONE;
    std::optional<HeaderList> list = unpack_headers(headers, headers_size);
    if (!list || !is_token(view(method, method_size))) return VALOR_INVALID;
    const uint64_t number = ++host.last_number;
    const bool with_body = (flags & VALOR_FETCH_BODY) != 0;
    host.fetches.emplace(number,
                         FetchState{request, operation,
                                    FetchCall{std::string(view(method, method_size)), std::string(view(url, url_size)),
                                              std::move(*list), "", (flags & VALOR_FETCH_MANUAL) != 0},
                                    with_body});
    if (!with_body) host.asked.push_back(number);
    return static_cast<int64_t>(number);
  });
}
inline int32_t fetch_cancel(uint64_t instance, uint64_t number) {
  return with_host(instance, [&](Host& host) -> int32_t {
    if (!host.find_fetch(number)) return VALOR_GONE;
    host.end_fetch(number);
    return VALOR_OK;
  });
}

inline int32_t sleep(uint64_t instance, uint64_t milliseconds, uint64_t operation) {
  return with_host(instance, [&](Host& host) {
    host.timers.emplace(clock + milliseconds * 1000, Completed{operation});
    host.changed.notify_all();
    return VALOR_OK;
  });
}
inline int32_t cancel(uint64_t instance, uint64_t operation) {
  return with_host(instance, [&](Host& host) { return host.cancel(operation) ? VALOR_OK : VALOR_INVALID; });
}
inline uint64_t now(uint32_t which) {
  constexpr uint64_t kBegin = 1'767'225'600'000'000;  // 2026-01-01T00:00:00Z
  return which == VALOR_CLOCK_UNIX ? kBegin + clock : which == VALOR_CLOCK_MONOTONIC ? clock.load() : 0;
}
inline int32_t random(void* buffer, size_t size) {
  std::random_device device;
  for (size_t i = 0; i < size; ++i) static_cast<unsigned char*>(buffer)[i] = static_cast<unsigned char>(device());
  return VALOR_OK;
}

inline constexpr valor_host kTable = {
    VALOR_ABI_VERSION,
    sizeof(valor_host),
#define VALOR_FUNCTION(result, name, parameters) name,
#include <valor-host.inc>
#undef VALOR_FUNCTION
};

}  // namespace valor::test::internal
