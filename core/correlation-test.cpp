#include "core/correlation.h"

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <set>

using namespace valor::core;

namespace {

constexpr std::nullopt_t kUnnamed = std::nullopt;

// A correlator and the id that the plug-in sees for each request.
struct Instance {
  Correlator correlator;
  IdSource ids{{1, 2, 3, 4}};

  std::string begin(Correlator::Token token, std::string_view client_id = "") {
    return std::string(correlator.begin(token, client_id, ids));
  }
  Correlator::Answer in_handler(Correlator::Token token, std::optional<std::string_view> id = kUnnamed) {
    correlator.enter_handler(token);
    Correlator::Answer answer = correlator.match(id);
    correlator.leave_handler();
    return take(answer);
  }
  Correlator::Answer late(std::optional<std::string_view> id = kUnnamed) { return take(correlator.match(id)); }
  Correlator::Answer in_context(Correlator::Token token) { return take(correlator.match(kUnnamed, token)); }
  Correlator::Answer take(Correlator::Answer answer) {
    if (answer.token != 0) correlator.end(answer.token, Ended::kAnswered);
    return answer;
  }
};

void check_unmatched(Correlator::Answer answer, Unmatched why) {
  CHECK(answer.token == 0);
  CHECK(answer.why == why);
  CHECK_FALSE(explain(answer.why).empty());
}

}  // namespace

TEST_CASE("the plug-in sees the client's id, and a response that names it is matched") {
  Instance instance;
  CHECK(instance.begin(7, "123abc") == "123abc");
  CHECK(instance.correlator.client_id(7) == "123abc");
  CHECK(instance.late("123abc").token == 7);
  CHECK(instance.correlator.open() == 0);
  CHECK_FALSE(instance.correlator.one_at_a_time());
}

TEST_CASE("requests may be answered in any order when they are named") {
  Instance instance;
  for (Correlator::Token token = 1; token <= 100; ++token) instance.begin(token, "id" + std::to_string(token));
  for (Correlator::Token token = 100; token >= 1; --token)
    CHECK(instance.late("id" + std::to_string(token)).token == token);
  CHECK_FALSE(instance.correlator.one_at_a_time());
}

TEST_CASE("an id that is open already is replaced towards the plug-in and mapped back") {
  Instance instance;
  CHECK(instance.begin(1, "same") == "same");
  std::string second = instance.begin(2, "same");
  std::string third = instance.begin(3, "same");
  CHECK(second != "same");
  CHECK(third != second);
  CHECK(second.size() == IdSource::kIdSize);
  CHECK(instance.correlator.client_id(2) == "same");
  CHECK(instance.late(third).token == 3);
  CHECK(instance.late("same").token == 1);
  CHECK(instance.begin(4, "same") == "same");
  CHECK(instance.late(second).token == 2);
}

TEST_CASE("a client that chooses the fresh id of another request gets a fresh one too") {
  Instance instance;
  instance.begin(1, "same");
  std::string fresh = instance.begin(2, "same");
  CHECK(instance.begin(3, fresh) != fresh);
  CHECK(instance.late(fresh).token == 2);
}

TEST_CASE("an empty id is never shown to the plug-in") {
  Instance instance;
  CHECK(instance.begin(1, "").size() == IdSource::kIdSize);
}

TEST_CASE("an unnamed response belongs to the request in whose handler call it was posted") {
  Instance instance;
  instance.begin(1, "a");
  instance.begin(2, "b");
  CHECK(instance.in_handler(2).token == 2);
  CHECK(instance.in_handler(1).token == 1);
  CHECK_FALSE(instance.correlator.one_at_a_time());
}

TEST_CASE("a named response inside a handler call belongs to the one it names") {
  Instance instance;
  instance.begin(1, "a");
  instance.begin(2, "b");
  CHECK(instance.in_handler(2, "a").token == 1);
  CHECK(instance.in_handler(2).token == 2);
}

TEST_CASE("a second response inside a handler call belongs to none, even where another request waits") {
  Instance instance;
  instance.begin(1, "a");
  instance.begin(2, "b");
  CHECK(instance.in_handler(2).token == 2);
  check_unmatched(instance.in_handler(2), Unmatched::kSecond);
  CHECK(instance.correlator.open() == 1);
  CHECK_FALSE(instance.correlator.one_at_a_time());
}

