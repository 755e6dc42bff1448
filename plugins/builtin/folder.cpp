#include "plugins/builtin/folder.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace valor::plugins::builtin {

namespace {

// O_NONBLOCK: opening a FIFO must not wait for a writer. O_NOCTTY: nor may a terminal become ours.
constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

int open_beneath(int root, const char* path) {
  open_how how{};
  how.flags = kFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, root, path, &how, sizeof how));
}

OpenStatus status_of(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return OpenStatus::kForbidden;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:  // openat2: the tree was changed while the path was resolved
      return OpenStatus::kBusy;
    case EIO:
      return OpenStatus::kFailed;
    default:
      return OpenStatus::kNotFound;
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

core::Result<Folder> Folder::create(const std::string& path) {
  core::Result<Folder> folder = create(path, Guard::kKernel);
  if (!folder) return folder;
  // Old kernels do not know the call, and some sandboxes forbid what they do not know.
  if (!Descriptor(open_beneath(folder->root_.get(), "."))) folder->guard_ = Guard::kComponents;
  return folder;
}

core::Result<Folder> Folder::create(const std::string& path, Guard guard) {
  Folder folder;
  folder.root_ = Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.root_) return core::Error{"the folder " + path + " cannot be opened: " + strerror(errno)};
  folder.guard_ = guard;
  return folder;
}

Opened Folder::open(const std::string& path) const {
  Descriptor descriptor = guard_ == Guard::kKernel
                              ? Descriptor(open_beneath(root_.get(), path.empty() ? "." : path.c_str()))
                              : open_by_components(path);
  if (!descriptor) return {status_of(errno)};
  Opened opened{OpenStatus::kNotFound};
  if (fstat(descriptor.get(), &opened.info) != 0) return {status_of(errno)};
  if (S_ISDIR(opened.info.st_mode)) opened.status = OpenStatus::kFolder;
  if (S_ISREG(opened.info.st_mode)) {
    opened.status = OpenStatus::kFile;
    opened.descriptor = std::move(descriptor);
  }
  return opened;
}

Descriptor Folder::open_by_components(std::string_view path) const {
  Descriptor current(openat(root_.get(), ".", kFlags | O_DIRECTORY));
  while (current && !path.empty()) {
    const size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      errno = ENOENT;
      return {};
    }
    const int flags = kFlags | O_NOFOLLOW | (slash != std::string_view::npos ? O_DIRECTORY : 0);
    current = Descriptor(openat(current.get(), name.c_str(), flags));
  }
  return current;
}

}  // namespace valor::plugins::builtin
