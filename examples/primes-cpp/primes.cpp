// Computes: counts the primes up to ?n=. Each count has a thread of its own, so even this plug-in's other requests do
// not wait for it.
#include <charconv>
#include <cstdint>
#include <string>
#include <valor/vlugin.hpp>
#include <vector>

namespace {

constexpr uint32_t kMost = 50'000'000;

uint32_t count_primes(uint32_t n) {
  std::vector<bool> composite(n + size_t{1});
  uint32_t count = 0;
  for (uint64_t i = 2; i <= n; ++i) {
    if (composite[i]) continue;
    ++count;
    for (uint64_t j = i * i; j <= n; j += i) composite[j] = true;
  }
  return count;
}

valor::Task<valor::Response> on_request(valor::Request request) {
  const std::string text = request.query("n").value_or("1000000");
  uint32_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || n > kMost) {
    co_return valor::Response(400, "n is a whole number up to 50,000,000\n");
  }
  const uint32_t primes = co_await valor::in_thread([n] { return count_primes(n); });
  co_return valor::Response::json("{\"n\":" + std::to_string(n) + ",\"primes\":" + std::to_string(primes) + "}");
}

}  // namespace

VLUGIN(on_request)