TEST_CASE("a second named response belongs to none") {
  Instance instance;
  instance.begin(1, "a");
  CHECK(instance.late("a").token == 1);
  instance.begin(2, "b");
  check_unmatched(instance.late("a"), Unmatched::kUnknownId);
  CHECK(instance.correlator.open() == 1);
}

TEST_CASE("after a named response to nothing, clients' ids are not shown any more") {
  Instance instance;
  instance.begin(1, "a");
  CHECK(instance.late("a").token == 1);
  check_unmatched(instance.late("a"), Unmatched::kUnknownId);
  CHECK(instance.begin(2, "a") != "a");
  check_unmatched(instance.late("a"), Unmatched::kUnknownId);
  CHECK(instance.correlator.client_id(2) == "a");
}

TEST_CASE("a late unnamed response belongs to the only open request; from then on there is one at a time") {
  Instance instance;
  CHECK(instance.correlator.next() == Next::kGive);
  instance.begin(1, "a");
  CHECK(instance.correlator.next() == Next::kGive);
  CHECK(instance.late().token == 1);
  CHECK(instance.correlator.one_at_a_time());
  CHECK(instance.correlator.next() == Next::kGive);
  instance.begin(2, "b");
  CHECK(instance.correlator.next() == Next::kHold);
  CHECK(instance.late().token == 2);
  CHECK(instance.correlator.next() == Next::kGive);
}

TEST_CASE("a late unnamed response belongs to none when several requests wait") {
  Instance instance;
  instance.begin(1, "a");
  instance.begin(2, "b");
  check_unmatched(instance.late(), Unmatched::kAmbiguous);
  CHECK(instance.correlator.one_at_a_time());
  CHECK(instance.correlator.open() == 2);
  // They can still be answered by name.
  CHECK(instance.late("b").token == 2);
}

TEST_CASE("after an ambiguous response the one left is not taken for unanswered") {
  Instance instance;
  instance.begin(1, "a");
  instance.begin(2, "b");
  check_unmatched(instance.late(), Unmatched::kAmbiguous);  // the answer to 1
  instance.correlator.end(1, Ended::kTimedOut);
  check_unmatched(instance.late(), Unmatched::kAmbiguous);  // the answer to 2: as many answers as requests
  instance.correlator.end(2, Ended::kTimedOut);
  CHECK(instance.correlator.next() == Next::kGive);
  instance.begin(3, "c");
  CHECK(instance.late().token == 3);
}

TEST_CASE("a named answer among ambiguous ones settles who has been answered") {
  Instance instance;
  instance.begin(1, "a");
  instance.begin(2, "b");
  check_unmatched(instance.late(), Unmatched::kAmbiguous);  // must be the answer to 1 ...
  CHECK(instance.late("b").token == 2);                     // ... as this one is to 2
  instance.correlator.end(1, Ended::kTimedOut);
  CHECK(instance.correlator.next() == Next::kGive);
  instance.begin(3, "c");
  CHECK(instance.late().token == 3);
}

TEST_CASE("the late answer to a request whose client left goes to nobody") {
  Instance instance;
  instance.begin(1, "a");
  instance.correlator.end(1, Ended::kClientGone);
  SUBCASE("named") {
    check_unmatched(instance.late("a"), Unmatched::kEnded);
  }
  SUBCASE("unnamed") {
    check_unmatched(instance.late(), Unmatched::kEnded);
  }
  SUBCASE("in its handler call") {
    check_unmatched(instance.in_handler(1), Unmatched::kEnded);
  }
  SUBCASE("unnamed, while another request waits") {
    instance.begin(2, "b");
    check_unmatched(instance.late(), Unmatched::kAmbiguous);
    return;
  }
  instance.begin(2, "b");
  CHECK(instance.late().token == 2);
}

TEST_CASE("the id of a request that ended unanswered is not given to another request") {
  Instance instance;
  instance.begin(1, "a");
  instance.correlator.end(1, Ended::kTimedOut);
  CHECK(instance.begin(2, "a") != "a");
  check_unmatched(instance.late("a"), Unmatched::kEnded);
  CHECK(instance.begin(3, "a") == "a");
  CHECK(instance.correlator.client_id(2) == "a");
}

