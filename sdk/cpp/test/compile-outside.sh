#!/bin/sh
# Compiles every program in a page of the documentation as its reader would: in a folder of its own, with nothing but the
# SDK's and the ABI's include folders. Usage: compile-outside.sh ROOT PAGE [C++ COMPILER]
#
# A program is a fenced block after a line <!-- file NAME -->. It must compile without a warning, in every flavour that
# the SDK supports, and export the entry symbol of a plug-in.
set -eu
root=$1
page=$2
cxx=${3:-g++}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

awk '/^<!-- file .* -->$/ { name = $3; next }
     /^```/ { if (inside) { inside = 0; name = "" } else if (name != "") inside = 1; next }
     inside { print > name }' "$page"

count=0
for source in *.c *.cpp; do
  [ -f "$source" ] || continue
  case $source in
    *.c) flavours='-O2'; standard=-std=c11; compiler="${CC:-cc} -Wno-unused-parameter" ;;
    *) flavours='-O0 -O2,-fno-exceptions,-fno-rtti'; standard=-std=c++20; compiler=$cxx ;;
  esac
  for flavour in $flavours; do
    $compiler $standard -Wall -Werror $(echo "$flavour" | tr , ' ') -shared -fPIC \
      -I"$root/sdk/cpp/include" -I"$root/abi" "$source" -o "$source.so"
    nm -D "$source.so" | grep -q ' T valor_plugin_v1$' || { echo "$source: no entry symbol"; exit 1; }
    # A unique symbol of the SDK would be shared by all plug-ins of a process.
    if nm -DC "$source.so" | grep ' u valor::'; then echo "$source: the SDK has a unique symbol"; exit 1; fi
  done
  count=$((count + 1))
  echo "compiled $source"
done
[ "$count" -ge 7 ] || { echo "only $count programs found in $page"; exit 1; }
