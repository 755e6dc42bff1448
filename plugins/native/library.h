// Loading native plug-ins. A library is loaded once for each version of its file and then stays: it is never unloaded,
// since threads that the plug-in started may run its code, and destructors of thread-local and static objects point
// into it, for as long as the process lives.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "abi/valor.h"
#include "core/result.h"

namespace valor::plugins::native {

/// Thread-safe.
class LibraryCache {
 public:
  /// The functions of the plug-in at `path`: a file, or, without a slash, the name of a library that the system's
  /// dynamic loader finds as lib<path>.so or <path>.so. Runs code of the library (its initialisation). Errors are
  /// sentences for the operator.
  core::Result<const valor_guest*> load(const std::string& path, const valor_host& host);

 private:
  /// Device, inode, size, and the times of the last change of content and of inode, in nanoseconds.
  using Version = std::tuple<uint64_t, uint64_t, uint64_t, int64_t, int64_t>;
  using Outcome = core::Result<const valor_guest*>;

  /// One version of one file, or one system library.
  struct Library {
    std::mutex mutex;  // held while its code initialises itself, so that it does so once
    std::optional<Outcome> outcome;
  };

  Outcome load_file(const std::string& path, const valor_host& host);
  Outcome load_from_system(const std::string& name, const valor_host& host);
  Outcome open_file(const std::string& path, int fd, const Version& version, const valor_host& host,
                    std::optional<Outcome>& outcome);

  std::mutex mutex_;  // guards the maps below
  std::map<Version, std::shared_ptr<Library>> files_;
  std::map<std::string, std::shared_ptr<Library>> system_;
  std::map<std::string, Version> in_place_;  // files that were loaded without a copy
};

/// The guest table behind an open library's entry symbol, checked. `path` is for errors.
core::Result<const valor_guest*> enter_library(void* library, const std::string& path, const valor_host& host);

}  // namespace valor::plugins::native
