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
// What a guest says when it fails goes into an answer for each of its open requests. As much of it is kept as the log
// keeps of a line.
constexpr size_t kMostSaid = 64 * 1024;

std::string said(std::string_view message, const char* otherwise) {
  if (message.empty()) return otherwise;
  std::string text(message.substr(0, kMostSaid));
  if (message.size() > kMostSaid) text += "... (" + std::to_string(message.size() - kMostSaid) + " bytes more)";
  return text;
}

uint64_t monotonic_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

void AbiGuest::created() {
  created_ = true;
  settle();
  report_creation();
}

void AbiGuest::break_down(host::Breakdown breakdown) {
  over_ = true;
  if (std::exchange(broken_, true)) return;
  fetches_.reset();
  context_.broken(std::move(breakdown));
}

void AbiGuest::settle() {
  if (!aborted_ || broken_) return;
  break_down({.detail = "The plug-in gave up: " + *aborted_});
}

void AbiGuest::report_creation() {
  if (!created_ || over()) return;
  if (creation_ == Creation::kDone) {
    creation_ = Creation::kReported;
    context_.ready();
  } else if (creation_ == Creation::kFailed) {
    creation_ = Creation::kReported;
    context_.start_failed(std::move(creation_error_));
  }
}

// Another thread of the plug-in may have given up since its last function returned: hence the questions whether it is
// over.
void AbiGuest::handle(host::Call& call) {
  if (over()) return settle();
  const host::CallId id = call.id();
  const std::optional<uint64_t> length = call.content_length();
  const size_t size = pack_request(call.request(), call.has_body(), length ? &*length : nullptr, request_head_);
  guest_start(id, request_head_.data(), size);
  settle();
}

void AbiGuest::body_ready(host::Call& call) {
  if (over()) return settle();
  if (const auto operation = operations_.take(call.id(), WaitsFor::kBody)) guest_complete(*operation, VALOR_OK, {});
  settle();
}

void AbiGuest::writable(host::Call& call) {
  if (over()) return settle();
  caught_up(call.id());
  if (const auto operation = operations_.take(call.id(), WaitsFor::kRoom)) guest_complete(*operation, VALOR_OK, {});
  settle();
}

void AbiGuest::dropped(host::CallId id, host::DropReason reason) {
  if (over()) return settle();
  end_request(id);
  deliver();
  if (over()) return;
  guest_drop(id, reason == host::DropReason::kTimeout ? VALOR_DROP_TIMEOUT : VALOR_DROP_CLIENT_GONE);
  settle();
}

void AbiGuest::deliver() {
  for (size_t left = operations_.completed(); left > 0 && !over(); --left) {
    const std::optional<Completion> completion = operations_.take_completion();
    if (!completion) break;
    guest_complete(completion->operation, completion->status, completion->data());
    settle();
  }
}

bool AbiGuest::work() {
  settle();
  if (over() || !created_) return false;
  report_creation();
  if (fetches_) fetches_->work();
  operations_.expire(loop().now_ms());
  deliver();
  report_creation();
  return !over() && (operations_.completed() > 0 || (fetches_ && fetches_->has_work()));
}

