// The flat blocks of the plug-in ABI (abi/valor.h): the heads of requests and of responses to fetches towards the
// guest, and headers from it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/message.h"
#include "core/result.h"

namespace valor::plugins::abi {

/// Writes the head of a request as one block (valor_request_head) into `block`, whose memory is used again. Returns the
/// block's size in bytes.
size_t pack_request(const core::Request& request, bool has_body, const uint64_t* body_length,
                    std::vector<uint64_t>& block);

/// A block of its own, aligned to 8 bytes.
struct Block {
  std::unique_ptr<uint64_t[]> bytes;
  size_t size = 0;  ///< in bytes

  static Block of_size(size_t size) { return {std::make_unique<uint64_t[]>((size + 7) / 8), size}; }
  static Block of_text(std::string_view text);
};

/// The head of the response to a fetch (valor_response_head). `url`: where it came from. `flags` are VALOR_RESPONSE_...
Block pack_response(const core::ResponseHead& head, std::string_view url, uint32_t flags, uint64_t body_length);

/// Reads a block of headers and adds them to `list`. Everything is checked. The error says what is wrong, as "a header
/// name that ...".
core::Status unpack_headers(std::string_view headers, core::HeaderList& list);

/// Reads a response's status and headers into `head`, which is emptied first. Everything is checked. The error says
/// what the plug-in did wrong.
core::Status unpack_response(uint32_t status, std::string_view headers, core::ResponseHead& head);

}  // namespace valor::plugins::abi
