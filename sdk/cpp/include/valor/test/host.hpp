// The host that a plug-in under test sees: what it knows of one instance, and the rules of valor.h about it.
#pragma once

#include <valor.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <valor/test/messages.hpp>
#include <vector>

namespace valor::test::internal {

/// Microseconds that have passed in this test program. They pass only when a test lets them.
inline std::atomic<uint64_t> clock{0};

/// A body on its way to the plug-in.
struct Inbound {
  std::deque<std::string> pieces = {};
  bool ended = true;
  bool broken = false;
  uint64_t reader = 0;  ///< the operation that waits for more
};

struct RequestState {
  Inbound inbound;
  Answer answer;
  uint64_t window = 0;  ///< bytes that the client still takes
  uint64_t writer = 0;  ///< the operation that waits for the client
  bool head_sent = false;
};

struct FetchState {
  uint64_t request;    ///< on whose behalf; 0: none
  uint64_t operation;  ///< completes with the head; 0: it has
  FetchCall call;
  bool sending;  ///< the plug-in still sends the body
  Inbound inbound = {};
};

/// What complete() is to be called with.
struct Completed {
  uint64_t operation = 0;
  int32_t status = VALOR_OK;
  std::vector<uint64_t> data = {};
  size_t size = 0;
};

/// Everything is guarded by `mutex`, since the plug-in's threads call too.
class Host {
 public:
  std::mutex mutex;
  std::condition_variable changed;

  std::string config;
  std::string name;
  std::string location;
  bool created = false;
  bool aborted = false;
  std::string error;
  std::vector<LogLine> log;
  std::map<std::string, std::string, std::less<>> store;
  std::map<uint64_t, RequestState> requests;
  std::map<uint64_t, FetchState> fetches;
  std::deque<uint64_t> asked;                 ///< fetches that the test has to answer
  std::deque<Completed> ready;                ///< what is due
  std::multimap<uint64_t, Completed> timers;  ///< what is due at a time of the clock
  uint64_t last_number = 0;

  void complete(Completed completed) {
    if (completed.operation == 0) return;
    ready.push_back(std::move(completed));
    changed.notify_all();
  }

  /// Forgets an operation. Returns whether there was one.
  bool cancel(uint64_t operation) {
    const auto is_it = [&](const Completed& completed) { return completed.operation == operation; };
    if (const auto at = std::find_if(ready.begin(), ready.end(), is_it); at != ready.end()) {
      ready.erase(at);
      return true;
    }
    for (auto& [number, fetch] : fetches) {
      if (fetch.operation == operation) {
        end_fetch(number);
        return true;
      }
      if (forget(fetch.inbound.reader, operation)) return true;
    }
    for (auto at = timers.begin(); at != timers.end(); ++at) {
      if (!is_it(at->second)) continue;
      timers.erase(at);
      return true;
    }
    for (auto& [number, request] : requests) {
      if (forget(request.inbound.reader, operation) || forget(request.writer, operation)) return true;
    }
    return false;
  }

  void end_fetch(uint64_t number) {
    const uint64_t operation = fetches.at(number).operation;
    fetches.erase(number);
    if (operation != 0) cancel(operation);  // the timer of its reply
  }

  /// The request has ended: what waits for it is complete.
  void end_request(RequestState& request, uint64_t number) {
    request.answer.ended = true;
    complete({std::exchange(request.inbound.reader, 0), VALOR_GONE});
    complete({std::exchange(request.writer, 0), VALOR_GONE});
    for (auto at = fetches.begin(); at != fetches.end();) {
      const uint64_t fetch_number = at->first;
      FetchState& fetch = (at++)->second;
      if (fetch.request != number) continue;
      const uint64_t operations[] = {fetch.operation, fetch.inbound.reader};
      end_fetch(fetch_number);
      for (const uint64_t operation : operations) complete({operation, VALOR_GONE});
    }
    changed.notify_all();
  }

  /// Fails a request, as the server would: `status` when its answer has not begun.
  void fail(RequestState& request, uint64_t number, int status, std::string_view why) {
    request.answer.failure = why;
    if (request.head_sent) {
      request.answer.broken = true;
    } else {
      request.answer.status = status;
    }
    end_request(request, number);
  }

  /// An open request; nullptr when there is none.
  RequestState* open_request(uint64_t number) {
    const auto at = requests.find(number);
    return at == requests.end() || at->second.answer.ended ? nullptr : &at->second;
  }
  FetchState* find_fetch(uint64_t number) {
    const auto at = fetches.find(number);
    return at == fetches.end() ? nullptr : &at->second;
  }

  /// What the test says to a fetch: takes effect after its time.
  void reply(uint64_t number, const FetchReply& reply) {
    FetchState* fetch = find_fetch(number);
    if (!fetch) return;
    Completed completed{fetch->operation, VALOR_FAILED};
    if (reply.error.empty()) {
      valor_response_head head{};
      head.flags = VALOR_RESPONSE_HAS_LENGTH | (reply.url.empty() ? 0 : VALOR_RESPONSE_REDIRECTED);
      head.status = static_cast<uint32_t>(reply.status);
      head.body_length = reply.body.size();
      completed.status = VALOR_OK;
      completed.data = pack_head(head, {{&valor_response_head::url, reply.url.empty() ? fetch->call.url : reply.url}},
                                 reply.headers);
      completed.size = completed.data.size() * sizeof(uint64_t);
      if (!reply.body.empty()) fetch->inbound.pieces = {reply.body};
      fetch->inbound.broken = reply.breaks_off;
    } else {
      completed.data.resize((reply.error.size() + 7) / 8);
      std::memcpy(completed.data.data(), reply.error.data(), reply.error.size());
      completed.size = reply.error.size();
    }
    timers.emplace(clock + reply.milliseconds * 1000, std::move(completed));
  }

  /// Takes the next thing that is due now; nothing when there is none.
  std::optional<Completed> take_due() {
    if (ready.empty() && !timers.empty() && timers.begin()->first <= clock) {
      complete(std::move(timers.begin()->second));
      timers.erase(timers.begin());
    }
    if (ready.empty()) return std::nullopt;
    Completed due = std::move(ready.front());
    ready.pop_front();
    for (auto& [number, fetch] : fetches) forget(fetch.operation, due.operation);
    return due;
  }

 private:
  static bool forget(uint64_t& waiting, uint64_t operation) {
    if (waiting != operation) return false;
    waiting = 0;
    return true;
  }
};

/// The hosts of this program by their instances' numbers.
struct Hosts {
  std::mutex mutex;
  std::map<uint64_t, std::shared_ptr<Host>> by_number;
  uint64_t last = 0;

  static Hosts& all() {
    static Hosts hosts;
    return hosts;
  }
  std::shared_ptr<Host> find(uint64_t number) {
    const std::lock_guard lock(mutex);
    const auto at = by_number.find(number);
    return at == by_number.end() ? nullptr : at->second;
  }
};

}  // namespace valor::test::internal
