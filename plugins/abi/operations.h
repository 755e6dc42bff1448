// What the guest of a native instance waits for: timers, and the bodies of its requests. An operation is a number of
// the guest's choosing; when it is over, the guest's complete() is to be called with it on the instance's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace valor::plugins::abi {

/// The end of an operation.
struct Completion {
  uint64_t operation;
  int32_t status;  ///< VALOR_OK or VALOR_GONE
};

/// Plain data; used inside the turn of the instance's loop.
class Operations {
 public:
  /// What waits at one request, and what was read of its body and did not fit.
  struct Stream {
    std::optional<uint64_t> reader;
    std::optional<uint64_t> writer;
    std::string rest;
    size_t rest_at = 0;
  };

  /// The stream of a request, made when there is none.
  Stream& stream(uint64_t request) { return streams_[request]; }
  /// nullptr when there is none.
  Stream* find_stream(uint64_t request);
  /// Forgets the stream; what waited there completes with VALOR_GONE.
  void end_stream(uint64_t request);

  void start_timer(uint64_t due_ms, uint64_t operation);
  /// Moves timers that are due to the completions.
  void expire(uint64_t now_ms);

  /// Returns false when nothing of that number waits.
  bool cancel(uint64_t operation);

  /// The oldest completion that has not been taken.
  std::optional<Completion> take();
  size_t completed() const { return completed_.size(); }
  /// Milliseconds until something is to be done; -1: nothing waits for time.
  int wait_ms(uint64_t now_ms) const;

 private:
  std::unordered_map<uint64_t, Stream> streams_;
  std::multimap<uint64_t, uint64_t> timers_;  // due -> operation
  std::deque<Completion> completed_;
};

}  // namespace valor::plugins::abi