TEST_CASE("one at a time holds requests back until the answer to one that ended has come") {
  Instance instance;
  instance.begin(1, "a");
  CHECK(instance.late().token == 1);
  instance.begin(2, "b");
  instance.correlator.end(2, Ended::kClientGone);
  CHECK(instance.correlator.next() == Next::kHold);
  SUBCASE("it comes") {
    check_unmatched(instance.late(), Unmatched::kEnded);
    CHECK(instance.correlator.next() == Next::kGive);
  }
  SUBCASE("its time is up") {
    instance.correlator.expire(2);
    CHECK(instance.correlator.next() == Next::kReplace);
  }
}

TEST_CASE("one at a time and a request that timed out call for another instance") {
  Instance instance;
  instance.begin(1, "a");
  CHECK(instance.late().token == 1);
  instance.begin(2, "b");
  instance.correlator.end(2, Ended::kTimedOut);
  CHECK(instance.correlator.next() == Next::kReplace);
}

TEST_CASE("late unnamed responses of an instance that answers too often are refused") {
  Instance instance;
  instance.begin(1, "a");
  CHECK(instance.late().token == 1);
  check_unmatched(instance.late(), Unmatched::kNoneWaiting);
  instance.begin(2, "b");
  check_unmatched(instance.late(), Unmatched::kRefused);
  CHECK(instance.in_handler(2).token == 2);
  instance.begin(3, "c");
  CHECK(instance.late("c").token == 3);
}

TEST_CASE("what a script posts before its first request does no harm") {
  Instance instance;
  check_unmatched(instance.late(), Unmatched::kNoneWaiting);
  check_unmatched(instance.late("x"), Unmatched::kUnknownId);
  CHECK_FALSE(instance.correlator.one_at_a_time());
  CHECK(instance.begin(1, "x") == "x");
  CHECK(instance.late().token == 1);
}

TEST_CASE("a handler that threw has answered") {
  Instance instance;
  instance.begin(1, "a");
  instance.correlator.end(1, Ended::kAnswered);
  instance.begin(2, "b");
  CHECK(instance.late().token == 2);
}

TEST_CASE("unknown tokens and repeated ends are ignored") {
  Instance instance;
  instance.correlator.end(5, Ended::kTimedOut);
  instance.correlator.expire(5);
  CHECK(instance.correlator.client_id(5).empty());
  instance.begin(1, "a");
  instance.correlator.end(1, Ended::kClientGone);
  instance.correlator.end(1, Ended::kClientGone);
  instance.correlator.expire(1);
  instance.correlator.expire(1);
  CHECK(instance.correlator.open() == 0);
  check_unmatched(instance.late(), Unmatched::kEnded);
  CHECK(instance.correlator.next() == Next::kGive);
}

TEST_CASE("requests that are opened and dropped without end do not fill memory, and their answers stay harmless") {
  Instance instance;
  Correlator::Token token = 0;
  for (int count = 0; count < 50'000; ++count) {
    instance.begin(++token, "a" + std::to_string(count));
    instance.correlator.end(token, Ended::kClientGone);
  }
  std::string shown = instance.begin(++token, "a49999");
  CHECK(shown != "a49999");
  CHECK(instance.late("a49999").token == 0);
  check_unmatched(instance.late(), Unmatched::kAmbiguous);
  CHECK(instance.late(shown).token == token);
  CHECK(instance.correlator.next() == Next::kReplace);
}

