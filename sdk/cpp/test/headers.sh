#!/bin/sh
# Compiles a program that uses all of the SDK, with every warning an error, in the flavours that plug-ins are compiled in.
# Usage: headers.sh ROOT C++-COMPILER WASM-COMPILER
set -eu
root=$1
cxx=$2
wasm=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat > "$folder/all.cpp" <<'END'
#include <valor/router.hpp>
#include <valor/vlugin.hpp>
#if !defined(__wasm__)
#include <valor/test.hpp>
#endif
static valor::Task<valor::Response> on_request(valor::Request request, valor::Context&) {
  auto [response, value] =
      co_await valor::all(valor::race(valor::fetch("a"), valor::sleep(1)), valor::in_thread([] { return 1; }));
  auto text = co_await std::get<0>(response).text();
  co_return valor::Response::stream([text, request = std::move(request)](valor::Writer& writer) -> valor::Task<> {
    while (auto piece = co_await request.body().read()) co_await writer.write(*piece);
    if (!text) co_await writer.fail("torn");
  });
}
struct State {
  int number;
  int left_out;
};
static valor::Task<> on_create(valor::Context& context) {
  context.set_state<State>(1);
  co_await valor::sleep(1);
  (void)context.store().set("a", "b");
}
static constexpr valor::Router<valor::Get<"a/:b/*", on_request>> routes;
VLUGIN(routes, on_create)
END

compile() {
  echo "$*"
  "$@" -std=c++20 -Wall -Wextra -Wpedantic -Werror -I "$root/sdk/cpp/include" -I "$root/abi" \
    -c "$folder/all.cpp" -o "$folder/all.o"
}
for compiler in "$cxx" "$wasm"; do
  compile "$compiler" -O2
  compile "$compiler" -O0 -fno-exceptions -fno-rtti
done
compile "$wasm" --target=wasm32-wasi -O2 -fno-exceptions -fno-rtti

# The runtime defines every function of WASI with its right type: a linker that sees another one says so.
wasi="$wasm --target=wasm32-wasi -std=c++20 -Wall -Wextra -Wpedantic -Werror -fno-exceptions -fno-rtti"
functions=$(echo '#include <wasi/api.h>' | $wasi -E -x c++ - | grep -o '__wasi_[a-z_0-9]*(' | tr -d '(' | sort -u)
{
  echo '#include <wasi/api.h>'
  echo '__attribute__((export_name("all"))) void* all(int i) { void* functions[] = {'
  for function in $functions; do echo "(void*)$function,"; done
  echo '}; return functions[i]; }'
} >"$folder/wasi.cpp"
[ "$(echo "$functions" | wc -l)" -ge 40 ] || { echo "the functions of WASI were not found"; exit 1; }
$wasi -mexec-model=reactor -Wl,--fatal-warnings -I "$root/sdk/cpp/include" -I "$root/abi" \
  -Wl,--strip-all "$root/sdk/cpp/wasm/runtime.cpp" "$folder/wasi.cpp" "$folder/all.o" -o "$folder/all.wasm"
if grep -q wasi_snapshot_preview1 "$folder/all.wasm"; then echo "an import of WASI is left"; exit 1; fi
