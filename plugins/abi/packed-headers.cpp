#include "plugins/abi/packed-headers.h"

#include <cstring>

#include "abi/valor.h"
#include "core/response-check.h"

namespace valor::plugins::abi {

namespace {

// Whatever a plug-in answers with, names in errors are cut at this length.
constexpr size_t kShownOfName = 100;

// Writes a block: a head of the type Head, the array of headers, and the text that both point to.
template <class Head>
class BlockWriter {
 public:
  static size_t size_of(const core::HeaderList& headers, size_t text_size) {
    for (const core::HeaderList::Header header : headers) text_size += header.name.size() + header.value.size();
    return sizeof(Head) + headers.size() * sizeof(valor_header) + text_size;
  }

  BlockWriter(char* block, const core::HeaderList& headers)
      : block_(block), headers_(headers), text_at_(sizeof(Head) + headers.size() * sizeof(valor_header)) {}

  valor_span append(std::string_view text) {
    const valor_span span = {static_cast<uint32_t>(text_at_), static_cast<uint32_t>(text.size())};
    if (!text.empty()) std::memcpy(block_ + text_at_, text.data(), text.size());
    text_at_ += text.size();
    return span;
  }

  // The last thing to be written.
  void finish(Head& head) {
    head.size = sizeof(head);
    head.headers = sizeof(head);
    head.header_count = static_cast<uint32_t>(headers_.size());
    std::memcpy(block_, &head, sizeof(head));
    char* at = block_ + sizeof(head);
    for (const core::HeaderList::Header header : headers_) {
      const valor_header packed = {append(header.name), append(header.value)};
      std::memcpy(at, &packed, sizeof(packed));
      at += sizeof(packed);
    }
  }

 private:
  char* block_;
  const core::HeaderList& headers_;
  size_t text_at_;
};

}  // namespace

size_t pack_request(const core::Request& request, bool has_body, const uint64_t* body_length,
                    std::vector<uint64_t>& block) {
  using Writer = BlockWriter<valor_request_head>;
  const size_t size = Writer::size_of(request.headers, request.method.size() + request.url.size() + request.id.size());
  if (block.size() * sizeof(uint64_t) < size) block.resize((size + sizeof(uint64_t) - 1) / sizeof(uint64_t));
  Writer writer(reinterpret_cast<char*>(block.data()), request.headers);
  valor_request_head head{};
  head.flags = (has_body ? VALOR_REQUEST_HAS_BODY : 0) | (body_length != nullptr ? VALOR_REQUEST_HAS_LENGTH : 0);
  head.body_length = body_length != nullptr ? *body_length : 0;
  head.method = writer.append(request.method);
  head.url = writer.append(request.url);
  head.id = writer.append(request.id);
  writer.finish(head);
  return size;
}

Block Block::of_text(std::string_view text) {
  Block block = of_size(text.size());
  if (!text.empty()) std::memcpy(block.bytes.get(), text.data(), text.size());
  return block;
}

Block pack_response(const core::ResponseHead& response, std::string_view url, uint32_t flags, uint64_t body_length) {
  using Writer = BlockWriter<valor_response_head>;
  Block block = Block::of_size(Writer::size_of(response.headers, url.size()));
  Writer writer(reinterpret_cast<char*>(block.bytes.get()), response.headers);
  valor_response_head head{};
  head.flags = flags;
  head.body_length = body_length;
  head.status = response.status;
  head.url = writer.append(url);
  writer.finish(head);
  return block;
}

core::Status unpack_headers(std::string_view headers, core::HeaderList& list) {
  while (!headers.empty()) {
    uint32_t sizes[2];
    if (headers.size() < sizeof(sizes)) return core::Error{"a block of headers cut short"};
    std::memcpy(sizes, headers.data(), sizeof(sizes));
    headers.remove_prefix(sizeof(sizes));
    if (headers.size() < uint64_t{sizes[0]} + sizes[1]) return core::Error{"a block of headers cut short"};
    const std::string_view name = headers.substr(0, sizes[0]);
    const std::string_view value = headers.substr(sizes[0], sizes[1]);
    headers.remove_prefix(size_t{sizes[0]} + sizes[1]);
    if (!core::is_header_name(name)) {
      return core::Error{"a header name that is no token (RFC 9110 section 5.1), of " + std::to_string(name.size()) +
                         " bytes"};
    }
    if (!core::is_header_value(value)) {
      return core::Error{"a value of the header " + std::string(name.substr(0, kShownOfName)) +
                         " that has a line break, a NUL, or a blank at an end"};
    }
    list.append(name, value);
  }
  return core::Nothing{};
}

core::Status unpack_response(uint32_t status, std::string_view headers, core::ResponseHead& head) {
  head.headers.clear();
  if (!core::is_response_status(status)) {
    return core::Error{"the plug-in answered with status " + std::to_string(status) + ": expected 200 to 599"};
  }
  head.status = static_cast<uint16_t>(status);
  core::Status unpacked = unpack_headers(headers, head.headers);
  return unpacked ? unpacked : core::Error{"the plug-in answered with " + unpacked.error().message};
}

}  // namespace valor::plugins::abi
