#include "core/integrity.h"

#include <algorithm>
#include <iterator>

#include "core/text.h"

namespace valor::core {

namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct Known {
  std::string_view prefix;
  size_t size;  // of a digest, in bytes
};
// Weakest first, as HashAlgorithm.
constexpr Known kKnown[] = {{"sha256-", 32}, {"sha384-", 48}, {"sha512-", 64}};

constexpr size_t base64_size(size_t bytes) {
  return (bytes + 2) / 3 * 4;
}

// Returns false for what is not the base64 of `size` bytes. The base64url alphabet counts too
// (https://www.w3.org/TR/CSP3/#grammardef-base64-value).
bool decode_base64(std::string_view text, size_t size, std::string& out) {
  const size_t padding = (3 - size % 3) % 3;
  if (text.size() != base64_size(size) || text.substr(text.size() - padding) != std::string_view("==", padding)) {
    return false;
  }
  text.remove_suffix(padding);
  uint32_t bits = 0;
  uint32_t held = 0;
  for (const char c : text) {
    const size_t digit = kBase64.find(c == '-' ? '+' : c == '_' ? '/' : c);
    if (digit == std::string_view::npos) return false;
    bits = (bits << 6) | static_cast<uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held);
    bits &= (1U << held) - 1;
  }
  return bits == 0;
}

}  // namespace

std::string_view to_string(HashAlgorithm algorithm) {
  std::string_view prefix = kKnown[static_cast<size_t>(algorithm)].prefix;
  return prefix.substr(0, prefix.size() - 1);
}

Result<Integrity> Integrity::parse(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\f\r";
  Integrity integrity;
  integrity.text = text;
  for (size_t at = text.find_first_not_of(kBlanks); at < text.size(); at = text.find_first_not_of(kBlanks, at)) {
    const size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    const std::string_view hash = text.substr(at, end - at);
    at = end;
    const auto* known = std::find_if(std::begin(kKnown), std::end(kKnown),
                                     [&](const Known& candidate) { return hash.starts_with(candidate.prefix); });
    if (known == std::end(kKnown)) {
      return Error{"is no integrity; expected \"sha256-\", \"sha384-\" or \"sha512-\" and the hash in base64"};
    }
    std::string digest;
    if (!decode_base64(hash.substr(known->prefix.size()), known->size, digest)) {
      return Error{format("is no integrity; after \"%s\" expected %s characters of base64",
                          {known->prefix, base64_size(known->size)})};
    }
    const auto algorithm = static_cast<HashAlgorithm>(known - kKnown);
    if (algorithm < integrity.algorithm) continue;
    if (algorithm > integrity.algorithm) integrity.digests.clear();
    integrity.algorithm = algorithm;
    integrity.digests.push_back(std::move(digest));
  }
  if (integrity.digests.empty()) return Error{"holds no hash"};
  return integrity;
}

bool Integrity::allows(std::string_view digest) const {
  return std::find(digests.begin(), digests.end(), digest) != digests.end();
}

std::string integrity_text(HashAlgorithm algorithm, std::string_view digest) {
  std::string text(kKnown[static_cast<size_t>(algorithm)].prefix);
  for (size_t at = 0; at < digest.size(); at += 3) {
    const std::string_view group = digest.substr(at, 3);
    uint32_t bits = 0;
    for (size_t index = 0; index < 3; ++index) {
      bits = (bits << 8) | (index < group.size() ? static_cast<uint8_t>(group[index]) : 0U);
    }
    for (size_t index = 0; index < 4; ++index) {
      text += index <= group.size() ? kBase64[(bits >> (18 - 6 * index)) & 63] : '=';
    }
  }
  return text;
}

}  // namespace valor::core
