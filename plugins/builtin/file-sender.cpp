#include "plugins/builtin/file-sender.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "core/message.h"
#include "plugins/builtin/answers.h"
#include "plugins/builtin/http-date.h"

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
  snprintf(tag, sizeof tag, "%s\"%llx-%llx-%llx\"", is_settled(info, now) ? "" : "W/",
           static_cast<unsigned long long>(info.st_mtim.tv_sec) * 1'000'000'000ULL +
               static_cast<unsigned long long>(info.st_mtim.tv_nsec),
           static_cast<unsigned long long>(info.st_size), static_cast<unsigned long long>(info.st_ino));
  // A time in the future is not sent (RFC 9110 section 8.8.2.1).
  return {tag, std::min<int64_t>(info.st_mtim.tv_sec, now)};
}

void describe(core::ResponseHead& head, const Representation& representation) {
  head.headers.append("content-type", representation.type);
  if (!representation.encoding.empty()) head.headers.append("content-encoding", representation.encoding);
  // A file is what its extension says, whatever a browser makes of its first bytes.
  head.headers.append("x-content-type-options", "nosniff");
}

}  // namespace

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

bool is_settled(const struct stat& info, int64_t now) {
  return now - static_cast<int64_t>(info.st_mtim.tv_sec) >= kSettleSeconds;
}

bool FileSender::wanted(host::Call& call, core::ResponseHead& head, const Validators& validators,
                        const Representation& representation) {
  head.headers.append("etag", validators.etag);
  head.headers.append("last-modified", format_http_date(validators.last_modified));
  for (const core::HeaderList::Header header : representation.headers) head.headers.append(header.name, header.value);
  switch (evaluate(call.request(), validators, context_.loop().unix_seconds())) {
    case Verdict::kNotModified:
      head.status = 304;
      call.respond(head, {});
      return false;
    case Verdict::kFailed:
      respond_problem(context_, call, 412, "the file is not in the state that the request asks for");
      return false;
    case Verdict::kProceed:
      break;
  }
  return true;
}

void FileSender::send(host::Call& call, Opened opened, const Representation& representation) {
  const core::Request& request = call.request();
  const int64_t now = context_.loop().unix_seconds();
  const Validators validators = validators_of(opened.info, now);
  const auto size = static_cast<uint64_t>(opened.info.st_size);
  core::ResponseHead head;
  if (!wanted(call, head, validators, representation)) return;

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
  describe(head, representation);

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

void FileSender::send_text(host::Call& call, std::string_view text, const Validators& validators,
                           const Representation& representation) {
  core::ResponseHead head;
  if (!wanted(call, head, validators, representation)) return;
  describe(head, representation);
  if (call.request().method != "HEAD") return call.respond(head, text);
  call.start_response(head, text.size());
  call.finish();
}

void FileSender::refuse(host::Call& call, OpenStatus status) {
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

void FileSender::send_pieces(host::CallId id) {
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

void FileSender::writable(host::Call& call) {
  auto download = downloads_.find(call.id());
  if (download == downloads_.end() || !std::exchange(download->second.waiting, false)) return;
  due_.push_back(call.id());
}

bool FileSender::work() {
  for (const host::CallId id : std::exchange(due_, {})) {
    if (downloads_.contains(id)) send_pieces(id);
  }
  return !due_.empty();
}

}  // namespace valor::plugins::builtin
