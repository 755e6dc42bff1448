// The simplest plug-in. ANSWER is given by the build: the same source makes libraries that must not be confused.
#include <valor/vlugin.hpp>

// GCC makes this one unique in the process, unless somebody sees to it that each library has its own.
inline int shared_by_name = 0;

valor::Response on_request(valor::Request request) {
  if (request.url() == "inline") return std::to_string(++shared_by_name);
  if (request.url() == "throw") throw 42;
  return ANSWER;
}

VLUGIN(on_request)
