#include "plugins/abi/packed-headers.h"

#include <cstring>

#include "abi/valor.h"

namespace valor::plugins::abi {

namespace {

// Whatever a plug-in answers with, names in errors are cut at this length.
constexpr size_t kShown = 100;

class BlockWriter {
 public:
  explicit BlockWriter(char* block, size_t at) : block_(block), at_(at) {}

  valor_span append(std::string_view text) {
    const valor_span span = {static_cast<uint32_t>(at_), static_cast<uint32_t>(text.size())};
    if (!text.empty()) std::memcpy(block_ + at_, text.data(), text.size());
    at_ += text.size();
    return span;
  }

 private:
  char* block_;
  size_t at_;
};

}  // namespace

size_t pack_request(const core::Request& request, bool has_body, const uint64_t* body_length,
                    std::vector<uint64_t>& block) {
  size_t text_size = request.method.size() + request.url.size() + request.id.size();
  for (const core::HeaderList::Header header : request.headers) text_size += header.name.size() + header.value.size();
  const size_t headers_size = request.headers.size() * sizeof(valor_header);
  const size_t size = sizeof(valor_request_head) + headers_size + text_size;
  if (block.size() * sizeof(uint64_t) < size) block.resize((size + sizeof(uint64_t) - 1) / sizeof(uint64_t));

  char* const bytes = reinterpret_cast<char*>(block.data());
  BlockWriter text(bytes, sizeof(valor_request_head) + headers_size);
  valor_request_head head{};
  head.size = sizeof(head);
  head.flags = (has_body ? VALOR_REQUEST_HAS_BODY : 0) | (body_length != nullptr ? VALOR_REQUEST_HAS_LENGTH : 0);
  head.body_length = body_length != nullptr ? *body_length : 0;
  head.method = text.append(request.method);
  head.url = text.append(request.url);
  head.id = text.append(request.id);
  head.headers = sizeof(head);
  head.header_count = static_cast<uint32_t>(request.headers.size());
  std::memcpy(bytes, &head, sizeof(head));
  char* at = bytes + sizeof(head);
  for (const core::HeaderList::Header header : request.headers) {
    const valor_header packed = {text.append(header.name), text.append(header.value)};
    std::memcpy(at, &packed, sizeof(packed));
    at += sizeof(packed);
  }
  return size;
}

core::Status unpack_response(uint32_t status, std::string_view headers, core::ResponseHead& head) {
  head.headers.clear();
  if (status < 200 || status > 599) {
    return core::Error{"the plug-in answered with status " + std::to_string(status) + ": expected 200 to 599"};
  }
  head.status = static_cast<uint16_t>(status);
  while (!headers.empty()) {
    uint32_t sizes[2];
    if (headers.size() < sizeof(sizes)) return core::Error{"the plug-in answered with a block of headers cut short"};
    std::memcpy(sizes, headers.data(), sizeof(sizes));
    headers.remove_prefix(sizeof(sizes));
    if (headers.size() < uint64_t{sizes[0]} + sizes[1]) {
      return core::Error{"the plug-in answered with a block of headers cut short"};
    }
    const std::string_view name = headers.substr(0, sizes[0]);
    const std::string_view value = headers.substr(sizes[0], sizes[1]);
    headers.remove_prefix(size_t{sizes[0]} + sizes[1]);
    if (!core::is_header_name(name)) {
      return core::Error{"the plug-in answered with a header name that is no token (RFC 9110 section 5.1), of " +
                         std::to_string(name.size()) + " bytes"};
    }
    if (!core::is_header_value(value)) {
      return core::Error{"the plug-in answered with a value of the header " + std::string(name.substr(0, kShown)) +
                         " that has a line break, a NUL, or a blank at an end"};
    }
    head.headers.append(name, value);
  }
  return core::Nothing{};
}

}  // namespace valor::plugins::abi
