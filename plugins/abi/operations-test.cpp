#include "plugins/abi/operations.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "abi/valor.h"

using namespace valor::plugins::abi;

namespace {

/// All completions: operation and status, in their order.
std::vector<std::pair<uint64_t, int32_t>> taken(Operations& operations) {
  std::vector<std::pair<uint64_t, int32_t>> all;
  while (const std::optional<Completion> completion = operations.take_completion()) {
    all.emplace_back(completion->operation, completion->status);
  }
  return all;
}

using All = std::vector<std::pair<uint64_t, int32_t>>;

}  // namespace

TEST_CASE("a number is in use until its completion is taken or it is cancelled") {
  Operations operations;
  operations.start_timer(5, 1);
  operations.wait(7, WaitsFor::kBody, 2);
  CHECK(std::string(operations.refusal(1)) != "");
  CHECK(std::string(operations.refusal(2)) != "");
  CHECK(std::string(operations.refusal(3)).empty());
  operations.expire(5);
  CHECK(std::string(operations.refusal(1)) != "");
  CHECK(taken(operations) == All{{1, VALOR_OK}});
  CHECK(std::string(operations.refusal(1)).empty());
  CHECK(operations.cancel(2)->exchange == 7);
  CHECK_FALSE(operations.cancel(2));
  CHECK(std::string(operations.refusal(2)).empty());
}

TEST_CASE("operations have a bound") {
  Operations operations;
  for (uint64_t i = 0; i < Operations::kMost; ++i) operations.start_timer(i, i);
  CHECK(std::string(operations.refusal(Operations::kMost)).find("too many") != std::string::npos);
  CHECK(operations.cancel(77));
  CHECK(std::string(operations.refusal(Operations::kMost)).empty());
}

TEST_CASE("what waits at an exchange that ends completes with VALOR_GONE, what is forgotten never") {
  Operations operations;
  operations.wait(7, WaitsFor::kBody, 1);
  operations.wait(7, WaitsFor::kRoom, 2);
  operations.wait(8, WaitsFor::kBody, 3);
  operations.end(7);
  CHECK(taken(operations) == All{{1, VALOR_GONE}, {2, VALOR_GONE}});
  operations.wait(8, WaitsFor::kHead, 4);
  operations.complete(8, WaitsFor::kHead, VALOR_OK);
  operations.forget(8);
  CHECK(taken(operations).empty());
  CHECK(std::string(operations.refusal(4)).empty());
}

TEST_CASE("timers complete in the order in which they are due") {
  Operations operations;
  operations.start_timer(9, 1);
  operations.start_timer(3, 2);
  operations.start_timer(6, 3);
  CHECK(operations.wait_ms(0) == 3);
  operations.expire(6);
  CHECK(operations.wait_ms(6) == 0);
  CHECK(taken(operations) == All{{2, VALOR_OK}, {3, VALOR_OK}});
  CHECK(operations.wait_ms(6) == 3);
}
