#include "engine/integrity.h"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace valor::engine {

namespace {

std::string canonical(const std::string& path) {
  std::error_code error;
  return std::filesystem::canonical(path, error).string();
}

}  // namespace

std::string digest(core::HashAlgorithm algorithm, std::string_view bytes) {
  const EVP_MD* md = algorithm == core::HashAlgorithm::kSha256   ? EVP_sha256()
                     : algorithm == core::HashAlgorithm::kSha384 ? EVP_sha384()
                                                                 : EVP_sha512();
  std::array<unsigned char, EVP_MAX_MD_SIZE> result;
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), result.data(), &size, md, nullptr) != 1) return {};
  return std::string(reinterpret_cast<const char*>(result.data()), size);
}

FileHashes::FileHashes(const std::vector<core::FileIntegrity>& declared, const std::string& file) {
  const std::string folder = file.substr(0, file.rfind('/') + 1);
  for (const core::FileIntegrity& entry : declared) {
    all_ = all_ || !entry.path.empty();
    // One that is not there cannot be loaded either.
    const std::string path = canonical(entry.path.empty() ? file : folder + entry.path);
    if (!path.empty()) by_path_.emplace(path, entry.integrity);
  }
}

core::Status FileHashes::check(const std::string& path, std::string_view bytes) const {
  if (by_path_.empty() && !all_) return core::Nothing{};
  const auto found = by_path_.find(canonical(path));
  if (found == by_path_.end()) {
    if (!all_) return core::Nothing{};
    const auto algorithm = core::HashAlgorithm::kSha384;
    return core::Error{path + ": \"integrity\" lists the plug-in's files, and this one is not among them; it has " +
                       core::integrity_text(algorithm, digest(algorithm, bytes))};
  }
  const core::Integrity& expected = found->second;
  const std::string actual = digest(expected.algorithm, bytes);
  if (expected.allows(actual)) return core::Nothing{};
  return core::Error{path + ": is not the file that \"integrity\" means: expected " + expected.text + ", found " +
                     core::integrity_text(expected.algorithm, actual)};
}

core::Status check_browser_file(const core::Definition& definition) {
  const std::string& file = definition.type == core::PluginType::kNative ? definition.web : definition.url;
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(file, unknown)) {
    return core::Error{file + ": is what browsers would run, and there is no such file"};
  }
  if (definition.integrity.empty()) return core::Nothing{};
  std::ifstream stream(file, std::ios::binary);
  std::stringstream bytes;
  bytes << stream.rdbuf();
  if (!stream) return core::Error{file + ": cannot be read"};
  return FileHashes(definition.integrity, file).check(file, bytes.view());
}

}  // namespace valor::engine
