// Streams both ways without ever holding a whole body: /up counts what is sent, /down?bytes=N sends N bytes, and /echo
// sends back what comes, while it comes.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <valor/vlugin.hpp>

namespace {

constexpr size_t kPieceSize = 64 * 1024;

std::optional<uint64_t> parse_number(const std::string& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

valor::Task<valor::Response> up(valor::Body& body) {
  uint64_t bytes = 0;
  while (const auto piece = co_await body.read()) bytes += piece->size();
  co_return valor::Response::json("{\"bytes\":" + std::to_string(bytes) + "}");
}

valor::Response down(const valor::Request& request) {
  const std::optional<uint64_t> bytes = parse_number(request.query("bytes").value_or(std::to_string(kPieceSize)));
  if (!bytes) return valor::Response(400, "bytes is a whole number\n");
  return valor::Response::stream([bytes = *bytes](valor::Writer& writer) -> valor::Task<> {
           const std::string piece(kPieceSize, 'v');
           for (uint64_t left = bytes; left > 0;) {
             const uint64_t size = std::min<uint64_t>(left, piece.size());
             co_await writer.write(std::string_view(piece).substr(0, size));
             left -= size;
           }
         })
      .length(*bytes)
      .header("content-type", "application/octet-stream");
}

valor::Response echo(valor::Request request) {
  const std::string type(request.header("content-type").value_or("application/octet-stream"));
  return valor::Response::stream([request = std::move(request)](valor::Writer& writer) -> valor::Task<> {
           while (const auto piece = co_await request.body().read()) co_await writer.write(*piece);
         })
      .header("content-type", type);
}

valor::Task<valor::Response> on_request(valor::Request request) {
  if (request.path() == "up") co_return co_await up(request.body());
  if (request.path() == "down") co_return down(request);
  if (request.path() == "echo") co_return echo(std::move(request));
  co_return valor::Response(404, "PUT or POST to /up or /echo, GET /down?bytes=N\n");
}

}  // namespace

VLUGIN(on_request)
