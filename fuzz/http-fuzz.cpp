// Hostile bytes as an HTTP/1.1 connection gets them: whatever the sizes of the pieces that a client's bytes come in,
// the parser must find the same requests in them, refuse at the same place, and stay within its limits.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "http/request-parser.h"

using valor::core::Request;
using valor::http::Framing;
using valor::http::Limits;
using valor::http::RequestParser;
using State = RequestParser::State;

namespace {

Limits limits() {
  Limits limits;
  limits.request_line_bytes = 256;
  limits.header_bytes = 1024;
  limits.header_count = 16;
  limits.body_bytes = 2048;
  return limits;
}

// A head or body is refused or not complete. What is wrong may show only when more has come.
constexpr const char* kNoMore = "<no more>";

// What a connection makes of `data` when it comes `step` bytes at a time, as one text.
std::string account(std::string_view data, size_t step) {
  const Limits bounds = limits();
  std::string told;
  size_t at = 0;
  size_t shown = 0;
  while (at < data.size()) {
    RequestParser parser(bounds);
    Request request;
    Framing framing;
    size_t used = 0;
    State state = State::kIncomplete;
    while (state == State::kIncomplete) {
      if (shown > at) state = parser.parse_head(data.substr(at, shown - at), request, framing, used);
      if (state != State::kIncomplete) break;
      if (shown == data.size()) return told + kNoMore;
      shown = std::min(shown + step, data.size());
    }
    if (state == State::kError) return told + kNoMore;
    if (request.headers.size() > bounds.header_count || used > bounds.header_bytes) abort();
    if (request.target.empty() || request.target[0] != '/') abort();
    told += request.method + " " + request.target + "\n";
    for (auto [name, value] : request.headers) told.append(name).append(": ").append(value) += '\n';
    at += used;
    if (!framing.has_body) continue;
    std::string body;
    state = State::kIncomplete;
    while (state == State::kIncomplete) {
      std::string_view piece;
      state = parser.parse_body(data.substr(at, shown - at), piece, used);
      body += piece;
      at += used;
      if (state != State::kIncomplete) break;
      if (shown == data.size()) return told + kNoMore;
      shown = std::min(shown + step, data.size());
    }
    if (state == State::kError) return told + kNoMore;
    if (body.size() > bounds.body_bytes) abort();
    if (framing.content_length && body.size() != *framing.content_length) abort();
    told += body + "\n";
  }
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size < 2) return 0;
  const std::string_view data(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const size_t step = 1 + bytes[0] % 64;
  const std::string whole = account(data, data.size());
  const std::string pieces = account(data, step);
  if (whole != pieces) abort();
  return 0;
}
