// What a C++ plug-in in WASM has below its standard library: the system interface that wasi-libc expects, made of the
// plug-in ABI. It is compiled into every WASM plug-in, so that the module imports nothing but "valor".
//
//     printf, std::cout     lines in Valor's log, level info; std::cerr and stderr: level warn
//     abort, exit, assert   end the instance; the log says why
//     clocks, randomness    those of the host
//     files, environment    there are none
//
// Also the last words of libc++ are replaced: its own bring a printf into every module, 30 KB of it.
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <valor/instance.hpp>

extern "C" {
// VALOR_PLUGIN sets it.
__attribute__((weak)) uint64_t valor_wasm_instance;
}

namespace {

using valor::detail::host;

// https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#errno
constexpr int32_t kSuccess = 0;
constexpr int32_t kBadFile = 8;
constexpr int32_t kInvalid = 28;
constexpr int32_t kIoError = 29;
constexpr int32_t kNotImplemented = 52;
constexpr int32_t kNotSeekable = 70;

/// Text in a place of fixed size: what says why nothing goes on cannot allocate.
struct Line {
  char text[1024];
  size_t size;

  void add(char c) {
    if (size < sizeof(text)) text[size++] = c;
  }
  void add(const char* more) {
    while (*more) add(*more++);
  }
};

[[noreturn]] void end_instance(const Line& why) {
  host->abort(valor_wasm_instance, why.text, why.size);
  __builtin_trap();
}

[[noreturn]] void end_instance(const char* why) {
  Line line;
  line.size = 0;
  line.add(why);
  end_instance(line);
}

/// For the messages of the C++ library, which have no other conversions than %s.
[[noreturn]] void end_instance(const char* format, va_list arguments) {
  Line line;
  line.size = 0;
  for (; *format; ++format) {
    if (format[0] == '%' && format[1] == 's') {
      line.add(va_arg(arguments, const char*));
      ++format;
    } else {
      line.add(*format);
    }
  }
  end_instance(line);
}

/// The lines that standard output and standard error are in the middle of.
Line lines[2];

void write(Line& line, uint32_t level, const char* data, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (data[i] != '\n') line.add(data[i]);
    if (data[i] == '\n' || line.size == sizeof(line.text)) {
      host->log(valor_wasm_instance, level, line.text, line.size);
      line.size = 0;
    }
  }
}

template <class T>
T* at(int32_t address) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(static_cast<uint32_t>(address)));
}

struct Buffer {
  const char* data;
  uint32_t size;
};

struct FileStatus {
  uint8_t type;
  uint16_t flags;
  uint64_t rights;
  uint64_t rights_to_inherit;
};
static_assert(sizeof(FileStatus) == 24);
constexpr uint8_t kCharacterDevice = 2;  // without the right to seek, this is what wasi-libc takes for a terminal

}  // namespace

// https://libcxx.llvm.org/UserDocumentation.html: replaceable. Without exceptions, what would throw comes here.
#if !defined(_LIBCPP_VERBOSE_ABORT_NOEXCEPT)  // before libc++ 20
#define _LIBCPP_VERBOSE_ABORT_NOEXCEPT
#endif
[[noreturn]] void std::__libcpp_verbose_abort(const char* format, ...) _LIBCPP_VERBOSE_ABORT_NOEXCEPT {
  va_list arguments;
  va_start(arguments, format);
  end_instance(format, arguments);
}

