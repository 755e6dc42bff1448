// Plug-in files and definitions: whatever the bytes are, they parse or give a message, and what parses survives the way
// through JSON.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/definition.h"

using namespace valor::core;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(Definition definition, const Sources& sources) {
  std::string json = to_json(definition);
  Result<Definition> again = parse_definition(json, "again", sources);
  require(again.ok());
  require(to_json(*again) == json);
  if (&sources == &Sources::kUrls) return;
  resolve_paths(definition, "/folder");
  require(definition.url.empty() || definition.url.front() == '/');
  require(definition.web.empty() || definition.web.front() == '/');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Sources* sources : {&Sources::kFiles, &Sources::kUrls}) {
    Result<Definition> definition = parse_definition(text, "body", *sources);
    if (definition) {
      check(std::move(definition).value(), *sources);
    } else {
      require(!definition.error().message.empty());
    }
    Result<std::vector<Definition>> definitions = parse_plugin_file(text, "file", *sources);
    if (definitions) {
      for (const Definition& each : *definitions) check(each, *sources);
    } else {
      require(!definitions.error().message.empty());
    }
  }
  return 0;
}
