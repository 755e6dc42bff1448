// Whether the files of a plug-in are those that its definition means (core/integrity.h), by the OpenSSL of the Node
// binary.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/definition.h"
#include "core/integrity.h"
#include "core/result.h"

namespace valor::engine {

/// The digest of `bytes`; "" when OpenSSL refuses. Any thread.
std::string digest(core::HashAlgorithm algorithm, std::string_view bytes);

/// What the files of one plug-in must hash to.
class FileHashes {
 public:
  /// Allows everything.
  FileHashes() = default;
  /// `file`: the plug-in's own, as its definition names it (`url` or `web`).
  FileHashes(const std::vector<core::FileIntegrity>& declared, const std::string& file);

  /// Whether the file at `path`, which holds `bytes`, may be run. Where the definition lists files, one that is not
  /// among them may not. The error says what was expected and what was found.
  core::Status check(const std::string& path, std::string_view bytes) const;
  /// Whether a hash of the file at `path` (canonical) is declared.
  bool lists(const std::string& path) const { return by_path_.contains(path); }

 private:
  bool all_ = false;                                // every file must be listed
  std::map<std::string, core::Integrity> by_path_;  // canonical
};

/// Whether the file that browsers run of a plug-in is there, and the one that is meant. The error names it.
core::Status check_browser_file(const core::Definition& definition);

}  // namespace valor::engine
