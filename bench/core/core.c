#include "core.h"

#include <stddef.h>

#if defined(__wasm__)
#define EXPORT(name) __attribute__((export_name(name)))
#else
#define EXPORT(name)
#endif

enum { kBytes = 1 << 20 };
static uint8_t input[kBytes];
static uint8_t output[kBytes + kBytes / 4];

// --- SHA-256: https://csrc.nist.gov/pubs/fips/180-4/upd1/final

static const uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t value, int bits) {
  return (value >> bits) | (value << (32 - bits));
}

static uint32_t load(const uint8_t* at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void compress(uint32_t hash[8], const uint8_t* block) {
  uint32_t w[64];
  for (int i = 0; i < 16; i++) w[i] = load(block + i * 4);
  for (int i = 16; i < 64; i++) {
    const uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  uint32_t v[8];
  for (int i = 0; i < 8; i++) v[i] = hash[i];
  for (int i = 0; i < 64; i++) {
    const uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
    const uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
    const uint32_t t1 = v[7] + s1 + choice + kRound[i] + w[i];
    const uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
    const uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    for (int k = 7; k > 0; k--) v[k] = v[k - 1];
    v[4] += t1;
    v[0] = t1 + s0 + majority;
  }
  for (int i = 0; i < 8; i++) hash[i] += v[i];
}

EXPORT("sha256") uint32_t core_sha256(void) {
  uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (int i = 0; i < kBytes; i++) input[i] = 7;
  for (int at = 0; at < kBytes; at += 64) compress(hash, input + at);
  uint8_t last[64] = {0x80};
  const uint64_t bits = (uint64_t)kBytes * 8;
  for (int i = 0; i < 8; i++) last[56 + i] = (uint8_t)(bits >> (56 - 8 * i));
  compress(hash, last);
  return hash[0];
}

// --- Mandelbrot

EXPORT("mandelbrot") uint32_t core_mandelbrot(void) {
  const int kSide = 256;
  const uint32_t kMost = 256;
  uint32_t sum = 0;
  for (int row = 0; row < kSide; row++) {
    for (int column = 0; column < kSide; column++) {
      const double re = -2.0 + 2.6 * column / kSide;
      const double im = -1.3 + 2.6 * row / kSide;
      double x = 0;
      double y = 0;
      uint32_t count = 0;
      while (count < kMost && x * x + y * y <= 4.0) {
        const double next = x * x - y * y + re;
        y = 2 * x * y + im;
        x = next;
        count++;
      }
      sum += count;
    }
  }
  return sum;
}

// --- JSON

static size_t put_text(uint8_t* at, const char* text) {
  size_t size = 0;
  for (; text[size]; size++) at[size] = (uint8_t)text[size];
  return size;
}

static size_t put_number(uint8_t* at, uint64_t number) {
  uint8_t digits[20];
  size_t count = 0;
  do digits[count++] = (uint8_t)('0' + number % 10);
  while ((number /= 10) > 0);
  for (size_t i = 0; i < count; i++) at[i] = digits[count - 1 - i];
  return count;
}

static size_t write_document(void) {
  size_t size = put_text(input, "{\"books\":[");
  for (uint64_t id = 0; size < kBytes - 200; id++) {
    if (id > 0) input[size++] = ',';
    size += put_text(input + size, "{\"id\": ");
    size += put_number(input + size, id);
    size += put_text(input + size, ", \"title\": \"A \\\"book\\\" about ");
    size += put_number(input + size, id * 2654435761u);
    size += put_text(input + size, "\", \"tags\": [true, null, ");
    size += put_number(input + size, id % 1000);
    size += put_text(input + size, "]}");
  }
  return size + put_text(input + size, "]}");
}

// Behind a string: whether it was the name of a member.
static int is_name(const uint8_t* at, const uint8_t* end) {
  while (at < end && (*at == ' ' || *at == '\n')) at++;
  return at < end && *at == ':';
}

EXPORT("json") uint32_t core_json(void) {
  const uint8_t* at = input;
  const uint8_t* const end = input + write_document();
  uint8_t* out = output;
  while (at < end) {
    if (*at == '"') {
      const uint8_t* close = at + 1;
      while (*close != '"') close += *close == '\\' ? 2 : 1;
      const int name = is_name(close + 1, end);
      for (; at <= close; at++) *out++ = name && *at >= 'a' && *at <= 'z' ? (uint8_t)(*at - 32) : *at;
    } else if (*at >= '0' && *at <= '9') {
      uint64_t number = 0;
      for (; *at >= '0' && *at <= '9'; at++) number = number * 10 + (uint64_t)(*at - '0');
      out += put_number(out, number * 2);
    } else if (*at == ' ' || *at == '\n') {
      at++;
    } else {
      *out++ = *at++;
    }
  }
  uint32_t sum = 0;
  for (const uint8_t* each = output; each < out; each++) sum += *each;
  return sum;
}
