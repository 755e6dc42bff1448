// Where the instances of one plug-in meet: a message that one posts to a BroadcastChannel is put into the mailbox of
// each other instance that has a channel of that name, and stays there until its thread comes for it.
//
// A mailbox is bounded. When it is full, nothing more goes in until it is empty, and then its instance is told which
// channels have missed messages, in the place where those would have been.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "web/html/serialized-value.h"

namespace valor::plugins::js {

/// Thread-safe. Outlives its members.
class BroadcastHub {
 public:
  /// What may wait for one instance, in bytes of messages and of keeping them: an instance that computes for long must
  /// not make the process grow. One message of any size goes into an empty mailbox.
  static constexpr size_t kMaxWaiting = size_t{16} << 20;

  struct Letter {
    std::string channel;
    std::shared_ptr<const web::SerializedValue> value;  ///< nullptr: messages are missing here
    uint64_t missing = 0;
  };

  class Member;

  /// Enters an instance of the plug-in with this name. `wake` is called, on any thread, when there is mail.
  std::unique_ptr<Member> join(const std::string& plugin, std::function<void()> wake);

 private:
  struct Group;
  std::mutex mutex_;  // guards groups_
  std::unordered_map<std::string, std::weak_ptr<Group>> groups_;
};

/// Its instance's thread, unless noted.
class BroadcastHub::Member {
 public:
  Member(std::shared_ptr<Group> group, std::function<void()> wake);
  ~Member();
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  /// Nothing more is heard from or sent to it. Any thread.
  void leave();

  /// One channel more, or less, of that name.
  void open(const std::string& channel);
  void close(const std::string& channel);

  /// Whether another instance has such a channel.
  bool has_listeners(const std::string& channel);
  void post(const std::string& channel, const std::shared_ptr<const web::SerializedValue>& value);

  bool has_mail() const { return mail_.load(); }
  /// The next letter; false when there is none.
  bool take(Letter& letter);

 private:
  /// Returns whether the instance is to be woken.
  bool put(const std::string& channel, const std::shared_ptr<const web::SerializedValue>& value);

  const std::shared_ptr<Group> group_;
  const std::function<void()> wake_;
  std::atomic<bool> mail_{false};
  // Guarded by the group's mutex.
  std::unordered_map<std::string, uint32_t> channels_;  // how many are open
  std::deque<Letter> letters_;
  size_t waiting_ = 0;  // bytes
  std::map<std::string, uint64_t> missing_;
};

}  // namespace valor::plugins::js