TEST_CASE("no answer of a plug-in that answers at most once reaches another request") {
  // A plug-in that does anything else it likes: names or does not, answers at once, late or never, in any order, while
  // clients leave, time out and choose the same few ids.
  uint64_t state = 42;
  auto random = [&](uint64_t below) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % below;
  };
  for (int round = 0; round < 300; ++round) {
    Instance instance;
    bool obey = random(2) == 0;
    uint64_t naming = random(4);
    struct Pending {
      Correlator::Token token;
      std::string id;
    };
    std::deque<Pending> pending;       // not answered by the plug-in
    std::set<Correlator::Token> open;  // not ended for the client
    Correlator::Token last = 0;
    auto check = [&](const Pending& of, Correlator::Answer answer) {
      if (answer.token == 0) return;
      REQUIRE(answer.token == of.token);
      REQUIRE(open.erase(of.token) == 1);
    };
    for (int step = 0; step < 300; ++step) {
      switch (random(5)) {
        case 0:
        case 1: {
          if (obey && instance.correlator.next() != Next::kGive) break;
          Pending added{++last, instance.begin(last + 0, std::to_string(random(4)))};
          for (const Pending& other : pending) REQUIRE(other.id != added.id);
          open.insert(added.token);
          if (random(3) == 0) {
            check(added, instance.in_handler(added.token));
          } else {
            pending.push_back(added);
          }
          break;
        }
        case 2:
        case 3: {
          if (pending.empty()) break;
          size_t index = random(pending.size());
          Pending answered = pending[index];
          pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(index));
          bool named = random(4) < naming;
          check(answered, named ? instance.late(answered.id) : instance.late());
          break;
        }
        default:
          if (open.empty() || random(3) != 0) break;
          Correlator::Token dropped = *std::next(open.begin(), static_cast<std::ptrdiff_t>(random(open.size())));
          open.erase(dropped);
          instance.correlator.end(dropped, random(2) == 0 ? Ended::kClientGone : Ended::kTimedOut);
          if (random(2) == 0) instance.correlator.expire(dropped);
      }
      REQUIRE(instance.correlator.open() == open.size());
    }
  }
}

TEST_CASE("an obedient plug-in that answers late and unnamed, but always, gets every answer through once it is known") {
  Instance instance;
  instance.begin(1, "a");
  CHECK(instance.late().token == 1);
  for (Correlator::Token token = 2; token < 1000; ++token) {
    REQUIRE(instance.correlator.next() == Next::kGive);
    instance.begin(token, "same");
    bool left = token % 3 == 0;
    if (left) instance.correlator.end(token, Ended::kClientGone);
    REQUIRE(instance.late().token == (left ? 0 : token));
  }
}

TEST_CASE("where it can be told on whose behalf code runs, answers need no name and come in any order") {
  Instance instance;
  for (Correlator::Token token = 1; token <= 100; ++token) instance.begin(token);
  for (Correlator::Token token = 100; token >= 1; --token) CHECK(instance.in_context(token).token == token);
  CHECK_FALSE(instance.correlator.one_at_a_time());
  CHECK(instance.correlator.next() == Next::kGive);
}

TEST_CASE("a handler call and a name say more than on whose behalf code runs") {
  Instance instance;
  instance.begin(1);
  std::string second = instance.begin(2);
  CHECK(instance.take(instance.correlator.match(second, 1)).token == 2);
  instance.begin(3);
  instance.correlator.enter_handler(3);
  CHECK(instance.correlator.in_handler());
  CHECK(instance.in_context(1).token == 3);
  instance.correlator.leave_handler();
  CHECK(instance.in_context(1).token == 1);
}

TEST_CASE("code of a request whose client left settles that request and no other") {
  Instance instance;
  instance.begin(1);
  instance.begin(2);
  instance.correlator.end(1, Ended::kClientGone);
  check_unmatched(instance.in_context(1), Unmatched::kEnded);
  CHECK(instance.in_context(2).token == 2);
  CHECK_FALSE(instance.correlator.one_at_a_time());
}

TEST_CASE("code of a request that has its answer answers others: from then on it is not believed") {
  Instance instance;
  instance.begin(1);
  CHECK(instance.in_context(1).token == 1);
  // A loop that the first request started, and that takes up each that comes.
  instance.begin(2);
  CHECK(instance.in_context(1).token == 2);
  CHECK(instance.correlator.one_at_a_time());
  instance.begin(3);
  CHECK(instance.correlator.next() == Next::kHold);
  CHECK(instance.in_context(1).token == 3);
  // What was believed before is not any more: several wait.
  instance.begin(4);
  instance.begin(5);
  check_unmatched(instance.in_context(4), Unmatched::kAmbiguous);
}
