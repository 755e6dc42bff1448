// What C++ code does every day without thinking of where it runs: one path each, for both targets.
#include <cassert>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <valor/vlugin.hpp>
#include <vector>

static int depth(volatile int* below) {
  volatile int here[1000];
  here[0] = *below + 1;
  return depth(here) + here[0];
}

static const int at_start = [] {
  std::puts("before the instance is there");
  return 1;
}();

valor::Task<valor::Response> on_request(valor::Request request, valor::Context& context) {
  const std::string_view path = request.path();
  if (path == "print") {
    std::printf("printed %d", 1);
    std::puts(" and ended");
    std::cout << "streamed " << 1.5 << std::endl;
    std::cerr << "complained" << std::endl;
    co_return "printed";
  }
  if (path == "clock") {
    using std::chrono::system_clock;
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() == begin) continue;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(system_clock::now().time_since_epoch());
    co_return std::to_string(seconds.count());
  }
  if (path == "random") {
    std::random_device device;
    co_return device() == device() && device() == device() ? "the same" : "different";
  }
  if (path == "files") co_return std::fopen("/etc/passwd", "r") ? "a file" : "no file";
  if (path == "environment") co_return std::getenv("PATH") ? "a variable" : "no variable";
  if (path == "store") {
    const valor::Store store = context.store();
    const bool kept = store.set("key", "value") && !store.set("", "value");
    const std::string value = store.get("key").value_or("absent");
    co_return kept&& store.erase("key") && !store.erase("key") && !store.get("key") ? value : "lost";
  }
  if (path == "upload") {
    valor::FetchResponse response =
        co_await valor::fetch(valor::FetchRequest("echo")
                                  .method("POST")
                                  .header("x-a", "1")
                                  .stream([&request](valor::Writer& writer) -> valor::Task<> {
                                    while (const auto piece = co_await request.body().read())
                                      co_await writer.write(*piece);
                                  }));
    const std::optional<std::string> text = co_await response.text();
    co_return text.value_or(response.error());
  }
  if (path == "relay") {
    // The answer begins, and this coroutine ends, while the request's body still comes.
    valor::FetchRequest passed_on = valor::FetchRequest("come-back")
                                        .method("POST")
                                        .stream([request = std::move(request)](valor::Writer& writer) -> valor::Task<> {
                                          while (const auto piece = co_await request.body().read())
                                            co_await writer.write(*piece);
                                        });
    valor::FetchResponse response = co_await valor::fetch(std::move(passed_on));
    co_return valor::Response::stream([response = std::move(response)](valor::Writer& writer) mutable -> valor::Task<> {
      while (const auto piece = co_await response.read()) co_await writer.write(*piece);
    });
  }
  if (path == "come-back") {
    co_return valor::Response::stream([request = std::move(request)](valor::Writer& writer) -> valor::Task<> {
      while (const auto piece = co_await request.body().read()) co_await writer.write(*piece);
    });
  }
  if (path == "echo") {
    co_return std::string(request.header("x-a").value_or("none")) + co_await request.text();
  }
  if (path == "all") {
    auto [a, b] = co_await valor::all(valor::fetch("echo"), valor::fetch("http://127.0.0.1:1/"));
    co_return std::to_string(a.status()) + (b ? " a response" : b.error().empty() ? " no words" : " no response");
  }
  if (path == "race") {
    auto result = co_await valor::race(valor::fetch("sleep"), valor::sleep(20));
    co_return result.index() == 1 ? "in time" : "too late";
  }
  if (path == "sleep") {
    co_await valor::sleep(3'600'000);
  }
  if (path == "give-up") {
    context.abort("given up on purpose");
    co_return "after";
  }
  if (path == "failure") co_return valor::Response::failure("failed on purpose");
#if defined(__wasm__)
  if (path == "abort") std::abort();
  if (path == "exit") std::exit(at_start);
  if (path == "assert") assert(path == "something else");
  if (path == "at") co_return std::to_string(std::vector<int>(1).at(path.size()));
  if (path == "memory") {
    std::vector<char> most(0x7fffffff);
    valor::random_bytes(most.data(), 1) ? std::puts(most.data()) : 0;
  }
  if (path == "recursion") {
    volatile int top = 0;
    co_return std::to_string(depth(&top));
  }
  if (path == "null") *const_cast<volatile char*>(static_cast<char*>(nullptr) - 1) = 1;
#endif
  co_return "fine";
}

VLUGIN(on_request)
