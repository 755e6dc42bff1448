// The files of plug-ins as browsers get them: what may be had, TypeScript without its types, and what they hash to.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "core/definition.h"
#include "core/integrity.h"
#include "core/result.h"
#include "plugins/builtin/folder.h"

namespace valor::plugins::builtin {

/// What others do here. Any thread.
struct DeliveryTools {
  /// TypeScript without its types; `path` is for errors. May block.
  std::function<core::Result<std::string>(const std::string& path, const std::string& source)> strip;
  std::function<std::string(core::HashAlgorithm algorithm, std::string_view bytes)> digest;
  /// Whether a plug-in of type "web" is a WASM module. Reads the file.
  std::function<bool(const core::Definition& definition)> is_module;
  /// Files that nobody gets, wherever they lie: plug-in files, which hold the configuration of all plug-ins.
  std::vector<std::string> kept_back;
};

/// Where the files of one plug-in lie.
struct PluginFolder {
  std::string path;   ///< canonical
  std::string entry;  ///< the plug-in's own file, relative to `path`
  std::string file;   ///< the same, canonical; a link may lead out of the folder
  bool whole;         ///< the plug-in may read what else is in the folder, and so may browsers
};

struct DeliveredFile {
  Opened opened;
  /// TypeScript: what is sent in its place.
  struct Stripped {
    std::string text;
    std::string integrity;
  };
  std::shared_ptr<const Stripped> stripped = nullptr;
  std::string error = {};  ///< why its types cannot be stripped
};

/// Not thread-safe. Its functions read files and wait for tools: call them outside the turn.
class Delivery {
 public:
  explicit Delivery(DeliveryTools tools) : tools_(std::move(tools)) {}

  /// Whether browsers may run the plug-in.
  static bool covers(const core::Definition& definition);

  /// The error says why its files cannot be had.
  core::Result<PluginFolder> folder_of(const core::Definition& definition) const;

  /// The file at `path`: decoded, relative to the folder, segments separated by '/', none of them hidden. `now`:
  /// seconds since 1970.
  DeliveredFile open(const PluginFolder& folder, const std::string& path, int64_t now);

  /// What a browser reads about a plug-in that browsers may run. Its url, relative to the plug-in file's, is
  /// "plugins/NAME/" and the path that open() takes, percent-encoded. Without an integrity where the file cannot be had
  /// now.
  core::Definition describe(const core::Definition& definition, const PluginFolder& folder, int64_t now);

  /// The integrity of `bytes`, as describe() gives it.
  std::string hash(std::string_view bytes) const;

 private:
  // A file in one state: device, inode, size, time of change of content and of the inode.
  using State = std::tuple<dev_t, ino_t, off_t, int64_t, int64_t>;
  struct Known {
    std::string integrity;
    std::shared_ptr<const DeliveredFile::Stripped> stripped;
  };

  static State state_of(const struct stat& info);
  std::string integrity_of(const DeliveredFile& file, int64_t now);
  std::vector<core::FileIntegrity> describe_files(const core::Definition& definition, const PluginFolder& folder,
                                                  int64_t now);
  bool is_kept_back(const Opened& opened) const;
  void remember(const struct stat& info, int64_t now, Known known);

  const DeliveryTools tools_;
  std::map<State, Known> known_;
  size_t known_bytes_ = 0;
};

}  // namespace valor::plugins::builtin
