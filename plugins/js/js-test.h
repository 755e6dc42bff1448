// What the tests of JavaScript plug-ins share.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "engine/testing/test-addon.h"
#include "host/testing/fake-host.h"
#include "plugins/js/js-kind.h"

namespace valor::plugins::js {

using engine::testing::test_setting;
using ScriptFolder = engine::testing::TestFolder;

inline JsKindOptions kind_options() {
  JsKindOptions options;
  options.platform = test_setting().platform;
  auto snapshot = engine::Snapshot::load(test_setting().build_folder + "/valor.snapshot", all_natives());
  REQUIRE_MESSAGE(snapshot.ok(), (snapshot ? "" : snapshot.error().message));
  options.snapshot = std::move(snapshot).value();
  options.lazy = std::make_shared<engine::LazyScripts>(test_setting().build_folder + "/lazy");
  // Blanks out the one annotation that the tests use.
  options.strip = [](const std::string& path, const std::string& source) -> core::Result<std::string> {
    if (source.find("enum") != std::string::npos) return core::Error{path + ": enum is not supported"};
    std::string text = source;
    for (size_t at; (at = text.find(": string")) != std::string::npos;) text.replace(at, 8, "        ");
    return text;
  };
  return options;
}

/// A plug-in called "test" of one script.
class Plugin {
 public:
  explicit Plugin(const std::string& script, const std::string& file = "plugin.js", core::Limits limits = {})
      : kind_(kind_options()), host_(definition(folder_.write(file, script), limits)) {}
  std::string start() { return host_.start(kind_); }
  host::testing::FakeHost& host() { return host_; }
  ScriptFolder& folder() { return folder_; }

 private:
  static core::Definition definition(const std::string& url, core::Limits limits) {
    core::Definition definition;
    definition.name = definition.prefix = "test";
    definition.url = url;
    definition.config = R"({"who":"Alice"})";
    definition.limits = limits;
    return definition;
  }
  ScriptFolder folder_;
  JsKind kind_;
  host::testing::FakeHost host_;
};

/// Whether the plug-in's log holds `text`.
inline bool logged(Plugin& plugin, const std::string& text) {
  return plugin.host().look([&] { return plugin.host().log_text.find(text) != std::string::npos; });
}

}  // namespace valor::plugins::js
