#!/bin/sh
# Installs the SDK, builds a project outside of this repository with it, and looks at what comes out.
# Usage: package.sh ROOT BUILD CMAKE
set -eu
root=$1
build=$2
cmake=$(command -v "$3")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() {
  echo "$1"
  exit 1
}

"$cmake" --install "$build" --prefix "$folder/prefix" >/dev/null
cp -r "$root/sdk/cpp/test/package" "$folder/project"
grep -rl "$root" "$folder/prefix" && fail "the installed files name the repository"
cd "$folder/project"

# Both targets, in both kinds of build, and again after a header has changed.
"$cmake" -S . -B build -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$folder/prefix" -DVALOR_WASM=REQUIRED
"$cmake" --build build
(cd build && "${cmake%cmake}ctest" --output-on-failure)
nm -D build/greeter.so | grep -q ' T valor_plugin_v1$' || fail "greeter.so is no plug-in"
for text in valor_start valor_complete; do
  grep -q "$text" build/greeter.wasm || fail "greeter.wasm does not export $text"
done
if grep -q wasi_snapshot_preview1 build/greeter.wasm; then fail "greeter.wasm imports WASI"; fi
if grep -q dlmalloc build/greeter.wasm; then fail "a release build has names"; fi
cp build/greeter.wasm before.wasm
touch words/words.hpp
sed -i 's/GREETING="hello"/GREETING="good day"/' CMakeLists.txt
"$cmake" --build build
cmp -s before.wasm build/greeter.wasm && fail "greeter.wasm was not built again"
"$cmake" -S . -B named -DCMAKE_PREFIX_PATH="$folder/prefix" >/dev/null
"$cmake" --build named --target greeter-wasm >/dev/null
grep -q dlmalloc named/greeter.wasm || fail "a build that is no release has no names"

# What is missing is said, with what to do.
wanted='sudo apt-get install clang-19 lld-19 wasi-libc libc++-19-dev-wasm32'
mkdir bin
for tool in cc c++ g++ gcc ld as ar nm ninja make; do
  if path=$(command -v "$tool"); then ln -s "$path" "bin/$tool"; fi
done
without() {
  PATH="$folder/project/bin" "$cmake" -S . -DCMAKE_PREFIX_PATH="$folder/prefix" -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF \
    "$@" 2>&1
}
without -B auto >auto.log
grep -q "$wanted" auto.log || fail "no word about the missing toolchain"
PATH="$folder/project/bin" "$cmake" --build auto >/dev/null
[ -f auto/greeter.so ] && [ ! -f auto/greeter.wasm ] || fail "AUTO did not build the native library alone"
if without -B required -DVALOR_WASM=REQUIRED >required.log; then fail "REQUIRED is not required"; fi
grep -q "$wanted" required.log || fail "REQUIRED does not say what to install"
if without -B wrong -DVALOR_WASM_CXX=/bin/false >wrong.log; then fail "a compiler that does not compile was taken"; fi
grep -q "VALOR_WASM_CXX is /bin/false" wrong.log || fail "the wrong compiler is not named"
if sed -i 's/Valor 0.1/Valor 0.2/' CMakeLists.txt && without -B version >version.log; then fail "0.2 was found"; fi
