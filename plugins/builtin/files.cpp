#include "plugins/builtin/files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "core/message.h"
#include "plugins/builtin/answers.h"
#include "plugins/builtin/content-type.h"
#include "plugins/builtin/http-date.h"
#include "plugins/builtin/preconditions.h"

namespace valor::plugins::builtin {

namespace {

// What is read and written at once.
constexpr size_t kPiece = net::EventLoop::kScratchSize;
// How many pieces a download gets before the others have their turn.
constexpr int kPiecesPerTurn = 4;
// A file that changed within this time may change again without a new time stamp: its tag is weak.
constexpr int64_t kSettleSeconds = 2;

Validators validators_of(const struct stat& info, int64_t now) {
  char tag[96];
  const int64_t age = now - static_cast<int64_t>(info.st_mtim.tv_sec);
  snprintf(tag, sizeof tag, "%s\"%llx-%llx-%llx\"", age >= kSettleSeconds ? "" : "W/",
           static_cast<unsigned long long>(info.st_mtim.tv_sec) * 1'000'000'000ULL +
               static_cast<unsigned long long>(info.st_mtim.tv_nsec),
           static_cast<unsigned long long>(info.st_size), static_cast<unsigned long long>(info.st_ino));
  // A time in the future is not sent (RFC 9110 section 8.8.2.1).
  return {tag, std::min<int64_t>(info.st_mtim.tv_sec, now)};
}

// Bytes read at `offset`; fewer than `size` only at the end of the file or after an error.
size_t read_at(const Descriptor& file, char* buffer, size_t size, uint64_t offset) {
  size_t total = 0;
  while (total < size) {
    const ssize_t count = pread(file.get(), buffer + total, size - total, static_cast<off_t>(offset + total));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    total += static_cast<size_t>(count);
  }
  return total;
}

}  // namespace

std::optional<std::string> file_path_of(std::string_view url, bool& malformed) {
  std::string_view path = path_of(url);
  std::string decoded;
  malformed = false;
  bool first = true;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const auto segment = percent_decode(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (!segment) {
      malformed = true;
      return std::nullopt;
    }
    using namespace std::string_view_literals;
    if (segment->empty() || segment->find_first_of("\0\\/"sv) != std::string::npos) return std::nullopt;
    if (segment->front() == '.' && !(first && *segment == ".well-known")) return std::nullopt;
    decoded += *segment;
    if (slash != std::string_view::npos) decoded += '/';
    first = false;
  }
  return decoded;
}

void Files::start() {
  const core::Definition& definition = context_.definition();
  if (definition.path.empty()) return context_.start_failed("path: is missing; expected the folder to serve");
  ConfigReader config(definition.config);
  index_ = config.string("index", "index.html");
  cache_control_ = config.string("cache_control", "");
  const core::Status read = config.finish();
  if (!read) return context_.start_failed(read.error().message);
  if (index_.find('/') != std::string::npos || index_.find('\0') != std::string::npos || index_.starts_with('.')) {
    return context_.start_failed("config.index: expected the name of a file, or \"\" for none");
  }
  if (!core::is_header_value(cache_control_)) {
    return context_.start_failed("config.cache_control: expected a Cache-Control header's value");
  }
  core::Result<Folder> folder = Folder::create(definition.path);
  if (!folder) return context_.start_failed("path: " + folder.error().message);
  folder_ = std::move(folder).value();
  context_.ready();
}

void Files::handle(host::Call& call) {
  const core::Request& request = call.request();
  if (request.method != "GET" && request.method != "HEAD") {
    return respond_method_not_allowed(context_, call, "GET, HEAD");
  }
  bool malformed = false;
  std::optional<std::string> path = file_path_of(request.url, malformed);
  if (malformed) return respond_problem(context_, call, 400, "the path holds a broken percent-encoding");
  if (!path) return refuse(call, OpenStatus::kNotFound);
  // The mount itself has an empty path with and without a slash; only the target tells.
  const std::string public_path = local_path(request.target);
  const bool as_folder = path->empty() ? public_path.ends_with('/') : path->ends_with('/');
  if (path->ends_with('/')) path->pop_back();

  Opened opened = folder_->open(*path);
  if (opened.status == OpenStatus::kFolder) {
    if (index_.empty()) return refuse(call, OpenStatus::kNotFound);
    if (!path->empty()) *path += '/';
    *path += index_;
    opened = folder_->open(*path);
    if (opened.status == OpenStatus::kFile && !as_folder) {
      // Relative links in the page resolve only below a slash.
      const size_t query = request.target.find('?');
      const std::string location =
          public_path + "/" + (query == std::string::npos ? std::string() : request.target.substr(query));
      core::ResponseHead head;
      head.status = 308;
      head.headers.append("location", location);
      return call.respond(head, {});
    }
  } else if (as_folder) {
    return refuse(call, OpenStatus::kNotFound);
  }
  if (opened.status != OpenStatus::kFile) return refuse(call, opened.status);
  send_file(call, std::move(opened), *path);
}

void Files::refuse(host::Call& call, OpenStatus status) {
  switch (status) {
    case OpenStatus::kForbidden:
      return respond_problem(context_, call, 403, "the server may not read this file");
    case OpenStatus::kBusy:
      return call.fail({.status = 503, .detail = "too many files are open", .retry_after_s = 1});
    case OpenStatus::kFailed:
      return respond_problem(context_, call, 500, "the file could not be read");
    default:
      return respond_problem(context_, call, 404, "there is no file at this path");
  }
}

void Files::send_file(host::Call& call, Opened opened, std::string_view name) {
  const core::Request& request = call.request();
  const int64_t now = context_.loop().unix_seconds();
  const Validators validators = validators_of(opened.info, now);
  const auto size = static_cast<uint64_t>(opened.info.st_size);

  core::ResponseHead head;
  head.headers.append("etag", validators.etag);
  head.headers.append("last-modified", format_http_date(validators.last_modified));
  if (!cache_control_.empty()) head.headers.append("cache-control", cache_control_);
  switch (evaluate(request, validators, now)) {
    case Verdict::kNotModified:
      head.status = 304;
      return call.respond(head, {});
    case Verdict::kFailed:
      return respond_problem(context_, call, 412, "the file is not in the state that the request asks for");
    case Verdict::kProceed:
      break;
  }

  head.headers.append("accept-ranges", "bytes");
  Download download{std::move(opened.descriptor), 0, size};
  const Range range = evaluate_range(request, validators, size, now);
  if (range.kind == RangeKind::kUnsatisfiable) {
    return respond_problem(context_, call, 416, "the file has " + std::to_string(size) + " bytes",
                           {{"content-range", "bytes */" + std::to_string(size)}, {"accept-ranges", "bytes"}});
  }
  if (range.kind == RangeKind::kPart) {
    head.status = 206;
    head.headers.append("content-range", "bytes " + std::to_string(range.first) + "-" +
                                             std::to_string(range.first + range.length - 1) + "/" +
                                             std::to_string(size));
    download.offset = range.first;
    download.left = range.length;
  }
  head.headers.append("content-type", content_type_of(name));
  // A file is what its extension says, whatever a browser makes of its first bytes.
  head.headers.append("x-content-type-options", "nosniff");

  if (request.method == "HEAD") {
    call.start_response(head, download.left);
    return call.finish();
  }
  if (download.left <= kPiece) {
    char* buffer = context_.loop().scratch();
    if (read_at(download.file, buffer, download.left, download.offset) < download.left) {
      return refuse(call, OpenStatus::kFailed);
    }
    return call.respond(head, {buffer, static_cast<size_t>(download.left)});
  }
  call.start_response(head, download.left);
  const host::CallId id = call.id();
  downloads_.emplace(id, std::move(download));
  send_pieces(id);
}

void Files::send_pieces(host::CallId id) {
  char* buffer = context_.loop().scratch();
  for (int piece = 0; piece < kPiecesPerTurn; ++piece) {
    // Anew each time: the client may leave while it is written to.
    host::Call* call = context_.find(id);
    auto entry = downloads_.find(id);
    if (call == nullptr || entry == downloads_.end()) break;
    Download& download = entry->second;
    const auto size = static_cast<size_t>(std::min<uint64_t>(kPiece, download.left));
    if (read_at(download.file, buffer, size, download.offset) < size) {
      context_.log().write(core::LogLevel::kWarn, context_.definition().name,
                           call->request().target + ": the file became shorter while it was sent");
      downloads_.erase(entry);
      return call->abort();
    }
    download.offset += size;
    download.left -= size;
    const bool last = download.left == 0;
    // Before writing, so that nothing that happens meanwhile is overwritten.
    download.waiting = true;
    const core::WriteStatus status = call->write({buffer, size});
    if (status == core::WriteStatus::kGone) break;
    if (last) {
      downloads_.erase(id);
      return call->finish();
    }
    if (status == core::WriteStatus::kWait) return;
    entry = downloads_.find(id);
    if (entry != downloads_.end()) entry->second.waiting = false;
    if (piece + 1 == kPiecesPerTurn) return due_.push_back(id);
  }
  downloads_.erase(id);
}

void Files::writable(host::Call& call) {
  auto download = downloads_.find(call.id());
  if (download == downloads_.end() || !std::exchange(download->second.waiting, false)) return;
  due_.push_back(call.id());
}

bool Files::work() {
  for (const host::CallId id : std::exchange(due_, {})) {
    if (downloads_.contains(id)) send_pieces(id);
  }
  return !due_.empty();
}

void Files::dropped(host::CallId id, host::DropReason) {
  downloads_.erase(id);
}

}  // namespace valor::plugins::builtin
