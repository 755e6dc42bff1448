// Each byte is a step in the life of an instance whose plug-in answers every request at most once, in any way it likes:
// no answer may belong to another request than its own. Where the engine can tell on whose behalf code runs, it is
// right.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "core/correlation.h"

using namespace valor::core;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

struct Asked {
  Correlator::Token token;
  std::string id;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Correlator correlator;
  IdSource ids({1, 2, 3, 4});
  std::vector<Asked> unanswered;     // by the plug-in
  std::set<Correlator::Token> open;  // for the client
  Correlator::Token last = 0;

  auto answer = [&](size_t index, bool named, bool in_context) {
    Asked request = unanswered[index];
    unanswered.erase(unanswered.begin() + static_cast<std::ptrdiff_t>(index));
    Correlator::Answer answer =
        correlator.match(named ? std::optional<std::string_view>(request.id) : std::optional<std::string_view>(),
                         in_context ? request.token : 0);
    if (answer.token == 0) return;
    require(answer.token == request.token);
    require(open.erase(answer.token) == 1);
    correlator.end(answer.token, Ended::kAnswered);
  };

  for (size_t at = 0; at < size; ++at) {
    uint8_t step = data[at] & 7;
    uint8_t choice = data[at] >> 3;
    if (step < 2) {
      ++last;
      unanswered.push_back(
          {last, std::string(correlator.begin(last, std::string(1, static_cast<char>('a' + choice % 4)), ids))});
      open.insert(last);
      if (step == 1) {
        correlator.enter_handler(last);
        answer(unanswered.size() - 1, choice > 15, false);
        correlator.leave_handler();
      }
    } else if (step < 5 && !unanswered.empty()) {
      answer((choice >> 1) % unanswered.size(), step == 2, (choice & 1) != 0);
    } else if (step > 4 && !open.empty()) {
      Correlator::Token token = *std::next(open.begin(), static_cast<std::ptrdiff_t>(choice % open.size()));
      open.erase(token);
      correlator.end(token, step == 5 ? Ended::kTimedOut : Ended::kClientGone);
      if (step == 7) correlator.expire(token);
    }
    require(correlator.open() == open.size());
    require(correlator.one_at_a_time() || correlator.next() == Next::kGive);
  }
  return 0;
}
