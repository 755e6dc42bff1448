#include "plugins/builtin/files.h"

#include <utility>

#include "core/message.h"
#include "plugins/builtin/answers.h"

namespace valor::plugins::builtin {

void Files::start() {
  const core::Definition& definition = context_.definition();
  if (definition.path.empty()) return context_.start_failed("path: is missing; expected the folder to serve");
  ConfigReader config(definition.config);
  settings_.index = config.string("index", "index.html");
  settings_.cache_control = config.string("cache_control", "");
  const core::Status read = config.finish();
  if (!read) return context_.start_failed(read.error().message);
  const std::string& index = settings_.index;
  if (index.find('/') != std::string::npos || index.find('\0') != std::string::npos || index.starts_with('.')) {
    return context_.start_failed("config.index: expected the name of a file, or \"\" for none");
  }
  if (!core::is_header_value(settings_.cache_control)) {
    return context_.start_failed("config.cache_control: expected a Cache-Control header's value");
  }
  core::Result<Folder> folder = Folder::create(definition.path);
  if (!folder) return context_.start_failed("path: " + folder.error().message);
  folder_ = std::move(folder).value();
  context_.ready();
}

}  // namespace valor::plugins::builtin