int AbiGuest::wait_ms() {
  if (over()) return broken_ || !aborted_ ? -1 : 0;
  if (fetches_ && fetches_->has_work()) return 0;
  return operations_.wait_ms(loop().now_ms());
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
  creation_error_ = said(message, "the plug-in could not be created and did not say why");
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::abort(std::string_view message) {
  aborted_ = said(message, "it did not say why");
  over_ = true;
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::log(uint32_t level, std::string_view message) {
  if (level > VALOR_LOG_ERROR) return invalid("log", "there is no level " + std::to_string(level));
  log(static_cast<core::LogLevel>(level), message);
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
  if (found == state_.end() && state_.size() == kMostKeys) {
    return invalid("state_set", "there are " + std::to_string(kMostKeys) + " keys, and there may be no more");
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
  end_request(id);
  wake_from_elsewhere();
  return VALOR_INVALID;
}

int32_t AbiGuest::respond(uint64_t request, uint32_t status, std::string_view headers, std::string_view body) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (call->response_started()) return invalid("respond", "the answer to this request has begun already");
  if (const int32_t result = read_head(*call, status, headers); result != VALOR_OK) return result;
  call->respond(head_, body);
  end_request(request);
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

int32_t AbiGuest::send_body(uint64_t exchange, std::string_view data, uint64_t operation) {
  if (!GuestFetches::is_fetch(exchange)) return write_answer(exchange, data, operation);
  GuestFetch* fetch = find_fetch(exchange);
  if (fetch == nullptr) return VALOR_GONE;
  std::string what;
  const int32_t result = fetch->write(data, operation, what);
  wake_from_elsewhere();
  return result == VALOR_INVALID ? invalid("send_body", what) : result;
}

int32_t AbiGuest::write_answer(uint64_t request, std::string_view data, uint64_t operation) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (!call->response_started()) return invalid("send_body", "send_head() comes first");
  if (operations_.waits(request, WaitsFor::kRoom)) {
    return invalid("send_body", "an earlier send_body() of this request is not complete");
  }
  if (const char* refusal = operations_.refusal(operation); *refusal != '\0') return invalid("send_body", refusal);
  // It has cancelled what it waited for.
  if (!ahead_.empty() && ahead_.contains(request)) {
    if (ahead_of_all_ > 0 && ahead_of_all_ + data.size() > kMaxAhead) {
      log(core::LogLevel::kError, "send_body(): the plug-in sends faster than its clients take it, and did not wait");
      call->abort();
      end_request(request);
      wake_from_elsewhere();
      return VALOR_GONE;
    }
    ahead_[request] += data.size();
    ahead_of_all_ += data.size();
  }
  const core::WriteStatus written = call->write(data);
  wake_from_elsewhere();
  switch (written) {
    case core::WriteStatus::kReady:
      return VALOR_OK;
    case core::WriteStatus::kWait:
      ahead_.try_emplace(request, 0);
      operations_.wait(request, WaitsFor::kRoom, operation);
      return VALOR_WAIT;
    case core::WriteStatus::kGone:
      break;
  }
  return VALOR_GONE;
}

int32_t AbiGuest::send_end(uint64_t exchange) {
  if (!GuestFetches::is_fetch(exchange)) return end_answer(exchange);
  GuestFetch* fetch = find_fetch(exchange);
  if (fetch == nullptr) return VALOR_GONE;
  std::string what;
  const int32_t result = fetch->end_body(what);
  wake_from_elsewhere();
  return result == VALOR_INVALID ? invalid("send_end", what) : result;
}

int32_t AbiGuest::end_answer(uint64_t request) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (!call->response_started()) return invalid("send_end", "send_head() comes first");
  call->finish();
  end_request(request);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::fail(uint64_t request, std::string_view message) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  log(core::LogLevel::kError, "request " + call->request().id + " failed: " + said(message, ""));
  call->fail({.status = 500, .detail = "the plug-in failed while it handled the request"});
  end_request(request);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::body_read(uint64_t exchange, char* buffer, size_t capacity, uint64_t operation) {
  if (capacity == 0) return invalid("body_read", "capacity is 0");
  capacity = std::min(capacity, kLargestRead);
  if (!GuestFetches::is_fetch(exchange)) return read_request_body(exchange, buffer, capacity, operation);
  GuestFetch* fetch = find_fetch(exchange);
  if (fetch == nullptr) return VALOR_GONE;
  std::string what;
  const int32_t result = fetch->read(buffer, capacity, operation, what);
  wake_from_elsewhere();
  return result == VALOR_INVALID ? invalid("body_read", what) : result;
}

int32_t AbiGuest::read_request_body(uint64_t request, char* buffer, size_t capacity, uint64_t operation) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (operations_.waits(request, WaitsFor::kBody)) {
    return invalid("body_read", "an earlier body_read() of this request is not complete");
  }
  if (const char* refusal = operations_.refusal(operation); *refusal != '\0') return invalid("body_read", refusal);
  if (const auto rest = rests_.empty() ? rests_.end() : rests_.find(request); rest != rests_.end()) {
    auto& [bytes, at] = rest->second;
    const size_t size = std::min(capacity, bytes.size() - at);
    std::memcpy(buffer, bytes.data() + at, size);
    at += size;
    if (at == bytes.size()) rests_.erase(rest);
    return static_cast<int32_t>(size);
  }
  const core::BodyPiece piece = call->read_body();
  wake_from_elsewhere();
  switch (piece.status) {
    case core::ReadStatus::kData: {
      const size_t size = std::min(capacity, piece.data.size());
      std::memcpy(buffer, piece.data.data(), size);
      if (size < piece.data.size()) rests_[request].bytes.assign(piece.data.substr(size));
      return static_cast<int32_t>(size);
    }
    case core::ReadStatus::kWait:
      operations_.wait(request, WaitsFor::kBody, operation);
      return VALOR_WAIT;
    case core::ReadStatus::kEnd:
      return 0;
    case core::ReadStatus::kFailed:
      break;
  }
  return VALOR_GONE;
}

void AbiGuest::caught_up(uint64_t request) {
  if (ahead_.empty()) return;
  const auto found = ahead_.find(request);
  if (found == ahead_.end()) return;
  ahead_of_all_ -= found->second;
  ahead_.erase(found);
}

void AbiGuest::end_request(uint64_t request) {
  operations_.end(request);
  if (!rests_.empty()) rests_.erase(request);
  caught_up(request);
  if (fetches_) fetches_->end_request(request);
}

int64_t AbiGuest::fetch(uint64_t request, std::string_view method, std::string_view url, std::string_view headers,
                        uint64_t length, uint32_t flags, uint64_t operation) {
  const host::Call* call = request == 0 ? nullptr : context_.find(request);
  if (request != 0 && call == nullptr) return VALOR_GONE;
  if ((flags & ~(VALOR_FETCH_BODY | VALOR_FETCH_MANUAL)) != 0) return invalid("fetch", "there is a flag of no meaning");
  if (const char* refusal = operations_.refusal(operation); *refusal != '\0') return invalid("fetch", refusal);
  if (method.size() + url.size() + headers.size() > GuestFetch::kMostOfHead) {
    return invalid("fetch", "method, URL and headers together may have " + std::to_string(GuestFetch::kMostOfHead) +
                                " bytes, not " + std::to_string(method.size() + url.size() + headers.size()));
  }
  if (!fetches_) {
    fetches_.emplace(open_network_(context_), operations_,
                     [this](const std::string& text) { log(core::LogLevel::kWarn, text); });
  }
  if (fetches_->full()) {
    return invalid("fetch", std::to_string(GuestFetches::kMost) +
                                " fetches are open: read their bodies to the end, or call fetch_cancel()");
  }
  const bool has_body = (flags & VALOR_FETCH_BODY) != 0;
  core::Result<FetchTarget> target = begin_fetch(fetches_->network(), method, url, location(), headers, has_body);
  if (!target) return invalid("fetch", target.error().message);
  const unsigned hops = (call != nullptr ? call->request().hops : 0u) + 1;
  const std::optional<uint64_t> known =
      has_body && length != VALOR_LENGTH_UNKNOWN ? std::optional<uint64_t>(length) : std::nullopt;
  const ExchangeId id =
      fetches_->start(std::move(target).value(), request, hops, (flags & VALOR_FETCH_MANUAL) == 0, known, operation);
  wake_from_elsewhere();
  return static_cast<int64_t>(id);
}

int32_t AbiGuest::fetch_cancel(uint64_t fetch) {
  if (!fetches_ || !fetches_->end(fetch)) return VALOR_GONE;
  operations_.forget(fetch);
  return VALOR_OK;
}

int32_t AbiGuest::sleep(uint64_t milliseconds, uint64_t operation) {
  if (const char* refusal = operations_.refusal(operation); *refusal != '\0') return invalid("sleep", refusal);
  // A millisecond more, because the current one has partly passed; but 0 means at once.
  const uint64_t now = monotonic_ms();
  const uint64_t due = milliseconds == 0 ? 0 : now + std::min(milliseconds, UINT64_MAX - now - 1) + 1;
  operations_.start_timer(due, operation);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t AbiGuest::cancel(uint64_t operation) {
  const std::optional<Operations::Cancelled> cancelled = operations_.cancel(operation);
  if (!cancelled) return VALOR_INVALID;
  // Without its head nobody can use the response.
  if (cancelled->waited_for == WaitsFor::kHead) (void)fetch_cancel(cancelled->exchange);
  return VALOR_OK;
}

}  // namespace valor::plugins::abi
