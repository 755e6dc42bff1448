#include "plugins/native/native-guest.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "plugins/native/host-table.h"
#include "plugins/native/instance-table.h"
#include "plugins/native/packed-headers.h"

namespace valor::plugins::native {

namespace {

// One piece of a body is never larger, so that a result fits its type.
constexpr size_t kLargestRead = 1 << 30;

uint64_t monotonic_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

template <class Function>
void NativeGuest::outside(Function function) {
  bool threw = false;
  {
    net::EventLoop::Outside outside(context_.loop());
    try {
      function();
    } catch (...) {
      threw = true;
    }
  }
  if (!threw) return;
  broken_ = true;
  context_.broken({.detail = "an exception left a function of the plug-in, which the plug-in ABI forbids"});
}

NativeGuest::NativeGuest(host::GuestContext& context, LibraryCache& libraries)
    : context_(context), libraries_(libraries), thread_(std::this_thread::get_id()) {}

// Not through outside(): it might report a breakdown of what is gone.
NativeGuest::~NativeGuest() {
  if (number_ == 0) return;
  net::EventLoop::Outside outside(context_.loop());
  if (created_ && !broken_) {
    try {
      guest_->destroy(self_);
    } catch (...) {
      log(core::LogLevel::kError, "an exception left the plug-in's destroy(), which the plug-in ABI forbids");
    }
  }
  InstanceTable::of_process().remove(number_);
}

void NativeGuest::start() {
  core::Result<const valor_guest*> loaded = core::Error{};
  // Loading runs the library's own initialisation, which is plug-in code.
  outside([&] {
    loaded = libraries_.load(definition().path, host_table());
    if (loaded) number_ = InstanceTable::of_process().add(*this);
  });
  if (broken_) return;
  if (!loaded) return context_.start_failed(loaded.error().message);
  guest_ = *loaded;
  if (number_ == 0) return context_.start_failed("too many native instances in this process");
  outside([&] { self_ = guest_->create(number_); });
  created_ = !broken_;
  report_creation();
}

void NativeGuest::report_creation() {
  if (!created_) return;
  if (creation_ == Creation::kDone) {
    creation_ = Creation::kReported;
    context_.ready();
  } else if (creation_ == Creation::kFailed) {
    creation_ = Creation::kReported;
    context_.start_failed(std::move(creation_error_));
  }
}

void NativeGuest::handle(host::Call& call) {
  const host::CallId id = call.id();
  const std::optional<uint64_t> length = call.content_length();
  const size_t size = pack_request(call.request(), call.has_body(), length ? &*length : nullptr, request_head_);
  outside([&] { guest_->start(self_, id, request_head_.data(), size); });
}

void NativeGuest::body_ready(host::Call& call) {
  Operations::Stream* stream = operations_.find_stream(call.id());
  if (stream == nullptr || !stream->reader) return;
  complete({*std::exchange(stream->reader, std::nullopt), VALOR_OK});
}

void NativeGuest::writable(host::Call& call) {
  Operations::Stream* stream = operations_.find_stream(call.id());
  if (stream == nullptr || !stream->writer) return;
  complete({*std::exchange(stream->writer, std::nullopt), VALOR_OK});
}

void NativeGuest::dropped(host::CallId id, host::DropReason reason) {
  operations_.end_stream(id);
  while (operations_.completed() > 0 && !broken_) complete(*operations_.take());
  if (broken_) return;
  outside([&] {
    guest_->drop(self_, id, reason == host::DropReason::kTimeout ? VALOR_DROP_TIMEOUT : VALOR_DROP_CLIENT_GONE);
  });
}

bool NativeGuest::work() {
  if (broken_ || !created_) return false;
  report_creation();
  operations_.expire(loop().now_ms());
  // Only what is there now: plug-in code may add more for ever, and others want their turn.
  for (size_t left = operations_.completed(); left > 0 && !broken_; --left) {
    const std::optional<Completion> completion = operations_.take();
    if (!completion) break;
    complete(*completion);
  }
  report_creation();
  return !broken_ && operations_.completed() > 0;
}

int NativeGuest::wait_ms() {
  return broken_ ? -1 : operations_.wait_ms(loop().now_ms());
}

void NativeGuest::complete(Completion completion) {
  outside([&] { guest_->complete(self_, completion.operation, completion.status, nullptr, 0); });
}

// ---- on behalf of the plug-in

void NativeGuest::wake_from_elsewhere() {
  if (std::this_thread::get_id() != thread_) loop().wake();
}

int32_t NativeGuest::invalid(const char* function, std::string_view what) {
  log(core::LogLevel::kError, std::string(function) + "(): " + std::string(what));
  return VALOR_INVALID;
}

int32_t NativeGuest::create_done() {
  if (creation_ != Creation::kRunning) return invalid("create_done", "creation has ended already");
  creation_ = Creation::kDone;
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t NativeGuest::create_fail(std::string_view message) {
  if (creation_ != Creation::kRunning) return invalid("create_fail", "creation has ended already");
  creation_ = Creation::kFailed;
  creation_error_ = message.empty() ? "the plug-in could not be created and did not say why" : std::string(message);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t NativeGuest::read_head(host::Call& call, uint32_t status, std::string_view headers) {
  const core::Status checked = unpack_response(status, headers, head_);
  if (checked) return VALOR_OK;
  log(core::LogLevel::kError, checked.error().message);
  const host::CallId id = call.id();
  call.fail({.status = 502, .detail = checked.error().message});
  operations_.end_stream(id);
  wake_from_elsewhere();
  return VALOR_INVALID;
}

int32_t NativeGuest::respond(uint64_t request, uint32_t status, std::string_view headers, std::string_view body) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (call->response_started()) return invalid("respond", "the answer to this request has begun already");
  if (const int32_t result = read_head(*call, status, headers); result != VALOR_OK) return result;
  call->respond(head_, body);
  operations_.end_stream(request);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t NativeGuest::send_head(uint64_t request, uint32_t status, std::string_view headers, uint64_t length) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (call->response_started()) return invalid("send_head", "the answer to this request has begun already");
  if (const int32_t result = read_head(*call, status, headers); result != VALOR_OK) return result;
  call->start_response(head_, length == VALOR_LENGTH_UNKNOWN ? std::nullopt : std::optional<uint64_t>(length));
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t NativeGuest::send_body(uint64_t request, std::string_view data, uint64_t operation) {
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

int32_t NativeGuest::send_end(uint64_t request) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  if (!call->response_started()) return invalid("send_end", "send_head() comes first");
  call->finish();
  operations_.end_stream(request);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t NativeGuest::fail(uint64_t request, std::string_view message) {
  host::Call* call = context_.find(request);
  if (call == nullptr) return VALOR_GONE;
  log(core::LogLevel::kError, "request " + call->request().id + " failed: " + std::string(message));
  call->fail({.status = 500, .detail = "the plug-in failed while it handled the request"});
  operations_.end_stream(request);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t NativeGuest::body_read(uint64_t request, char* buffer, size_t capacity, uint64_t operation) {
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

int32_t NativeGuest::sleep(uint64_t milliseconds, uint64_t operation) {
  // A millisecond more, because the current one has partly passed; but 0 means at once.
  const uint64_t now = monotonic_ms();
  const uint64_t due = milliseconds == 0 ? 0 : now + std::min(milliseconds, UINT64_MAX - now - 1) + 1;
  operations_.start_timer(due, operation);
  wake_from_elsewhere();
  return VALOR_OK;
}

int32_t NativeGuest::cancel(uint64_t operation) {
  return operations_.cancel(operation) ? VALOR_OK : VALOR_INVALID;
}

}  // namespace valor::plugins::native
