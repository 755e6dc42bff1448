#include "core/registry.h"

#include <algorithm>
#include <utility>

namespace valor::core {

std::optional<RegistryFailure> Registry::check_mount(const Definition& definition) const {
  auto owner = name_by_mount_.find(definition.prefix);
  if (owner == name_by_mount_.end() || owner->second == definition.name) return std::nullopt;
  return RegistryFailure{RegistryFailure::Reason::kMountTaken, "The mount \"/" + definition.prefix +
                                                                   "\" is taken by the plug-in \"" + owner->second +
                                                                   "\"; choose another prefix."};
}

std::optional<RegistryFailure> Registry::check_add(const Definition& definition) const {
  if (by_name_.count(definition.name) != 0) {
    return RegistryFailure{RegistryFailure::Reason::kNameTaken, "There is a plug-in named \"" + definition.name +
                                                                    "\" already; replace it or choose another name."};
  }
  return check_mount(definition);
}

std::optional<RegistryFailure> Registry::check_replace(const Definition& definition) const {
  if (by_name_.count(definition.name) == 0) {
    return RegistryFailure{RegistryFailure::Reason::kNotFound,
                           "There is no plug-in named \"" + definition.name + "\"."};
  }
  return check_mount(definition);
}

uint64_t Registry::first_version(const std::string& name) const {
  auto retired = retired_.find(name);
  return (retired == retired_.end() ? floor_ : std::max(floor_, retired->second)) + 1;
}

Registry::Answer Registry::add(Definition definition) {
  if (auto failure = check_add(definition)) return *std::move(failure);
  std::string name = definition.name;
  uint64_t version = first_version(name);
  retired_.erase(name);
  name_by_mount_.emplace(definition.prefix, name);
  by_name_.emplace(std::move(name), Registration{std::move(definition), version});
  return version;
}

Registry::Answer Registry::replace(Definition definition) {
  if (auto failure = check_replace(definition)) return *std::move(failure);
  Registration& current = by_name_.find(definition.name)->second;
  name_by_mount_.erase(current.definition.prefix);
  name_by_mount_.emplace(definition.prefix, definition.name);
  current.definition = std::move(definition);
  return ++current.version;
}

bool Registry::remove(std::string_view name) {
  auto found = by_name_.find(name);
  if (found == by_name_.end()) return false;
  if (retired_.size() >= kMaxRetired) {
    for (const auto& [old_name, version] : retired_) floor_ = std::max(floor_, version);
    retired_.clear();
  }
  retired_.emplace(found->first, found->second.version);
  name_by_mount_.erase(found->second.definition.prefix);
  by_name_.erase(found);
  return true;
}

const Registration* Registry::find(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

std::vector<const Registration*> Registry::list() const {
  std::vector<const Registration*> all;
  all.reserve(by_name_.size());
  for (const auto& [name, registration] : by_name_) all.push_back(&registration);
  return all;
}

}  // namespace valor::core
