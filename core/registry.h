// The registry knows which plug-ins there are: definitions by name and by mount, each with a version. It only keeps the
// books: values in, values out; starting and stopping is the host's work. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/definition.h"

namespace valor::core {

struct RegistryFailure {
  enum class Reason {
    kNameTaken,
    kMountTaken,
    kNotFound,
  };
  Reason reason;
  std::string message;  ///< a sentence for the user
};

/// A registered definition.
struct Registration {
  Definition definition;
  uint64_t version;  ///< 1 for a new name; grows with every replacement; never used twice for one name
};

class Registry {
 public:
  /// The version, or why not.
  using Answer = std::variant<uint64_t, RegistryFailure>;

  /// Adds a plug-in. Name and mount must be free. A name that was removed goes on counting its versions.
  Answer add(Definition definition);

  /// Puts `definition` in the place of the one with its name. The mount may change, but not to a taken one.
  Answer replace(Definition definition);

  /// Returns whether there was one.
  bool remove(std::string_view name);

  /// What add() or replace() would refuse now; changes nothing.
  std::optional<RegistryFailure> check_add(const Definition& definition) const;
  std::optional<RegistryFailure> check_replace(const Definition& definition) const;

  /// nullptr when there is none. Valid until that plug-in is replaced or removed.
  const Registration* find(std::string_view name) const;

  /// All, ordered by name. The pointers are valid until their plug-in is replaced or removed.
  std::vector<const Registration*> list() const;

  size_t size() const { return by_name_.size(); }

 private:
  // Names remembered after removal, so that memory stays bounded; then all names go on from the highest version.
  static constexpr size_t kMaxRetired = 4096;

  std::optional<RegistryFailure> check_mount(const Definition& definition) const;
  uint64_t first_version(const std::string& name) const;

  std::map<std::string, Registration, std::less<>> by_name_;
  std::map<std::string, std::string, std::less<>> name_by_mount_;
  std::map<std::string, uint64_t, std::less<>> retired_;  // last version of removed names
  uint64_t floor_ = 0;                                    // highest version among forgotten names
};

}  // namespace valor::core
