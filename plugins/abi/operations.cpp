#include "plugins/abi/operations.h"

#include <algorithm>

#include "abi/valor.h"

namespace valor::plugins::abi {

const char* Operations::refusal(uint64_t operation) const {
  if (places_.empty()) return "";
  if (places_.contains(operation)) return "the number of the operation is in use";
  return places_.size() < kMost ? "" : "too many operations wait (65536)";
}

void Operations::start_timer(uint64_t due_ms, uint64_t operation) {
  timers_.emplace(due_ms, operation);
  places_[operation] = {Kind::kTimer, due_ms};
}

void Operations::wait(ExchangeId exchange, WaitsFor what, uint64_t operation) {
  waiting_[{exchange, what}] = operation;
  places_[operation] = {Kind::kWaits, exchange, what};
}

std::optional<uint64_t> Operations::take(ExchangeId exchange, WaitsFor what) {
  if (waiting_.empty()) return std::nullopt;
  const auto found = waiting_.find({exchange, what});
  if (found == waiting_.end()) return std::nullopt;
  const uint64_t operation = found->second;
  waiting_.erase(found);
  places_.erase(operation);
  return operation;
}

void Operations::add_completion(Completion completion) {
  places_[completion.operation] = {Kind::kComplete, ++last_completion_};
  completed_.emplace_hint(completed_.end(), last_completion_, std::move(completion));
}

void Operations::complete(ExchangeId exchange, WaitsFor what, int32_t status, std::unique_ptr<uint64_t[]> block,
                          size_t size) {
  if (const std::optional<uint64_t> operation = take(exchange, what)) {
    add_completion({*operation, status, std::move(block), size, exchange, what});
  }
}

void Operations::end(ExchangeId exchange) {
  if (waiting_.empty()) return;
  for (const WaitsFor what : {WaitsFor::kBody, WaitsFor::kRoom, WaitsFor::kHead}) complete(exchange, what, VALOR_GONE);
}

void Operations::forget(ExchangeId exchange) {
  for (const WaitsFor what : {WaitsFor::kBody, WaitsFor::kRoom, WaitsFor::kHead}) take(exchange, what);
  std::erase_if(completed_, [&](const auto& entry) {
    if (entry.second.exchange != exchange) return false;
    places_.erase(entry.second.operation);
    return true;
  });
}

void Operations::expire(uint64_t now_ms) {
  while (!timers_.empty() && timers_.begin()->first <= now_ms) {
    const uint64_t operation = timers_.begin()->second;
    timers_.erase(timers_.begin());
    add_completion({operation, VALOR_OK});
  }
}

std::optional<Operations::Cancelled> Operations::cancel(uint64_t operation) {
  const auto found = places_.find(operation);
  if (found == places_.end()) return std::nullopt;
  const Place place = found->second;
  places_.erase(found);
  switch (place.kind) {
    case Kind::kTimer:
      timers_.erase({place.at, operation});
      return Cancelled{0, WaitsFor::kBody};
    case Kind::kWaits:
      waiting_.erase({place.at, place.waits_for});
      return Cancelled{place.at, place.waits_for};
    case Kind::kComplete:
      break;
  }
  const auto completion = completed_.find(place.at);
  const Cancelled cancelled{completion->second.exchange, completion->second.waited_for};
  completed_.erase(completion);
  return cancelled;
}

std::optional<Completion> Operations::take_completion() {
  if (completed_.empty()) return std::nullopt;
  Completion completion = std::move(completed_.begin()->second);
  completed_.erase(completed_.begin());
  places_.erase(completion.operation);
  return completion;
}

int Operations::wait_ms(uint64_t now_ms) const {
  if (!completed_.empty()) return 0;
  if (timers_.empty()) return -1;
  const uint64_t due = timers_.begin()->first;
  constexpr uint64_t kLongest = 3'600'000;
  return due <= now_ms ? 0 : static_cast<int>(std::min(due - now_ms, kLongest));
}

}  // namespace valor::plugins::abi
