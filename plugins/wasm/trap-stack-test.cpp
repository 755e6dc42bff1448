#include "plugins/wasm/trap-stack.h"

#include <doctest/doctest.h>

using valor::plugins::wasm::readable_stack;

TEST_CASE("frames name the file, and places are those in the file") {
  CHECK(readable_stack("\n    at boom (wasm://wasm/6b2a5e0e:wasm-function[3]:0x41)\n    at "
                       "wasm://wasm/m-6b2a5e0e:wasm-function[4]:0x1f",
                       "plugin.wasm",
                       3) == "at boom (plugin.wasm:wasm-function[3]:0x3e)\nat plugin.wasm:wasm-function[4]:0x1c");
}

TEST_CASE("the module's own name says nothing new") {
  CHECK(readable_stack("    at plug-in.wasm.f (wasm://wasm/plug-in.wasm-00b2a5e0e:wasm-function[3]:0x41)", "a.wasm",
                       0) == "at f (a.wasm:wasm-function[3]:0x41)");
}

TEST_CASE("what is no frame of WASM stays as it is") {
  CHECK(readable_stack("    at respond (native)", "a", 9) == "at respond (native)");
  CHECK(readable_stack("    at f (wasm://wasm/1:wasm-function[3]:0xzz)", "a", 0) == "at f (a:wasm-function[3]:0x0zz)");
  CHECK(readable_stack("", "a", 0) == "");
  CHECK(readable_stack("\n\n", "a", 0) == "");
}
