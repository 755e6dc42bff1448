#include <words.hpp>

static_assert(__cplusplus > 202002L, "the project's standard counts for both artefacts");

std::string greet(const std::string& name, const std::string& who) {
  return name + " says " GREETING " " + who + "!";
}
