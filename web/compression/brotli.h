// The brotli library in the node binary, as far as it is used here. The binary exports these functions, but its package
// has no headers for them: https://github.com/google/brotli/tree/master/c/include/brotli
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct BrotliEncoderState;
struct BrotliDecoderState;

enum BrotliEncoderOperation { BROTLI_OPERATION_PROCESS = 0, BROTLI_OPERATION_FINISH = 2 };
enum BrotliEncoderParameter { BROTLI_PARAM_QUALITY = 1 };
enum BrotliDecoderResult {
  BROTLI_DECODER_RESULT_ERROR = 0,
  BROTLI_DECODER_RESULT_SUCCESS = 1,
  BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT = 2,
  BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT = 3,
};

BrotliEncoderState* BrotliEncoderCreateInstance(void* (*)(void*, size_t), void (*)(void*, void*), void*);
int BrotliEncoderSetParameter(BrotliEncoderState*, BrotliEncoderParameter, uint32_t);
void BrotliEncoderDestroyInstance(BrotliEncoderState*);
int BrotliEncoderCompressStream(BrotliEncoderState*, BrotliEncoderOperation, size_t* available_in,
                                const uint8_t** next_in, size_t* available_out, uint8_t** next_out, size_t* total_out);
int BrotliEncoderIsFinished(BrotliEncoderState*);
int BrotliEncoderHasMoreOutput(BrotliEncoderState*);

BrotliDecoderState* BrotliDecoderCreateInstance(void* (*)(void*, size_t), void (*)(void*, void*), void*);
void BrotliDecoderDestroyInstance(BrotliDecoderState*);
BrotliDecoderResult BrotliDecoderDecompressStream(BrotliDecoderState*, size_t* available_in, const uint8_t** next_in,
                                                  size_t* available_out, uint8_t** next_out, size_t* total_out);
}
