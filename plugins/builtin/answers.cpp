#include "plugins/builtin/answers.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/problem.h"

namespace valor::plugins::builtin {

void respond_problem(host::GuestContext& context, host::Call& call, uint16_t status, std::string detail,
                     std::initializer_list<ExtraHeader> headers) {
  const core::Problem problem{.status = status, .detail = std::move(detail), .plugin = context.definition().name};
  core::ResponseHead head = core::to_head(problem);
  for (const auto& [name, value] : headers) head.headers.append(name, value);
  call.respond(head, core::to_json(problem, call.request().id));
}

void respond_method_not_allowed(host::GuestContext& context, host::Call& call, std::string_view allowed) {
  respond_problem(context, call, 405,
                  "the method " + call.request().method + " is not answered here; allowed: " + std::string(allowed),
                  {{"allow", allowed}});
}

std::string_view path_of(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  if (url.starts_with("./")) url.remove_prefix(2);
  return url;
}

std::string local_path(std::string_view target) {
  target = target.substr(0, target.find_first_of("?#"));
  target.remove_prefix(std::min(target.find_first_not_of("/\\"), target.size()));
  return "/" + std::string(target);
}

std::optional<std::string> percent_decode(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = digit(text[i + 1]);
    const int low = digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

struct ConfigReader::State {
  nlohmann::json config;
  std::vector<std::string> known;
  std::string mistake;
};

ConfigReader::ConfigReader(std::string_view config) : state_(std::make_unique<State>()) {
  state_->config = nlohmann::json::parse(config, nullptr, /*allow_exceptions=*/false);
  if (state_->config.is_null()) state_->config = nlohmann::json::object();
  if (!state_->config.is_object()) {
    state_->mistake = "config: expected an object";
    state_->config = nlohmann::json::object();
  }
}

ConfigReader::~ConfigReader() = default;

const nlohmann::json* ConfigReader::take(std::string_view field) {
  state_->known.emplace_back(field);
  auto found = state_->config.find(field);
  return found == state_->config.end() ? nullptr : &*found;
}

void ConfigReader::mistake(std::string_view field, std::string what) {
  if (state_->mistake.empty()) state_->mistake = "config." + std::string(field) + ": " + what;
}

std::string ConfigReader::string(std::string_view field, std::string fallback) {
  const nlohmann::json* value = take(field);
  if (value == nullptr) return fallback;
  if (value->is_string()) return value->get<std::string>();
  mistake(field, "expected a string, found " + std::string(value->type_name()));
  return fallback;
}

bool ConfigReader::boolean(std::string_view field, bool fallback) {
  const nlohmann::json* value = take(field);
  if (value == nullptr) return fallback;
  if (value->is_boolean()) return value->get<bool>();
  mistake(field, "expected true or false, found " + std::string(value->type_name()));
  return fallback;
}

uint32_t ConfigReader::number(std::string_view field, uint32_t fallback, uint32_t least, uint32_t most) {
  const nlohmann::json* value = take(field);
  if (value == nullptr) return fallback;
  if (value->is_number_unsigned()) {
    const auto number = value->get<uint64_t>();
    if (number >= least && number <= most) return static_cast<uint32_t>(number);
  }
  mistake(field, "expected a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return fallback;
}

core::Status ConfigReader::finish() {
  for (const auto& [field, value] : state_->config.items()) {
    bool known = false;
    std::string list;
    for (const std::string& name : state_->known) {
      known = known || name == field;
      list += (list.empty() ? "" : ", ") + name;
    }
    if (!known)
      mistake(field, list.empty() ? "unknown; this plug-in takes no configuration" : "unknown; known are " + list);
  }
  if (!state_->mistake.empty()) return core::Error{state_->mistake};
  return core::Nothing{};
}

}  // namespace valor::plugins::builtin
