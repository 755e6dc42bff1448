#include "plugins/abi/abi-guest.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "plugins/abi/packed-headers.h"

namespace valor::plugins::abi {

namespace {

// One piece of a body is never larger, so that a result fits its type.
constexpr size_t kLargestRead = 1 << 30;

uint64_t monotonic_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

void AbiGuest::created() {
  created_ = !broken_;
  settle();
  report_creation();
}

void AbiGuest::break_down(host::Breakdown breakdown) {
  if (std::exchange(broken_, true)) return;
  context_.broken(std::move(breakdown));
}

void AbiGuest::settle() {
  if (!aborted_ || broken_) return;
  log(core::LogLevel::kError, "the plug-in gave up: " + *aborted_);
  break_down({.detail = "The plug-in gave up: " + *aborted_});
}

void AbiGuest::report_creation() {
  if (!created_ || broken_) return;
  if (creation_ == Creation::kDone) {
    creation_ = Creation::kReported;
    context_.ready();
  } else if (creation_ == Creation::kFailed) {
    creation_ = Creation::kReported;
    context_.start_failed(std::move(creation_error_));
  }
}

void AbiGuest::handle(host::Call& call) {
  const host::CallId id = call.id();
  const std::optional<uint64_t> length = call.content_length();
  const size_t size = pack_request(call.request(), call.has_body(), length ? &*length : nullptr, request_head_);
  guest_start(id, request_head_.data(), size);
  settle();
}

void AbiGuest::body_ready(host::Call& call) {
  Operations::Stream* stream = operations_.find_stream(call.id());
  if (stream == nullptr || !stream->reader) return;
  guest_complete({*std::exchange(stream->reader, std::nullopt), VALOR_OK});
  settle();
}

void AbiGuest::writable(host::Call& call) {
  Operations::Stream* stream = operations_.find_stream(call.id());
  if (stream == nullptr || !stream->writer) return;
  guest_complete({*std::exchange(stream->writer, std::nullopt), VALOR_OK});
  settle();
}

void AbiGuest::dropped(host::CallId id, host::DropReason reason) {
  operations_.end_stream(id);
  while (operations_.completed() > 0 && !broken_) {
    guest_complete(*operations_.take());
    settle();
  }
  if (broken_) return;
  guest_drop(id, reason == host::DropReason::kTimeout ? VALOR_DROP_TIMEOUT : VALOR_DROP_CLIENT_GONE);
  settle();
}

bool AbiGuest::work() {
  if (broken_ || !created_) return false;
  settle();
  report_creation();
  operations_.expire(loop().now_ms());
  // Only what is there now: plug-in code may add more for ever, and others want their turn.
  for (size_t left = operations_.completed(); left > 0 && !broken_; --left) {
    const std::optional<Completion> completion = operations_.take();
    if (!completion) break;
    guest_complete(*completion);
    settle();
  }
  report_creation();
  return !broken_ && operations_.completed() > 0;
}

int AbiGuest::wait_ms() {
  return broken_ ? -1 : operations_.wait_ms(loop().now_ms());
}

// ---- on behalf of the plug-in

void AbiGuest::wake_from_elsewhere() {
  if (std::this_thread::get_id() != thread_) loop().wake();
}

int32_t AbiGuest::invalid(const char* function, std::string_view what) {
  log(core::LogLevel::kError, std::string(function) + "(): " + std::string(what));
  return VALOR_INVALID;
}

int32_t AbiGuest::create_done() {
  if (creation_ != Creation::kRunning) return invalid("create_done", "creation has ended already");
  creation_ = Creation::kDone;
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::create_fail(std::string_view message) {
  if (creation_ != Creation::kRunning) return invalid("create_fail", "creation has ended already");
  creation_ = Creation::kFailed;
  creation_error_ = message.empty() ? "the plug-in could not be created and did not say why" : std::string(message);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::abort(std::string_view message) {
  if (!aborted_) aborted_ = message.empty() ? "it did not say why" : std::string(message);
  wake_from_elsewhere();
  return VALOR_OK;
}

std::optional<std::string_view> AbiGuest::state_get(std::string_view key) const {
  const auto found = state_.find(key);
  return found == state_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

int32_t AbiGuest::state_set(std::string_view key, std::string_view value) {
  if (key.empty() || key.size() > VALOR_STATE_KEY_BYTES) {
    return invalid("state_set", "a key has 1 to " + std::to_string(VALOR_STATE_KEY_BYTES) + " bytes, not " +
                                    std::to_string(key.size()));
  }
  const auto found = state_.find(key);
  const size_t freed = found == state_.end() ? 0 : key.size() + found->second.size();
  if (value.size() > VALOR_STATE_BYTES || state_bytes_ - freed + key.size() + value.size() > VALOR_STATE_BYTES) {
    return invalid("state_set",
                   "all keys and values together may have " + std::to_string(VALOR_STATE_BYTES) + " bytes");
  }
  state_bytes_ += key.size() + value.size() - freed;
  if (found == state_.end()) {
    state_.emplace(key, value);
  } else {
    found->second.assign(value);
  }
  return VALOR_OK;
}

int32_t AbiGuest::state_delete(std::string_view key) {
  const auto found = state_.find(key);
  if (found == state_.end()) return VALOR_ABSENT;
  state_bytes_ -= found->first.size() + found->second.size();
  state_.erase(found);
  return VALOR_OK;
}

int32_t AbiGuest::read_head(host::Call& call, uint32_t status, std::string_view headers) {
  const core::Status checked = unpack_response(status, headers, head_);
  if (checked) return VALOR_OK;
  log(core::LogLevel::kError, checked.error().message);
  const host::CallId id = call.id();
  call.fail({.status = 500, .detail = checked.error().message});
  operations_.end_stream(id);
  wake_from_elsewhere();
  return VALOR_INVALID;
}

int32_t AbiGuest::respond(uint64_t request, uint32_t status, std::string_view headers, std::string_view body) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (call->response_started()) return invalid("respond", "the answer to this request has begun already");
  if (const int32_t result = read_head(*call, status, headers); result != VALOR_OK) return result;
  call->respond(head_, body);
  operations_.end_stream(request);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::send_head(uint64_t request, uint32_t status, std::string_view headers, uint64_t length) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (call->response_started()) return invalid("send_head", "the answer to this request has begun already");
  if (const int32_t result = read_head(*call, status, headers); result != VALOR_OK) return result;
  call->start_response(head_, length == VALOR_LENGTH_UNKNOWN ? std::nullopt : std::optional<uint64_t>(length));
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::send_body(uint64_t request, std::string_view data, uint64_t operation) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (!call->response_started()) return invalid("send_body", "send_head() comes first");
  if (const Operations::Stream* stream = operations_.find_stream(request); stream != nullptr && stream->writer) {
    return invalid("send_body", "an earlier send_body() of this request is not complete");
  }
  const core::WriteStatus written = call->write(data);
  wake_from_elsewhere();
  switch (written) {
    case core::WriteStatus::kReady:
      return VALOR_OK;
    case core::WriteStatus::kWait:
      operations_.stream(request).writer = operation;
      return VALOR_WAIT;
    case core::WriteStatus::kGone:
      break;
  }
  return VALOR_GONE;
}

int32_t AbiGuest::send_end(uint64_t request) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (!call->response_started()) return invalid("send_end", "send_head() comes first");
  call->finish();
  operations_.end_stream(request);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::fail(uint64_t request, std::string_view message) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  log(core::LogLevel::kError, "request " + call->request().id + " failed: " + std::string(message));
  call->fail({.status = 500, .detail = "the plug-in failed while it handled the request"});
  operations_.end_stream(request);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::body_read(uint64_t request, char* buffer, size_t capacity, uint64_t operation) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (capacity == 0) return invalid("body_read", "capacity is 0");
  capacity = std::min(capacity, kLargestRead);
  Operations::Stream* stream = operations_.find_stream(request);
  if (stream != nullptr && stream->reader) {
    return invalid("body_read", "an earlier body_read() of this request is not complete");
  }
  if (stream != nullptr && stream->rest_at < stream->rest.size()) {
    const size_t size = std::min(capacity, stream->rest.size() - stream->rest_at);
    std::memcpy(buffer, stream->rest.data() + stream->rest_at, size);
    stream->rest_at += size;
    return static_cast<int32_t>(size);
  }
  const core::BodyPiece piece = call->read_body();
  wake_from_elsewhere();
  switch (piece.status) {
    case core::ReadStatus::kData: {
      const size_t size = std::min(capacity, piece.data.size());
      std::memcpy(buffer, piece.data.data(), size);
      if (size < piece.data.size()) {
        Operations::Stream& keeper = operations_.stream(request);
        keeper.rest.assign(piece.data.substr(size));
        keeper.rest_at = 0;
      }
      return static_cast<int32_t>(size);
    }
    case core::ReadStatus::kWait:
      operations_.stream(request).reader = operation;
      return VALOR_WAIT;
    case core::ReadStatus::kEnd:
      return 0;
    case core::ReadStatus::kFailed:
      break;
  }
  return VALOR_GONE;
}

int32_t AbiGuest::sleep(uint64_t milliseconds, uint64_t operation) {
  // A millisecond more, because the current one has partly passed; but 0 means at once.
  const uint64_t now = monotonic_ms();
  const uint64_t due = milliseconds == 0 ? 0 : now + std::min(milliseconds, UINT64_MAX - now - 1) + 1;
  operations_.start_timer(due, operation);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::cancel(uint64_t operation) {
  return operations_.cancel(operation) ? VALOR_OK : VALOR_INVALID;
}

}  // namespace valor::plugins::abi
