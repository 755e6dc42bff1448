#include "plugins/abi/guest-fetch.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "abi/valor.h"
#include "plugins/abi/packed-headers.h"

namespace valor::plugins::abi {

namespace {

constexpr uint16_t kMisdirectedRequest = 421;
// Small pieces of a body are put together up to this size: each would take much more than it has.
constexpr size_t kPiece = 16 * 1024;
// What is told of a failure waits until the guest hears it, and thousands of them may.
constexpr size_t kShown = 500;

std::string shown(std::string text) {
  if (text.size() > kShown) text.replace(kShown, std::string::npos, "...");
  return text;
}

}  // namespace

GuestFetch::GuestFetch(FetchShared& shared, FetchTarget target, Options options)
    : shared_(shared),
      target_(std::move(target)),
      options_(options),
      had_body_(target_.has_body),
      left_(options.length) {}

GuestFetch::~GuestFetch() {
  shared_.unsent -= unsent_bytes_;
}

void GuestFetch::send() {
  client::ClientRequest request;
  request.method = target_.method;
  request.url = target_.url.href;
  request.headers = target_.headers;
  request.has_body = target_.has_body;
  if (target_.has_body) request.content_length = options_.length;
  request.fresh_connection = fresh_connection_;
  sending_ = shared_.network.send(std::move(request), options_.hops, *this);
}

void GuestFetch::work() {
  if (over_) return;
  if (next_) {
    follow();
  } else if (ended_ || broken_) {
    sending_.reset();
  }
}

void GuestFetch::follow() {
  const Next next = *std::exchange(next_, std::nullopt);
  sending_.reset();
  fresh_connection_ = !next.location;
  if (next.location) {
    if (const core::Status followed = follow_redirect(shared_.network, next.status, *next.location, target_);
        !followed) {
      return fail(followed.error().message);
    }
    if (!target_.has_body) drop_upload();
  }
  send();
}

void GuestFetch::fail(std::string why) {
  sending_.reset();
  on_failed({client::TransferFailure::Kind::kBroken, std::move(why)});
}

// ---- the request's body

void GuestFetch::drop_upload() {
  shared_.unsent -= std::exchange(unsent_bytes_, 0);
  unsent_.clear();
}

int32_t GuestFetch::write(std::string_view data, uint64_t operation, std::string& what) {
  if (!had_body_) what = "the fetch was begun without VALOR_FETCH_BODY";
  if (body_ended_) what = "send_end() was called";
  if (shared_.operations.waits(options_.id, WaitsFor::kRoom)) what = "an earlier send_body() is not complete";
  if (what.empty()) what = shared_.operations.refusal(operation);
  if (!what.empty()) return VALOR_INVALID;
  if (upload_over_) return VALOR_GONE;
  if (left_) {
    if (data.size() > *left_) {
      fail("the plug-in sent a body of more bytes than it had announced");
      return VALOR_GONE;
    }
    *left_ -= data.size();
  }
  // A redirect has made a GET of it: nobody wants the rest.
  if (!target_.has_body || data.empty()) return VALOR_OK;
  if (shared_.unsent > 0 && shared_.unsent + data.size() > kMaxUnsentOfAll) {
    fail("the plug-in sends faster than the network takes it, and did not wait: over " +
         std::to_string(kMaxUnsentOfAll / (1024 * 1024)) + " MiB are unsent");
    return VALOR_GONE;
  }
  if (!unsent_.empty() && unsent_.back().size() + data.size() <= kPiece) {
    unsent_.back().append(data);
  } else {
    unsent_.emplace_back(data);
  }
  unsent_bytes_ += data.size();
  shared_.unsent += data.size();
  if (sending_ != nullptr) sending_->resume_upload();
  if (unsent_bytes_ < kMaxUnsent) return VALOR_OK;
  shared_.operations.wait(options_.id, WaitsFor::kRoom, operation);
  return VALOR_WAIT;
}

int32_t GuestFetch::end_body(std::string& what) {
  if (!had_body_) what = "the fetch was begun without VALOR_FETCH_BODY";
  if (body_ended_) what = "send_end() was called before";
  if (!what.empty()) return VALOR_INVALID;
  if (upload_over_) return VALOR_GONE;
  if (left_.value_or(0) > 0) {
    fail("the plug-in sent a body of fewer bytes than it had announced");
    return VALOR_GONE;
  }
  body_ended_ = true;
  if (sending_ != nullptr) sending_->resume_upload();
  return VALOR_OK;
}

core::BodyPiece GuestFetch::read_body() {
  if (unsent_.empty()) return {body_ended_ ? core::ReadStatus::kEnd : core::ReadStatus::kWait, {}};
  current_ = std::move(unsent_.front());
  unsent_.pop_front();
  unsent_bytes_ -= current_.size();
  shared_.unsent -= current_.size();
  if (unsent_bytes_ < kMaxUnsent / 2) shared_.operations.complete(options_.id, WaitsFor::kRoom, VALOR_OK);
  return {core::ReadStatus::kData, current_};
}

// ---- the response

void GuestFetch::on_head(core::ResponseHead head, std::optional<uint64_t> length, std::string_view) {
  if (over_ || next_) return;
  // Not the place that answers for this URL; another connection may lead to it.
  const bool again = head.status == kMisdirectedRequest && !had_body_ && !fresh_connection_;
  const std::optional<std::string_view> location = head.headers.get("location");
  if (again || (options_.follows_redirects && location && is_redirect(head.status))) {
    next_ = Next{head.status};
    if (!again) next_->location = std::string(*location);
    return to_do();
  }
  has_head_ = true;
  const uint32_t flags =
      (length ? VALOR_RESPONSE_HAS_LENGTH : 0) | (target_.redirects > 0 ? VALOR_RESPONSE_REDIRECTED : 0);
  Block block = pack_response(head, target_.url.href, flags, length.value_or(0));
  shared_.operations.complete(options_.id, WaitsFor::kHead, VALOR_OK, std::move(block.bytes), block.size);
}

core::WriteStatus GuestFetch::on_data(std::string_view data) {
  if (over_ || next_) return core::WriteStatus::kGone;
  unread_.append(data);
  shared_.operations.complete(options_.id, WaitsFor::kBody, VALOR_OK);
  paused_ = unread_.size() - unread_at_ >= kMaxUnread;
  return paused_ ? core::WriteStatus::kWait : core::WriteStatus::kReady;
}

void GuestFetch::on_end() {
  if (over_ || next_) return;
  ended_ = true;
  // The server has answered without waiting for the rest.
  upload_over_ = !body_ended_ || !unsent_.empty();
  drop_upload();
  shared_.operations.complete(options_.id, WaitsFor::kRoom, upload_over_ ? VALOR_GONE : VALOR_OK);
  shared_.operations.complete(options_.id, WaitsFor::kBody, VALOR_OK);
  to_do();
}

void GuestFetch::on_failed(client::TransferFailure failure) {
  if (over_ || next_ || ended_) return;
  broken_ = true;
  upload_over_ = true;
  drop_upload();
  const std::string why =
      "cannot fetch " + shown(target_.url.href) + ": " + shown(failure.message) + " (" + failure.code + ")";
  shared_.operations.complete(options_.id, WaitsFor::kRoom, VALOR_GONE);
  if (!has_head_) {
    over_ = true;
    Block text = Block::of_text(why);
    shared_.operations.complete(options_.id, WaitsFor::kHead, VALOR_FAILED, std::move(text.bytes), text.size);
  } else {
    shared_.warn(why);
    over_ = unread_at_ == unread_.size();
    shared_.operations.complete(options_.id, WaitsFor::kBody, over_ ? VALOR_GONE : VALOR_OK);
  }
  to_do();
}

int32_t GuestFetch::read(char* buffer, size_t capacity, uint64_t operation, std::string& what) {
  if (!has_head_) what = "the fetch has no response yet";
  if (shared_.operations.waits(options_.id, WaitsFor::kBody)) what = "an earlier body_read() is not complete";
  if (what.empty()) what = shared_.operations.refusal(operation);
  if (!what.empty()) return VALOR_INVALID;
  const size_t there = unread_.size() - unread_at_;
  if (there == 0) {
    if (ended_ || broken_) {
      over_ = true;
      to_do();
      return ended_ ? 0 : VALOR_GONE;
    }
    shared_.operations.wait(options_.id, WaitsFor::kBody, operation);
    return VALOR_WAIT;
  }
  const size_t size = std::min(capacity, there);
  std::memcpy(buffer, unread_.data() + unread_at_, size);
  unread_at_ += size;
  if (unread_at_ == unread_.size()) {
    unread_.clear();
    unread_at_ = 0;
  } else if (unread_at_ >= unread_.size() / 2) {
    unread_.erase(0, std::exchange(unread_at_, 0));
  }
  if (unread_.size() - unread_at_ < kMaxUnread / 2 && std::exchange(paused_, false) && sending_ != nullptr) {
    sending_->resume_download();
  }
  return static_cast<int32_t>(size);
}

}  // namespace valor::plugins::abi
