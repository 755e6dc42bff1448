#!/bin/sh
# Compiles every program in pages of the documentation as its reader would: in a folder of its own, with nothing but the
# SDK's and the ABI's files. Usage: compile-outside.sh ROOT C++-COMPILER WASM-COMPILER PAGE...
#
# A program is a fenced block after a line <!-- file NAME [native] -->. It must compile without a warning to a library that
# exports the entry symbol of a plug-in and, unless it is "native", to a module that imports nothing of WASI. headers.sh
# tries more flavours. After <!-- file NAME-test.cpp PLUGIN.cpp --> stands a unit test for that plug-in, which must pass.
set -eu
root=$1
cxx=$2
wasm=$3
shift 3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

awk '/^<!-- file .* -->$/ { name = $3; if ($4 != "-->") print $4 > (name ".option"); next }
     /^```/ { if (inside) { inside = 0; name = "" } else if (name != "") inside = 1; next }
     inside { print > name }' "$@"

count=0
tests=0
includes="-I$root/sdk/cpp/include -I$root/abi"
wasm="$wasm --target=wasm32-wasi -std=c++20 -O2 -fno-exceptions -fno-rtti -Wall -Werror $includes"
# The part of the SDK that every module has.
$wasm -c "$root/sdk/cpp/wasm/runtime.cpp" -o runtime.o
for source in *.c *.cpp; do
  [ -f "$source" ] || continue
  case $source in
    *-test.cpp)
      $cxx -std=c++20 -Wall -Werror -DDOCTEST_CONFIG_IMPLEMENT_WITH_MAIN $includes "$source" "$(cat "$source.option")" \
        -o test.program -pthread
      ./test.program --minimal
      tests=$((tests + 1))
      continue ;;
    *.c) flavours='-O2'; standard=-std=c11; compiler="${CC:-cc} -Wno-unused-parameter" ;;
    *) flavours='-O0'; standard=-std=c++20; compiler=$cxx ;;
  esac
  for flavour in $flavours; do
    $compiler $standard -Wall -Werror $(echo "$flavour" | tr , ' ') -shared -fPIC $includes "$source" -o "$source.so"
    nm -D "$source.so" | grep -q ' T valor_plugin_v1$' || { echo "$source: no entry symbol"; exit 1; }
    # A unique symbol of the SDK would be shared by all plug-ins of a process.
    if nm -DC "$source.so" | grep ' u valor::'; then echo "$source: the SDK has a unique symbol"; exit 1; fi
  done
  case $source in
    *.cpp)
      if [ "$(cat "$source.option" 2>/dev/null)" != native ]; then
        $wasm -mexec-model=reactor -Wl,--strip-all "$source" runtime.o -o "$source.wasm"
        if grep -q wasi_snapshot_preview1 "$source.wasm"; then echo "$source: imports WASI"; exit 1; fi
        # Something that brings half of the C library along does so in every module.
        size=$(stat -c %s "$source.wasm")
        if [ "$size" -gt 49152 ]; then echo "$source: $size bytes of WASM"; exit 1; fi
      fi ;;
  esac
  count=$((count + 1))
  echo "compiled $source"
done
[ "$count" -ge 10 ] && [ "$tests" -ge 3 ] || { echo "only $count programs and $tests tests found in $*"; exit 1; }
