#include "plugins/native/private-copy.h"

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace valor::plugins::native {

namespace {

#ifndef MFD_EXEC
constexpr unsigned MFD_EXEC = 0x0010;
#endif

/// A T at `offset`; false when the file ends before.
template <class T>
bool read_at(const std::vector<char>& file, uint64_t offset, T& value) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) return false;
  std::memcpy(&value, file.data() + offset, sizeof(T));
  return true;
}

}  // namespace

void make_unique_symbols_weak(std::vector<char>& file) {
  Elf64_Ehdr header;
  if (!read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof(Elf64_Shdr)) return;
  for (size_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    if (!read_at(file, header.e_shoff + i * sizeof(section), section)) return;
    if (section.sh_type != SHT_DYNSYM) continue;
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= section.sh_size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      if (!read_at(file, section.sh_offset + at, symbol)) return;
      if (ELF64_ST_BIND(symbol.st_info) != STB_GNU_UNIQUE) continue;
      symbol.st_info = ELF64_ST_INFO(STB_WEAK, ELF64_ST_TYPE(symbol.st_info));
      std::memcpy(file.data() + section.sh_offset + at, &symbol, sizeof(symbol));
    }
  }
}

bool is_cut_off(const std::vector<char>& file) {
  Elf64_Ehdr header;
  if (!read_at(file, 0, header)) return true;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr)) return false;
  for (size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!read_at(file, header.e_phoff + i * sizeof(segment), segment)) return true;
    if (segment.p_type != PT_LOAD) continue;
    if (segment.p_offset > file.size() || file.size() - segment.p_offset < segment.p_filesz) return true;
  }
  return false;
}

core::Result<int> create_memory_file(const std::string& name, const std::vector<char>& bytes) {
  int fd = memfd_create(name.c_str(), MFD_CLOEXEC | MFD_EXEC);
  // Kernels before 6.3 do not know MFD_EXEC.
  if (fd < 0 && errno == EINVAL) fd = memfd_create(name.c_str(), MFD_CLOEXEC);
  if (fd < 0) return core::Error{std::string("cannot make a file in memory: ") + strerror(errno)};
  for (size_t written = 0; written < bytes.size();) {
    const ssize_t count = write(fd, bytes.data() + written, bytes.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      core::Error error{std::string("cannot write a file in memory: ") + strerror(errno)};
      close(fd);
      return error;
    }
    written += static_cast<size_t>(count);
  }
  return fd;
}

}  // namespace valor::plugins::native
