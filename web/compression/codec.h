// One direction of one compressed stream: bytes in, bytes out. No V8; any thread, one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace valor::web {

enum class CompressionFormat { kDeflate, kDeflateRaw, kGzip, kBrotli };

class Codec {
 public:
  /// Takes each piece of output; valid during the call only.
  using Sink = std::function<void(const uint8_t* data, size_t size)>;

  virtual ~Codec() = default;

  /// Gives the next bytes of input; `last`: there are no more, also when none are given. Returns what is wrong with
  /// them, or "". After an error the codec is used up.
  virtual std::string write(const uint8_t* data, size_t size, bool last, const Sink& sink) = 0;

  /// nullptr when there is no memory.
  static std::unique_ptr<Codec> compressor(CompressionFormat format);
  static std::unique_ptr<Codec> decompressor(CompressionFormat format);
};

}  // namespace valor::web
