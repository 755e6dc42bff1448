// Computations without a library and without an operating system: the same code in a native plug-in, in a WASM plug-in,
// and in the module that other runtimes load. Each returns a number that depends on all of it.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The first four bytes of the SHA-256 of 1 MiB (FIPS 180-4).
uint32_t core_sha256(void);
/// Iterations over 256 x 256 points of the Mandelbrot set, at most 256 each, added up.
uint32_t core_mandelbrot(void);
/// A JSON document of about 1 MiB, read token by token and written again with names in capitals and integers doubled:
/// the sum of its bytes.
uint32_t core_json(void);

#ifdef __cplusplus
}
#endif
