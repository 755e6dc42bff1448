#include <string>
#include <valor/vlugin.hpp>

#include "numbers.hpp"

valor::Task<valor::Response> answer_of(std::string url) {
  valor::FetchResponse response = co_await valor::fetch(std::move(url));
  std::optional<std::string> text = co_await response.text();
  if (!text) co_return valor::Response(599, "fetch failed");
  valor::Response answer = valor::Response::bytes(std::move(*text)).status(response.status());
  if (const auto type = response.header("content-type")) answer.header("content-type", *type);
  co_return answer;
}

valor::Task<valor::Response> on_request(valor::Request request) {
  if (request.query("fail")) co_return valor::Response::failure("asked to fail");
#if defined(__wasm__)
  if (request.query("trap")) __builtin_trap();
#endif
  if (request.query("bad-header")) co_return valor::Response("").header("x-bad", "two\nlines");
  if (const auto milliseconds = number_in(request, "block")) {
    const uint64_t end = valor::monotonic_microseconds() + *milliseconds * 1000;
    while (valor::monotonic_microseconds() < end) continue;
  }
  if (const auto milliseconds = number_in(request, "wait")) co_await valor::sleep(*milliseconds);
  if (auto url = request.query("fetch")) co_return co_await answer_of(std::move(*url));

  std::string body = co_await request.text(SIZE_MAX);
  const auto type = request.header("content-type");
  const bool typed = type && !body.empty();
  valor::Response answer = valor::Response::bytes(std::move(body));
  answer.status(static_cast<int>(number_in(request, "status").value_or(200)));
  answer.header("x-method", request.method()).header("x-url", request.url());
  for (const valor::Header header : request.headers()) {
    if (header.name.starts_with("x-case-")) answer.header(header.name, header.value);
  }
  if (typed) answer.header("content-type", *type);
  co_return answer;
}

VLUGIN(on_request)
