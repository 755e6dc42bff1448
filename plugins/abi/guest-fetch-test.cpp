#include "plugins/abi/guest-fetch.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "abi/valor.h"

using namespace valor::plugins;
using namespace valor::plugins::abi;
namespace core = valor::core;

namespace {

/// Takes requests, and sends nothing.
class SilentNetwork final : public outgoing::Network {
 public:
  struct Sending final : outgoing::Sending {
    void resume_upload() override {}
    void resume_download() override {}
  };
  std::optional<outgoing::Url> parse(std::string_view, std::string_view) const override { return std::nullopt; }
  std::unique_ptr<outgoing::Sending> send(valor::client::ClientRequest, unsigned,
                                          valor::client::TransferListener&) override {
    return std::make_unique<Sending>();
  }
};

struct Fixture {
  explicit Fixture(std::string url = "http://other.test/") {
    FetchTarget target;
    target.method = "POST";
    target.has_body = true;
    target.url.href = std::move(url);
    operations.wait(1, WaitsFor::kHead, 100);
    fetch.emplace(
        shared, std::move(target),
        GuestFetch::Options{.id = 1, .request = 0, .hops = 1, .follows_redirects = true, .length = std::nullopt});
    fetch->send();
  }
  int32_t write(std::string_view data) {
    std::string what;
    const int32_t result = fetch->write(data, 7, what);
    if (result == VALOR_WAIT) (void)operations.cancel(7);
    return result;
  }

  SilentNetwork network;
  Operations operations;
  FetchShared shared{network, operations, [](const std::string&) {}};
  std::optional<GuestFetch> fetch;
};

}  // namespace

TEST_CASE("a body that is sent byte by byte takes no more memory than it has bytes, and stays in order") {
  Fixture fixture;
  std::string sent;
  for (int i = 0; i < 100'000; ++i) {
    sent += static_cast<char>('a' + i % 26);
    REQUIRE(fixture.write(sent.substr(sent.size() - 1)) == VALOR_OK);
  }
  std::string arrived;
  size_t pieces = 0;
  for (core::BodyPiece piece; (piece = fixture.fetch->read_body()).status == core::ReadStatus::kData; ++pieces) {
    arrived += piece.data;
  }
  CHECK(arrived == sent);
  CHECK(pieces == 7);
  CHECK(fixture.shared.unsent == 0);
}

TEST_CASE("what is told of a failure has a bound, however long the URL is") {
  Fixture fixture("http://other.test/" + std::string(100'000, 'a'));
  fixture.fetch->on_failed({valor::client::TransferFailure::Kind::kBroken, std::string(100'000, 'b'), "ECONNRESET"});
  const std::optional<Completion> completion = fixture.operations.take_completion();
  REQUIRE(completion);
  CHECK(completion->status == VALOR_FAILED);
  CHECK(completion->size < 1100);
  CHECK(completion->data().starts_with("cannot fetch http://other.test/aaa"));
  CHECK(completion->data().ends_with("bbb... (ECONNRESET)"));
}
