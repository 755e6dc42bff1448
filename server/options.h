// What an operator may choose when the server starts. The command line (cli/) fills this in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/log.h"
#include "http/limits.h"
#include "plugins/builtin/browser.h"

namespace valor::server {

struct Options {
  std::vector<std::string> plugin_files;  ///< paths
  std::string host = "127.0.0.1";
  uint16_t port = 8080;  ///< 0: the system chooses
  bool registry = false;
  std::string admin_token;  ///< empty: none
  plugins::builtin::BrowserDelivery browser = plugins::builtin::BrowserDelivery::kOff;
  std::string web_folder;  ///< of the browser runtime's files; need not exist
  bool log_json = false;
  core::LogLevel log_level = core::LogLevel::kInfo;
  bool access_log = true;
  bool color = false;
  uint32_t drain_timeout_ms = 30'000;
  uint32_t io_threads = 0;  ///< 0: half of the processors
  http::Limits limits;
};

}  // namespace valor::server
