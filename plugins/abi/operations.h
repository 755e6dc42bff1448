// What the guest of an instance waits for: timers, the bodies of its requests and fetches, the responses to its
// fetches. An operation is a number of the guest's choosing; when it is over, the guest's complete() is to be called
// with it on the instance's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace valor::plugins::abi {

/// A request of the instance or a fetch, by its number.
using ExchangeId = uint64_t;

/// What the guest may wait for at one exchange, each once at a time.
enum class WaitsFor { kBody, kRoom, kHead };

/// The end of an operation.
struct Completion {
  uint64_t operation = 0;
  int32_t status = 0;                      ///< VALOR_OK, VALOR_GONE or VALOR_FAILED
  std::unique_ptr<uint64_t[]> block = {};  ///< the data, aligned to 8 bytes
  size_t size = 0;                         ///< of the data, in bytes
  ExchangeId exchange = 0;                 ///< where it waited; 0: a timer
  WaitsFor waited_for = WaitsFor::kBody;

  std::string_view data() const { return {reinterpret_cast<const char*>(block.get()), size}; }
};

/// Plain data; used inside the turn of the instance's loop.
class Operations {
 public:
  /// As many at a time: a guest that starts them without end takes memory that no limit of it counts.
  static constexpr size_t kMost = 65'536;

  /// Why an operation of this number cannot begin: it is in use, or there are too many. "": it can.
  const char* refusal(uint64_t operation) const;

  void start_timer(uint64_t due_ms, uint64_t operation);
  /// Only where nothing waits for the same.
  void wait(ExchangeId exchange, WaitsFor what, uint64_t operation);
  bool waits(ExchangeId exchange, WaitsFor what) const {
    return !waiting_.empty() && waiting_.contains({exchange, what});
  }

  /// Takes out what waits for this, to be completed at once.
  std::optional<uint64_t> take(ExchangeId exchange, WaitsFor what);
  /// What waits for this, if anything does, is complete.
  void complete(ExchangeId exchange, WaitsFor what, int32_t status, std::unique_ptr<uint64_t[]> block = {},
                size_t size = 0);
  /// Whatever waits at the exchange is complete with VALOR_GONE.
  void end(ExchangeId exchange);
  /// Whatever waits at the exchange, or did and is complete, is forgotten.
  void forget(ExchangeId exchange);
  /// Timers that are due are complete.
  void expire(uint64_t now_ms);

  struct Cancelled {
    ExchangeId exchange;  ///< 0: it was a timer
    WaitsFor waited_for;
  };
  /// nullopt when there is no operation of that number.
  std::optional<Cancelled> cancel(uint64_t operation);

  /// The oldest completion that has not been taken.
  std::optional<Completion> take_completion();
  size_t completed() const { return completed_.size(); }
  /// Milliseconds until something is to be done; -1: nothing waits for time.
  int wait_ms(uint64_t now_ms) const;

 private:
  enum class Kind { kTimer, kWaits, kComplete };
  struct Place {
    Kind kind;
    uint64_t at;  // when it is due, or the exchange, or the key of the completion
    WaitsFor waits_for = WaitsFor::kBody;
  };
  void add_completion(Completion completion);

  std::unordered_map<uint64_t, Place> places_;                   // of every operation
  std::map<std::pair<ExchangeId, WaitsFor>, uint64_t> waiting_;  // -> operation
  std::set<std::pair<uint64_t, uint64_t>> timers_;               // due, operation
  std::map<uint64_t, Completion> completed_;                     // in their order
  uint64_t last_completion_ = 0;
};

}  // namespace valor::plugins::abi
