#include "plugins/js/js-test.h"

namespace valor::plugins::js {
namespace {

using host::testing::Ending;

constexpr const char* kHello = R"(
onmessage = (event) => {
  postMessage({ status: 200, headers: [['content-type', 'text/plain']], body: 'hello ' + event.data.url });
};
)";

TEST_CASE("a message plug-in answers with what it posts") {
  Plugin plugin(kHello);
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().get("world?x=1");
  CHECK(call.ending == Ending::kResponded);
  CHECK(call.status() == 200);
  CHECK(call.header("content-type") == "text/plain");
  CHECK(call.answer == "hello world?x=1");
}

TEST_CASE("the event's data is exactly url, method, headers and body") {
  Plugin plugin(R"(
    addEventListener('message', (event) => {
      const { data } = event;
      const kinds = [event instanceof MessageEvent, event.isTrusted, event.type, Object.getPrototypeOf(data) === Object.prototype];
      postMessage({ body: JSON.stringify([Object.keys(data), data.headers, data.method, data.url,
        data.body instanceof ArrayBuffer ? String.fromCharCode(...new Uint8Array(data.body)) : data.body, kinds]) });
    });
  )");
  REQUIRE(plugin.start() == "");
  auto& call = plugin.host().prepare("POST", "a/b?q");
  call.sent.headers.append("x-request-id", "id-1");
  call.sent.headers.append("x-twice", "1");
  call.sent.headers.append("x-twice", "2");
  call.with_body = true;
  call.pieces = {"ab", "cd"};
  plugin.host().send(call);
  REQUIRE(plugin.host().wait_for(call));
  CHECK(
      call.answer ==
      R"([["url","method","headers","body"],[["x-request-id","id-1"],["x-twice","1"],["x-twice","2"]],"POST","a/b?q",)"
      R"("abcd",[true,true,"message",true]])");
  CHECK(plugin.host().get("").answer.find(R"("GET","",null)") != std::string::npos);
}

}  // namespace
}  // namespace valor::plugins::js
