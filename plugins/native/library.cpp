#include "plugins/native/library.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "plugins/native/private-copy.h"

namespace valor::plugins::native {

namespace {

// Of the table of a guest that was built with the first header of this version. Later ones may be larger.
constexpr size_t kLeastGuestSize = offsetof(valor_guest, destroy) + sizeof(valor_guest::destroy);

// RTLD_LOCAL: two plug-ins may have functions of the same name. RTLD_NOW: what is missing shows now, not in a request.
constexpr int kOpenFlags = RTLD_NOW | RTLD_LOCAL;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string loader_error() {
  const char* text = dlerror();
  return text != nullptr ? text : "unknown error of the dynamic loader";
}

core::Error cannot_read(const std::string& path, const std::string& why) {
  return core::Error{"cannot read the native plug-in " + path + ": " + why};
}

core::Result<std::vector<char>> read_all(const std::string& path, int fd, size_t size) {
  std::vector<char> bytes(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t count = pread(fd, bytes.data() + done, size - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot_read(path, strerror(errno));
    if (count == 0) return cannot_read(path, "it became shorter meanwhile; is it still being written?");
    done += static_cast<size_t>(count);
  }
  return bytes;
}

/// Whether the library looks for others beside itself, so that it has to be loaded from where it lies.
bool needs_its_folder(const std::vector<char>& bytes) {
  return std::string_view(bytes.data(), bytes.size()).find("$ORIGIN") != std::string_view::npos;
}

}  // namespace

core::Result<const valor_guest*> enter_library(void* library, const std::string& path, const valor_host& host) {
  const auto entry = reinterpret_cast<valor_entry>(dlsym(library, VALOR_ENTRY_SYMBOL));
  if (entry == nullptr) {
    return core::Error{path + " is not a Valor plug-in: it does not export " VALOR_ENTRY_SYMBOL
                              "; does its source end in VLUGIN(handler)?"};
  }
  const valor_guest* guest = entry(&host);
  if (guest == nullptr) {
    return core::Error{path +
                       " refuses to run with this Valor: it needs host functions that are not there; update Valor"};
  }
  if (guest->abi != VALOR_ABI_VERSION) {
    const std::string advice = guest->abi > VALOR_ABI_VERSION ? "update Valor, or build the plug-in with an older SDK"
                                                              : "build the plug-in with a present SDK";
    return core::Error{path + " needs plug-in ABI " + std::to_string(guest->abi) + ", this Valor speaks " +
                       std::to_string(VALOR_ABI_VERSION) + ": " + advice};
  }
  if (guest->size < kLeastGuestSize) {
    return core::Error{path + " has a table of functions of " + std::to_string(guest->size) +
                       " bytes where plug-in ABI " + std::to_string(VALOR_ABI_VERSION) + " has " +
                       std::to_string(kLeastGuestSize) + " at least: build it with the valor.h of its ABI"};
  }
  if (guest->create == nullptr || guest->start == nullptr || guest->complete == nullptr || guest->drop == nullptr ||
      guest->destroy == nullptr) {
    return core::Error{path + " leaves a function of plug-in ABI " + std::to_string(VALOR_ABI_VERSION) +
                       " out (NULL): create, start, complete, drop and destroy must all be there"};
  }
  return guest;
}

core::Result<const valor_guest*> LibraryCache::load(const std::string& path, const valor_host& host) {
  return path.find('/') == std::string::npos ? load_from_system(path, host) : load_file(path, host);
}

LibraryCache::Outcome LibraryCache::load_from_system(const std::string& name, const valor_host& host) {
  std::shared_ptr<Library> library;
  {
    std::lock_guard lock(mutex_);
    std::shared_ptr<Library>& known = system_[name];
    if (known == nullptr) known = std::make_shared<Library>();
    library = known;
  }
  std::lock_guard lock(library->mutex);
  if (library->outcome) return *library->outcome;
  std::string tried;
  for (const std::string& file : {"lib" + name + ".so", name + ".so"}) {
    void* handle = dlopen(file.c_str(), kOpenFlags);
    if (handle != nullptr) {
      library->outcome = enter_library(handle, file, host);
      return *library->outcome;
    }
    tried += (tried.empty() ? "" : "; ") + loader_error();
  }
  return core::Error{"there is no system library for the native plug-in path \"" + name + "\": tried lib" + name +
                     ".so and " + name + ".so (" + tried + "); a file needs a slash, for example ./" + name + ".so"};
}

LibraryCache::Outcome LibraryCache::load_file(const std::string& path, const valor_host& host) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return cannot_read(path, errno == ENOENT ? "there is no such file" : strerror(errno));
  struct stat status;
  if (fstat(file.get(), &status) != 0) return cannot_read(path, strerror(errno));
  if (!S_ISREG(status.st_mode)) return cannot_read(path, "it is not a file");
  const auto nanoseconds = [](const timespec& time) { return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec; };
  const Version version = {status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size),
                           nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
  std::shared_ptr<Library> library;
  {
    std::lock_guard lock(mutex_);
    std::shared_ptr<Library>& known = files_[version];
    if (known == nullptr) known = std::make_shared<Library>();
    library = known;
  }
  std::lock_guard lock(library->mutex);
  if (library->outcome) return *library->outcome;
  return open_file(path, file.get(), version, host, library->outcome);
}

// Only what the library itself said is kept in `outcome`: what else failed may succeed another time.
LibraryCache::Outcome LibraryCache::open_file(const std::string& path, int fd, const Version& version,
                                              const valor_host& host, std::optional<Outcome>& outcome) {
  core::Result<std::vector<char>> bytes = read_all(path, fd, std::get<2>(version));
  if (!bytes) return bytes.error();
  if (bytes->size() < SELFMAG || std::memcmp(bytes->data(), ELFMAG, SELFMAG) != 0) {
    return core::Error{path + " is not a shared library (ELF): build it with g++ -shared -fPIC"};
  }
  if (is_cut_off(*bytes)) {
    return core::Error{path +
                       " is a shared library without its end: is it still being written, or was a copy broken off?"};
  }
  std::string to_open = path;
  int copy_fd = -1;
  if (needs_its_folder(*bytes)) {
    std::lock_guard lock(mutex_);
    const auto [known, added] = in_place_.emplace(path, version);
    if (!added && known->second != version) {
      return core::Error{path +
                         " has changed, but the dynamic loader would give its old code, since it looks for other "
                         "libraries beside itself ($ORIGIN): restart Valor, or give the new file another name"};
    }
  } else {
    make_unique_symbols_weak(*bytes);
    core::Result<int> copy = create_memory_file(path.substr(path.rfind('/') + 1), *bytes);
    if (!copy) return cannot_read(path, copy.error().message);
    // It stays open: the loader takes a library of the same name for the same library, so the number must not come
    // again. With the process id in it, debuggers find it too.
    copy_fd = *copy;
    to_open = "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(copy_fd);
  }
  void* handle = dlopen(to_open.c_str(), kOpenFlags);
  if (handle == nullptr) {
    std::string error = loader_error();
    if (copy_fd >= 0) {
      // Nothing was loaded under that name.
      close(copy_fd);
      if (const size_t at = error.find(to_open); at != std::string::npos) error.replace(at, to_open.size(), path);
    }
    return core::Error{"cannot load the native plug-in " + path + ": " + error};
  }
  outcome = enter_library(handle, path, host);
  return *outcome;
}

}  // namespace valor::plugins::native
