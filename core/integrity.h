// Subresource integrity: what a file must hash to, so that a file that is not the one its author meant is not run.
// https://www.w3.org/TR/sri-2/ Hashing is left to whoever has the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace valor::core {

enum class HashAlgorithm : uint8_t { kSha256, kSha384, kSha512 };

/// "sha256", "sha384", "sha512".
std::string_view to_string(HashAlgorithm algorithm);

struct Integrity {
  std::string text;  ///< as written: hashes with blanks between
  /// The strongest one that is named: hashes of weaker ones say nothing (SRI, "get the strongest metadata from set").
  HashAlgorithm algorithm = HashAlgorithm::kSha256;
  /// Hashes by it, as bytes; the file's must be one of them.
  std::vector<std::string> digests;

  /// Unlike browsers, which ignore what they do not understand, it fails for everything that is no hash: a mistyped one
  /// would be one that is not there. The error says what was expected.
  static Result<Integrity> parse(std::string_view text);

  /// `digest`: of the file's bytes by `algorithm`.
  bool allows(std::string_view digest) const;
};

/// "sha384-...": the text of one hash.
std::string integrity_text(HashAlgorithm algorithm, std::string_view digest);

}  // namespace valor::core
