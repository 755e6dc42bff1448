// A copy of a shared library in memory, made before it is loaded.
//
// The dynamic loader knows a library by its name and inode: a new file at an old path may get the old code, and a file
// that is overwritten in place pulls the code away under the threads that run it. A copy per version of the file has
// neither trouble. In the copy, symbols that GCC made unique in the process (STB_GNU_UNIQUE: inline variables, static
// data of templates) become ordinary ones, since two plug-ins that both have an `inline int counter` must not share it.
// https://www.akkadia.org/drepper/dsohowto.pdf section 2.2.5
#pragma once

#include <string>
#include <vector>

#include "core/result.h"

namespace valor::plugins::native {

/// Makes the unique symbols in an ELF file (all its bytes) weak ones. Files that are not as expected stay as they are.
void make_unique_symbols_weak(std::vector<char>& file);

/// Whether an ELF file (all its bytes) ends before what it says is to be loaded from it. The dynamic loader would map
/// the missing pages and die of SIGBUS when it touches them, and the process with it.
bool is_cut_off(const std::vector<char>& file);

/// A file in memory with these bytes, under `name` in /proc/PID/maps. Returns its descriptor, which the caller owns.
core::Result<int> create_memory_file(const std::string& name, const std::vector<char>& bytes);

}  // namespace valor::plugins::native
