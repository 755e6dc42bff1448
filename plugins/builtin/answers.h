// What several built-in plug-ins need: their configuration read field by field, and errors with extra headers.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"
#include "host/guest.h"

namespace valor::plugins::builtin {

using ExtraHeader = std::pair<std::string_view, std::string_view>;

/// Ends `call` with a problem (core/problem.h) and extra headers; the plug-in is named in it.
void respond_problem(host::GuestContext& context, host::Call& call, uint16_t status, std::string detail,
                     std::initializer_list<ExtraHeader> headers = {});

/// 405 with the methods that are allowed, for example "GET, HEAD".
void respond_method_not_allowed(host::GuestContext& context, host::Call& call, std::string_view allowed);

/// The path of a mount-relative url (core::Request::url): without the query and without the "./" that routing puts
/// before a path that could be read as something else. A view into `url`.
std::string_view path_of(std::string_view url);

/// The path of a request target, for a location header: without the query and with one slash at the front, since a
/// browser reads //name as another host.
std::string local_path(std::string_view target);

/// Undoes percent-encoding once. nullopt for a broken sequence.
std::optional<std::string> percent_decode(std::string_view text);

/// A plug-in's `config`: an object whose fields are fetched by name; what is not fetched is a mistake.
class ConfigReader {
 public:
  /// `config` is JSON text; null counts as an empty object.
  explicit ConfigReader(std::string_view config);
  ~ConfigReader();
  ConfigReader(const ConfigReader&) = delete;
  ConfigReader& operator=(const ConfigReader&) = delete;

  std::string string(std::string_view field, std::string fallback);
  bool boolean(std::string_view field, bool fallback);
  uint32_t number(std::string_view field, uint32_t fallback, uint32_t least, uint32_t most);

  /// Call last. The first mistake: "config.FIELD: ...".
  core::Status finish();

 private:
  const nlohmann::json* take(std::string_view field);
  void mistake(std::string_view field, std::string what);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace valor::plugins::builtin
