// Correlation: which request does an answer belong to? A message plug-in posts responses whenever it likes; a response
// names its request by x-correlation-id, or does not. One Correlator belongs to one instance of a plug-in, on the
// server and in the browser alike.
//
// The rules, for each response that the plug-in posts:
//  1. Named: it belongs to the open request with that id, else to none. Ids that the plug-in sees are unique among the
//     open requests and those that ended without an answer: a client's id that is already there is replaced by a fresh
//     one towards the plug-in.
//  2. Unnamed, inside a handler call: it belongs to the request in whose call it was posted. When that one has its
//     answer already, the response belongs to none.
//  3. Unnamed, outside any handler call, where the engine can tell on whose behalf the code runs (what follows from a
//     handler call through promises, timers and the like): it belongs to that request, if it waits. A bonus that not
//     every host has. When that request has its answer already, the code answers for others, or answers twice; the
//     instance loses the bonus, and rule 4 decides.
//  4. Unnamed, outside any handler call, and nothing can be told ("late"): it belongs to the only request that still
//  waits for an answer. From
//     then on the plug-in gets one request at a time. When several wait, it belongs to none (their requests end
//     with 504), and the same follows.
//
// Rules 2 and 3 take the answer that code of one request posts to be the answer to that request. A plug-in that answers
// for several from there, such as one that collects requests and answers them together, has to name them.
//
// A request that ended without an answer (its client left, its time was up) still waits here, as a *ghost*, because the
// plug-in may yet answer it: the answer must go nowhere, and a late unnamed one must not be taken for the answer to the
// next request. So while a ghost is left, a late unnamed answer settles the ghost if that is all that waits, and
// belongs to none if another request waits too. When as many late unnamed answers went astray as requests waited, all
// have been answered and the slate is clean. A plug-in that gets one request at a time is held back until the ghost is
// settled; when the ghost's time is up, the instance must be replaced, as nothing else makes its late answers safe
// (see next()).
//
// Guaranteed: no answer of a plug-in that answers each request at most once ever reaches another client. A plug-in that
// answers a request twice has its second answer dropped when it is named or posted inside a handler call. A late
// unnamed second answer is caught when no request waits; from then on late unnamed answers of that instance are refused
// altogether. What no rule can see is the first late unnamed second answer that comes while exactly one other request
// waits, and a named second answer that comes while another request runs whose client chose the very same id; once a
// named answer to nothing was seen, clients' ids are no longer shown to the instance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/hash-index.h"
#include "core/request-id.h"

namespace valor::core {

/// Why a response belongs to no request.
enum class Unmatched {
  kUnknownId,    ///< it names a request that is not there (any more)
  kEnded,        ///< its request ended before: the client left, or its time was up
  kSecond,       ///< posted in the handler call of a request that has its answer already
  kNoneWaiting,  ///< unnamed, late, and no request waits
  kAmbiguous,    ///< unnamed, late, and several requests may be meant
  kRefused,      ///< unnamed and late from an instance that has answered too often before
};

/// A sentence for the log.
std::string_view explain(Unmatched why);

/// How a request ended.
enum class Ended {
  kAnswered,    ///< with the plug-in's response, or with an error in its place because its handler threw
  kClientGone,  ///< without one; it may still come
  kTimedOut,    ///< without one; it may still come, but nobody waits for it any longer
};

/// What to do with the next request.
enum class Next {
  kGive,     ///< give it to the plug-in
  kHold,     ///< keep it until next() changes: a request that came before waits for its answer
  kReplace,  ///< no request is open, but answers may come that cannot be told apart: replace the instance first
};

/// Not thread-safe. Allocates nothing in steady state; memory is bounded by the requests open at once.
class Correlator {
 public:
  /// Names a request; chosen by the caller, never 0, never used twice.
  using Token = uint64_t;

  struct Answer {
    Token token = 0;  ///< the request that the response belongs to, or 0: none
    Unmatched why{};  ///< where token is 0
  };

  /// A request is about to be given to the plug-in. Returns the id that the plug-in sees as x-request-id: `client_id`,
  /// or a fresh one. The view is valid until the next call of begin() or end().
  std::string_view begin(Token token, std::string_view client_id, IdSource& ids);

  /// Around the call of the plug-in's handler for `token`: from its start until the listener returns. Jobs that run
  /// after it, microtasks included, are outside. Does not nest.
  void enter_handler(Token token) { handler_ = token; }
  void leave_handler() { handler_ = 0; }

  /// Whether match() would go by the handler call, so that nothing else need be known.
  bool in_handler() const { return handler_ != 0; }
  /// A response was posted; `correlation_id` is its x-correlation-id where it has one. `context` is the request on
  /// whose behalf the code runs, 0 where that cannot be told. When a token comes back, answer that request and call
  /// end(token, Ended::kAnswered) before the next match().
  Answer match(std::optional<std::string_view> correlation_id, Token context = 0);

  /// The request ended. Unknown tokens are ignored.
  void end(Token token, Ended how);
  /// The time of a request whose client had left before is up now. Unknown tokens are ignored.
  void expire(Token token);

  /// True once the plug-in has posted a late unnamed answer (rule 4, after its first request); never false again.
  bool one_at_a_time() const { return one_at_a_time_; }
  /// May change with every match(), end() and expire().
  Next next() const;

  /// The id that the client knows the request by; "" for an unknown token. Valid until the next begin() or end().
  std::string_view client_id(Token token) const;
  /// Requests that began and have not ended.
  size_t open() const { return open_; }

 private:
  enum class State : uint8_t { kFree, kWaiting, kAnsweredAstray, kGhost, kOverdueGhost };
  struct Entry {
    Token token = 0;
    State state = State::kFree;
    uint64_t id_hash = 0;
    std::string plugin_id;
    std::string client_id;  // empty where it is the same
  };
  // Ghosts remembered one by one; stops a client that opens and drops requests from filling memory. When there are
  // more, clients' ids are no longer shown to the plug-in, so that a late named answer still finds nobody.
  static constexpr size_t kMaxGhosts = 1024;

  const Entry* by_token(Token token) const;
  Entry* by_token(Token token) { return const_cast<Entry*>(std::as_const(*this).by_token(token)); }
  Entry* by_id(std::string_view id, uint64_t hash);
  uint64_t hash_id(std::string_view id) const;
  Answer match_named(std::string_view id);
  Answer match_in_handler();
  Answer match_in_context(Token context);
  Answer match_late();
  Answer settled(Entry& entry);
  void set_state(Entry& entry, State state);
  void settle();
  void remove(Entry& entry);
  size_t unsettled() const { return waiting_ + ghosts_; }

  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
  HashIndex tokens_;
  HashIndex ids_;
  uint64_t hash_seed_ = 0;
  Token handler_ = 0;
  size_t open_ = 0;
  size_t waiting_ = 0;  // entries in state kWaiting
  size_t ghosts_ = 0;   // entries in state kGhost or kOverdueGhost
  size_t overdue_ghosts_ = 0;
  Token unsettled_sum_ = 0;  // exclusive-or of the tokens counted above: the token itself when there is only one
  size_t astray_ = 0;        // late unnamed answers that matched nobody since the slate was clean
  bool begun_ = false;       // a request has been given to the plug-in
  bool one_at_a_time_ = false;
  bool refuse_late_ = false;
  bool trust_context_ = true;
  bool fresh_ids_ = false;    // never show clients' ids
  bool lost_ghosts_ = false;  // more ghosts than kMaxGhosts
};

}  // namespace valor::core
