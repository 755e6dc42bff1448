// The one main() of the unit tests as WASM: doctest without files and signals, which wasm32-wasi's C++ library lacks.
#include <iosfwd>
#include <ostream>

// doctest opens a file for its option --out. Nothing else uses the type, and the option is never given here.
template <>
class std::basic_fstream<char> : public std::ostream {
 public:
  static constexpr int out = 0;
  basic_fstream() : std::ostream(nullptr) {}
  void open(const char*, int) {}
  bool is_open() const { return false; }
  void close() {}
};

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
