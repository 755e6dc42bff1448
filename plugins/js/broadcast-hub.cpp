#include "plugins/js/broadcast-hub.h"

#include <algorithm>
#include <utility>

namespace valor::plugins::js {

namespace {

// What a message takes beside its bytes.
constexpr size_t kLetterCost = 256;

size_t cost_of(const web::SerializedValue& value) {
  return value.size() + kLetterCost;
}

}  // namespace

struct BroadcastHub::Group {
  std::mutex mutex;
  std::vector<Member*> members;
};

std::unique_ptr<BroadcastHub::Member> BroadcastHub::join(const std::string& plugin, std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  std::erase_if(groups_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Group>& place = groups_[plugin];
  std::shared_ptr<Group> group = place.lock();
  if (group == nullptr) place = group = std::make_shared<Group>();
  return std::make_unique<Member>(std::move(group), std::move(wake));
}

BroadcastHub::Member::Member(std::shared_ptr<Group> group, std::function<void()> wake)
    : group_(std::move(group)), wake_(std::move(wake)) {
  const std::lock_guard lock(group_->mutex);
  group_->members.push_back(this);
}

BroadcastHub::Member::~Member() {
  leave();
}

void BroadcastHub::Member::leave() {
  const std::lock_guard lock(group_->mutex);
  std::erase(group_->members, this);
  channels_.clear();
  letters_.clear();
  missing_.clear();
  mail_ = false;
}

void BroadcastHub::Member::open(const std::string& channel) {
  const std::lock_guard lock(group_->mutex);
  ++channels_[channel];
}

void BroadcastHub::Member::close(const std::string& channel) {
  const std::lock_guard lock(group_->mutex);
  const auto found = channels_.find(channel);
  if (found != channels_.end() && --found->second == 0) channels_.erase(found);
}

bool BroadcastHub::Member::has_listeners(const std::string& channel) {
  const std::lock_guard lock(group_->mutex);
  return std::ranges::any_of(group_->members,
                             [&](Member* member) { return member != this && member->channels_.contains(channel); });
}

void BroadcastHub::Member::post(const std::string& channel, const std::shared_ptr<const web::SerializedValue>& value) {
  const std::lock_guard lock(group_->mutex);
  for (Member* member : group_->members) {
    // Under the lock, because whoever leaves may take what wake() needs along.
    if (member != this && member->channels_.contains(channel) && member->put(channel, value)) member->wake_();
  }
}

bool BroadcastHub::Member::put(const std::string& channel, const std::shared_ptr<const web::SerializedValue>& value) {
  const size_t cost = cost_of(*value);
  if (!missing_.empty() || (!letters_.empty() && waiting_ + cost > kMaxWaiting)) {
    ++missing_[channel];
    return false;
  }
  letters_.push_back({channel, value});
  waiting_ += cost;
  return !mail_.exchange(true);
}

bool BroadcastHub::Member::take(Letter& letter) {
  // What was taken before ends outside the lock.
  letter = {};
  const std::lock_guard lock(group_->mutex);
  if (!letters_.empty()) {
    letter = std::move(letters_.front());
    letters_.pop_front();
    waiting_ -= cost_of(*letter.value);
  } else if (!missing_.empty()) {
    letter = {missing_.begin()->first, nullptr, missing_.begin()->second};
    missing_.erase(missing_.begin());
  } else {
    mail_ = false;
    return false;
  }
  mail_ = !letters_.empty() || !missing_.empty();
  return true;
}

}  // namespace valor::plugins::js
