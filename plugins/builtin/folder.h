// A folder whose files are served, and out of which no path leads. The kernel does the guarding
// (openat2 with RESOLVE_BENEATH, Linux 5.6): `..`, absolute links and links that lead out fail while they are resolved,
// so that nothing can change between a check and the opening. Where the kernel has no openat2, every component is
// opened by itself and links are not followed at all.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"

namespace valor::plugins::builtin {

/// An open file descriptor; closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

enum class OpenStatus {
  kFile,
  kFolder,
  kNotFound,   ///< not there, or leads out of the folder, or neither a regular file nor a folder
  kForbidden,  ///< the server may not read it
  kBusy,       ///< no more files can be opened now
  kFailed,     ///< the disk failed
};

struct Opened {
  OpenStatus status;
  Descriptor descriptor = {};  ///< kFile: open for reading
  struct stat info = {};       ///< kFile and kFolder
};

class Folder {
 public:
  enum class Guard { kKernel, kComponents };

  /// `path` must be a folder that can be read. `guard` is for tests; by default the best that the kernel has.
  static core::Result<Folder> create(const std::string& path);
  static core::Result<Folder> create(const std::string& path, Guard guard);

  /// Opens the file or folder at `path`: decoded, relative, segments separated by '/', "" for the folder itself.
  /// The caller has refused NUL characters.
  Opened open(const std::string& path) const;

 private:
  Descriptor open_by_components(std::string_view path) const;

  Descriptor root_;
  Guard guard_ = Guard::kKernel;
};

}  // namespace valor::plugins::builtin