extern "C" {

[[noreturn]] void abort_message(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  end_instance(format, arguments);
}

void abort() {  // declared with _Noreturn
  end_instance("abort() was called");
}

// The functions of WASI, by the names under which wasi-libc imports them: defined here, they are no imports any more.
#define VALOR_WASI(name, ...)                                    \
  int32_t __imported_wasi_snapshot_preview1_##name(__VA_ARGS__); \
  int32_t __imported_wasi_snapshot_preview1_##name(__VA_ARGS__)
#define VALOR_WASI_WITHOUT(name, ...) \
  VALOR_WASI(name, __VA_ARGS__) {     \
    return kNotImplemented;           \
  }

VALOR_WASI(fd_write, int32_t file, int32_t buffers, int32_t count, int32_t written) {
  if (file != 1 && file != 2) return kBadFile;
  uint32_t size = 0;
  for (int32_t i = 0; i < count; ++i) {
    const Buffer& buffer = at<const Buffer>(buffers)[i];
    write(lines[file - 1], file == 1 ? VALOR_LOG_INFO : VALOR_LOG_WARN, buffer.data, buffer.size);
    size += buffer.size;
  }
  *at<uint32_t>(written) = size;
  return kSuccess;
}

VALOR_WASI(fd_read, int32_t file, int32_t, int32_t, int32_t read) {
  if (file != 0) return kBadFile;
  *at<uint32_t>(read) = 0;
  return kSuccess;
}

VALOR_WASI(fd_fdstat_get, int32_t file, int32_t status) {
  if (file < 0 || file > 2) return kBadFile;
  *at<FileStatus>(status) = FileStatus{kCharacterDevice, 0, 0, 0};
  return kSuccess;
}

VALOR_WASI(fd_close, int32_t file) {
  return file >= 0 && file <= 2 ? kSuccess : kBadFile;
}
VALOR_WASI(fd_seek, int32_t file, int64_t, int32_t, int32_t) {
  return file >= 0 && file <= 2 ? kNotSeekable : kBadFile;
}
VALOR_WASI(fd_tell, int32_t file, int32_t) {
  return file >= 0 && file <= 2 ? kNotSeekable : kBadFile;
}
VALOR_WASI(fd_sync, int32_t) {
  return kSuccess;
}
// No folder is open from the start.
VALOR_WASI(fd_prestat_get, int32_t, int32_t) {
  return kBadFile;
}

VALOR_WASI(clock_time_get, int32_t clock, int64_t, int32_t time) {
  if (clock != 0 && clock != 1) return kInvalid;
  *at<uint64_t>(time) = host->now(clock == 0 ? VALOR_CLOCK_UNIX : VALOR_CLOCK_MONOTONIC) * 1000;
  return kSuccess;
}
VALOR_WASI(clock_res_get, int32_t clock, int32_t resolution) {
  if (clock != 0 && clock != 1) return kInvalid;
  *at<uint64_t>(resolution) = 1000;
  return kSuccess;
}

VALOR_WASI(random_get, int32_t buffer, int32_t size) {
  return host->random(at<void>(buffer), static_cast<size_t>(size)) == VALOR_OK ? kSuccess : kIoError;
}

// Neither arguments nor environment.
VALOR_WASI(args_sizes_get, int32_t count, int32_t bytes) {
  *at<uint32_t>(count) = 0;
  *at<uint32_t>(bytes) = 0;
  return kSuccess;
}
VALOR_WASI(environ_sizes_get, int32_t count, int32_t bytes) {
  *at<uint32_t>(count) = 0;
  *at<uint32_t>(bytes) = 0;
  return kSuccess;
}
VALOR_WASI(args_get, int32_t, int32_t) {
  return kSuccess;
}
VALOR_WASI(environ_get, int32_t, int32_t) {
  return kSuccess;
}

VALOR_WASI(sched_yield) {
  return kSuccess;
}
// A sleep that returned at once would be worse.
VALOR_WASI(poll_oneoff, int32_t, int32_t, int32_t, int32_t) {
  end_instance("a WASM plug-in cannot sleep or poll: co_await valor::sleep(milliseconds) waits");
}
void __imported_wasi_snapshot_preview1_proc_exit(int32_t code);
void __imported_wasi_snapshot_preview1_proc_exit(int32_t code) {
  end_instance(code == 0 ? "exit(0) was called" : "exit() was called with a code other than 0");
}

VALOR_WASI_WITHOUT(fd_advise, int32_t, int64_t, int64_t, int32_t)
VALOR_WASI_WITHOUT(fd_allocate, int32_t, int64_t, int64_t)
VALOR_WASI_WITHOUT(fd_datasync, int32_t)
VALOR_WASI_WITHOUT(fd_fdstat_set_flags, int32_t, int32_t)
VALOR_WASI_WITHOUT(fd_fdstat_set_rights, int32_t, int64_t, int64_t)
VALOR_WASI_WITHOUT(fd_filestat_get, int32_t, int32_t)
VALOR_WASI_WITHOUT(fd_filestat_set_size, int32_t, int64_t)
VALOR_WASI_WITHOUT(fd_filestat_set_times, int32_t, int64_t, int64_t, int32_t)
VALOR_WASI_WITHOUT(fd_pread, int32_t, int32_t, int32_t, int64_t, int32_t)
VALOR_WASI_WITHOUT(fd_prestat_dir_name, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(fd_pwrite, int32_t, int32_t, int32_t, int64_t, int32_t)
VALOR_WASI_WITHOUT(fd_readdir, int32_t, int32_t, int32_t, int64_t, int32_t)
VALOR_WASI_WITHOUT(fd_renumber, int32_t, int32_t)
VALOR_WASI_WITHOUT(path_create_directory, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(path_filestat_get, int32_t, int32_t, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(path_filestat_set_times, int32_t, int32_t, int32_t, int32_t, int64_t, int64_t, int32_t)
VALOR_WASI_WITHOUT(path_link, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(path_open, int32_t, int32_t, int32_t, int32_t, int32_t, int64_t, int64_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(path_readlink, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(path_remove_directory, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(path_rename, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(path_symlink, int32_t, int32_t, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(path_unlink_file, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(sock_accept, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(sock_recv, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(sock_send, int32_t, int32_t, int32_t, int32_t, int32_t)
VALOR_WASI_WITHOUT(sock_shutdown, int32_t, int32_t)

}  // extern "C"
