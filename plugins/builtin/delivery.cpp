#include "plugins/builtin/delivery.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "plugins/builtin/file-sender.h"
#include "plugins/builtin/served-folder.h"

namespace valor::plugins::builtin {

namespace {

namespace fs = std::filesystem;

constexpr auto kAlgorithm = core::HashAlgorithm::kSha384;
// Files that are larger are neither stripped nor hashed, because they are read into memory for that.
constexpr off_t kMaxRead = off_t{256} << 20;
// Against folders of very many files.
constexpr size_t kMaxKnown = 4096;
constexpr size_t kMaxKnownBytes = size_t{32} << 20;

bool is_typescript(std::string_view path) {
  return path.ends_with(".ts") || path.ends_with(".mts");
}

std::optional<std::string> read_all(const Opened& opened) {
  if (opened.info.st_size > kMaxRead) return std::nullopt;
  std::string bytes(static_cast<size_t>(opened.info.st_size), '\0');
  if (read_at(opened.descriptor, bytes.data(), bytes.size(), 0) < bytes.size()) return std::nullopt;
  return bytes;
}

// The path of `file` below `folder`, both canonical; "" when it lies elsewhere.
std::string below(const std::string& folder, const std::string& file) {
  const std::string start = folder == "/" ? folder : folder + "/";
  return file.starts_with(start) ? file.substr(start.size()) : std::string();
}

// https://url.spec.whatwg.org/#path-percent-encode-set, and '%' itself, because a path is not encoded yet.
std::string encode_path(std::string_view path) {
  constexpr std::string_view kEncoded = " \"#<>?`{}%^\\";
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && kEncoded.find(c) == std::string_view::npos) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

core::Integrity with_text(std::string text) {
  core::Integrity integrity;
  integrity.text = std::move(text);
  return integrity;
}

int64_t nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

bool Delivery::covers(const core::Definition& definition) {
  // URLs resolve these two away.
  return definition.type != core::PluginType::kStatic && definition.place != core::Place::kServer &&
         definition.name != "." && definition.name != "..";
}

core::Result<PluginFolder> Delivery::folder_of(const core::Definition& definition) const {
  const bool native = definition.type == core::PluginType::kNative;
  const fs::path file = native ? definition.web : definition.url;
  PluginFolder folder;
  folder.whole = !native && !tools_.is_module(definition);
  std::error_code error;
  const fs::path root = definition.root.empty() || native ? file.parent_path() : fs::path(definition.root);
  folder.path = fs::canonical(root, error).string();
  folder.file = error ? std::string() : fs::canonical(file, error).string();
  if (error) return core::Error{file.string() + ": " + error.message()};
  folder.entry = below(folder.path, folder.file);
  // What is imported is looked for beside the file itself. One that lies elsewhere has the name of the link.
  if (folder.entry.empty()) {
    folder.entry = below(folder.path, (fs::canonical(file.parent_path(), error) / file.filename()).string());
  }
  bool malformed = false;
  if (folder.entry.empty() || !file_path_of(encode_path(folder.entry), malformed)) {
    return core::Error{file.string() + ": browsers get what is below \"root\" and not hidden, and this file is not"};
  }
  return folder;
}

bool Delivery::is_kept_back(const Opened& opened) const {
  return std::any_of(tools_.kept_back.begin(), tools_.kept_back.end(), [&](const std::string& path) {
    struct stat info;
    return ::stat(path.c_str(), &info) == 0 && info.st_dev == opened.info.st_dev && info.st_ino == opened.info.st_ino;
  });
}

DeliveredFile Delivery::open(const PluginFolder& folder, const std::string& path, int64_t now) {
  const bool is_entry = path == folder.entry;
  if (!is_entry && !folder.whole) return {{OpenStatus::kNotFound}};
  const fs::path entry = folder.file;
  core::Result<Folder> opened_folder = Folder::create(is_entry ? entry.parent_path().string() : folder.path);
  if (!opened_folder) return {{OpenStatus::kNotFound}};
  DeliveredFile file{opened_folder->open(is_entry ? entry.filename().string() : path)};
  if (file.opened.status != OpenStatus::kFile) return file;
  if (is_kept_back(file.opened)) return {{OpenStatus::kNotFound}};
  if (!folder.whole || !is_typescript(path)) return file;

  const struct stat& info = file.opened.info;
  const auto known = known_.find(state_of(info));
  if (known != known_.end()) {
    file.stripped = known->second.stripped;
    return file;
  }
  std::optional<std::string> source = read_all(file.opened);
  if (!source) return {{OpenStatus::kFailed}};
  if (source->starts_with("\xEF\xBB\xBF")) source->erase(0, 3);
  core::Result<std::string> text = tools_.strip(path, *source);
  if (!text) {
    file.error = text.error().message;
    return file;
  }
  DeliveredFile::Stripped stripped{std::move(text).value(), {}};
  stripped.integrity = hash(stripped.text);
  file.stripped = std::make_shared<const DeliveredFile::Stripped>(std::move(stripped));
  remember(info, now, {file.stripped->integrity, file.stripped});
  return file;
}

Delivery::State Delivery::state_of(const struct stat& info) {
  return {info.st_dev, info.st_ino, info.st_size, nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
}

std::string Delivery::hash(std::string_view bytes) const {
  return core::integrity_text(kAlgorithm, tools_.digest(kAlgorithm, bytes));
}

void Delivery::remember(const struct stat& info, int64_t now, Known known) {
  if (!is_settled(info, now)) return;
  const size_t size = known.stripped != nullptr ? known.stripped->text.size() : 0;
  if (known_.size() >= kMaxKnown || known_bytes_ + size > kMaxKnownBytes) {
    known_.clear();
    known_bytes_ = 0;
  }
  if (known_.emplace(state_of(info), std::move(known)).second) known_bytes_ += size;
}

// Of what is delivered; "" where it cannot be.
std::string Delivery::integrity_of(const DeliveredFile& file, int64_t now) {
  if (file.opened.status != OpenStatus::kFile || !file.error.empty()) return {};
  if (file.stripped != nullptr) return file.stripped->integrity;
  const struct stat& info = file.opened.info;
  const auto known = known_.find(state_of(info));
  if (known != known_.end()) return known->second.integrity;
  const std::optional<std::string> bytes = read_all(file.opened);
  if (!bytes) return {};
  std::string integrity = hash(*bytes);
  remember(info, now, {integrity, nullptr});
  return integrity;
}

std::vector<core::FileIntegrity> Delivery::describe_files(const core::Definition& definition,
                                                          const PluginFolder& folder, int64_t now) {
  if (definition.integrity.empty()) {
    const std::string integrity = integrity_of(open(folder, folder.entry, now), now);
    if (integrity.empty()) return {};
    return {{"", with_text(integrity)}};
  }
  // What the operator has declared is of the sources. Browsers get the same hashes, but for TypeScript, whose sources
  // they do not get; where that is not what the operator means, they get the declared hash, which nothing fits then.
  std::vector<core::FileIntegrity> files;
  const fs::path named = definition.type == core::PluginType::kNative ? definition.web : definition.url;
  const fs::path entry = folder.entry;
  for (core::FileIntegrity file : definition.integrity) {
    std::error_code error;
    const std::string path = fs::canonical(file.path.empty() ? named : named.parent_path() / file.path, error).string();
    const std::string relative = path == folder.file ? folder.entry : below(folder.path, path);
    if (!relative.empty()) {
      if (!file.path.empty()) file.path = fs::path(relative).lexically_relative(entry.parent_path()).string();
      const DeliveredFile delivered = open(folder, relative, now);
      if (delivered.stripped != nullptr) {
        const std::optional<std::string> source = read_all(delivered.opened);
        if (source && file.integrity.allows(tools_.digest(file.integrity.algorithm, *source))) {
          file.integrity = with_text(delivered.stripped->integrity);
        }
      }
    }
    files.push_back(std::move(file));
  }
  return files;
}

core::Definition Delivery::describe(const core::Definition& definition, const PluginFolder& folder, int64_t now) {
  core::Definition described = definition;
  described.type = core::PluginType::kWeb;
  described.url = "plugins/" + definition.name + "/" + encode_path(folder.entry);
  described.integrity = describe_files(definition, folder, now);
  described.instances = {};
  for (std::string* field : {&described.web, &described.path, &described.root, &described.location}) field->clear();
  return described;
}

}  // namespace valor::plugins::builtin
