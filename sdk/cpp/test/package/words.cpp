#include <words.hpp>

std::string greet(const std::string& name, const std::string& who) {
  return name + " says " GREETING " " + who + "!";
}
