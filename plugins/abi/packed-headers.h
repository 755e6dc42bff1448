// The two flat blocks of the plug-in ABI (abi/valor.h): the head of a request towards the guest, and the headers of a
// response from it.
#pragma once

#include <cstdint>
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

/// Reads a response's status and headers into `head`, which is emptied first. Everything is checked. The error says
/// what the plug-in did wrong.
core::Status unpack_response(uint32_t status, std::string_view headers, core::ResponseHead& head);

}  // namespace valor::plugins::abi
