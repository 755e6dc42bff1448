#include "plugins/abi/operations.h"

#include <algorithm>

#include "abi/valor.h"

namespace valor::plugins::abi {

Operations::Stream* Operations::find_stream(uint64_t request) {
  if (streams_.empty()) return nullptr;
  const auto found = streams_.find(request);
  return found == streams_.end() ? nullptr : &found->second;
}

void Operations::end_stream(uint64_t request) {
  if (streams_.empty()) return;
  const auto found = streams_.find(request);
  if (found == streams_.end()) return;
  if (found->second.reader) completed_.push_back({*found->second.reader, VALOR_GONE});
  if (found->second.writer) completed_.push_back({*found->second.writer, VALOR_GONE});
  streams_.erase(found);
}

void Operations::start_timer(uint64_t due_ms, uint64_t operation) {
  timers_.emplace(due_ms, operation);
}

void Operations::expire(uint64_t now_ms) {
  while (!timers_.empty() && timers_.begin()->first <= now_ms) {
    completed_.push_back({timers_.begin()->second, VALOR_OK});
    timers_.erase(timers_.begin());
  }
}

// Linear: guests cancel only what they give up, which is rare beside what completes.
bool Operations::cancel(uint64_t operation) {
  const auto done = std::find_if(completed_.begin(), completed_.end(),
                                 [&](const Completion& completion) { return completion.operation == operation; });
  if (done != completed_.end()) {
    completed_.erase(done);
    return true;
  }
  const auto timer =
      std::find_if(timers_.begin(), timers_.end(), [&](const auto& entry) { return entry.second == operation; });
  if (timer != timers_.end()) {
    timers_.erase(timer);
    return true;
  }
  for (auto& [request, stream] : streams_) {
    for (std::optional<uint64_t>* waiting : {&stream.reader, &stream.writer}) {
      if (*waiting == operation) {
        waiting->reset();
        return true;
      }
    }
  }
  return false;
}

std::optional<Completion> Operations::take() {
  if (completed_.empty()) return std::nullopt;
  const Completion completion = completed_.front();
  completed_.pop_front();
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
