#include "web/encoding/utf8-validation.h"

#include <cstring>

namespace valor::web {

size_t ascii_prefix(const uint8_t* data, size_t size) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    uint64_t words[4];
    std::memcpy(words, data + i, sizeof(words));
    if (((words[0] | words[1] | words[2] | words[3]) & kHighBits) != 0) break;
  }
  while (i < size && data[i] < 0x80) i++;
  return i;
}

bool is_well_formed_utf8(const uint8_t* data, size_t size) {
  size_t i = 0;
  while (true) {
    i += ascii_prefix(data + i, size - i);
    if (i == size) return true;
    // Text that is not ASCII seldom has long ASCII runs: stay here as long as the bytes are of that kind.
    while (i < size && data[i] >= 0x80) {
      const uint8_t lead = data[i];
      size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      if (lead < 0xc2 || lead > 0xf4 || size - i < length) return false;
      const uint8_t lower = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
      const uint8_t upper = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
      if (data[i + 1] < lower || data[i + 1] > upper) return false;
      for (size_t k = 2; k < length; k++) {
        if ((data[i + k] & 0xc0) != 0x80) return false;
      }
      i += length;
    }
  }
}

}  // namespace valor::web
