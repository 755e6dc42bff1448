// What C++ code does every day without thinking of where it runs: one path each, for both targets.
#include <cassert>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
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

valor::Response on_request(valor::Request request) {
  const std::string_view path = request.path();
  if (path == "print") {
    std::printf("printed %d", 1);
    std::puts(" and ended");
    std::cout << "streamed " << 1.5 << std::endl;
    std::cerr << "complained" << std::endl;
    return "printed";
  }
  if (path == "clock") {
    using std::chrono::system_clock;
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() == begin) continue;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(system_clock::now().time_since_epoch());
    return std::to_string(seconds.count());
  }
  if (path == "random") {
    std::random_device device;
    return device() == device() && device() == device() ? "the same" : "different";
  }
  if (path == "files") return std::fopen("/etc/passwd", "r") ? "a file" : "no file";
  if (path == "environment") return std::getenv("PATH") ? "a variable" : "no variable";
  if (path == "failure") return valor::Response::failure("failed on purpose");
#if defined(__wasm__)
  if (path == "abort") std::abort();
  if (path == "exit") std::exit(at_start);
  if (path == "assert") assert(path == "something else");
  if (path == "at") return std::to_string(std::vector<int>(1).at(path.size()));
  if (path == "memory") {
    std::vector<char> most(0x7fffffff);
    valor::random_bytes(most.data(), 1) ? std::puts(most.data()) : 0;
  }
  if (path == "recursion") {
    volatile int top = 0;
    return std::to_string(depth(&top));
  }
  if (path == "null") *const_cast<volatile char*>(static_cast<char*>(nullptr) - 1) = 1;
#endif
  return "fine";
}

VLUGIN(on_request)
