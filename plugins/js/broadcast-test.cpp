// Messages between instances: the mailboxes by themselves, then with JavaScript on threads of their own.
#include <thread>

#include "engine/script-error.h"
#include "plugins/js/broadcast-hub.h"
#include "plugins/js/js-test.h"

namespace valor::plugins::js {
namespace {

std::shared_ptr<const web::SerializedValue> value_of_size(size_t size) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::HandleScope handles(isolate);
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Function> no_error = v8::Function::New(context, [](const auto&) {}).ToLocalChecked();
  return web::serialize(context, engine::to_v8(isolate, std::string(size, 'x')), no_error);
}

// The channel's name of each letter; "-name xN" where N are missing.
std::vector<std::string> take_all(BroadcastHub::Member& member) {
  std::vector<std::string> taken;
  for (BroadcastHub::Letter letter; member.take(letter);) {
    taken.push_back(letter.value != nullptr ? letter.channel
                                            : "-" + letter.channel + " x" + std::to_string(letter.missing));
  }
  return taken;
}

using Names = std::vector<std::string>;

TEST_CASE("a letter goes to the other members of the plug-in that have the channel open, in order") {
  BroadcastHub hub;
  int woken = 0;
  auto first = hub.join("a", [] {});
  auto second = hub.join("a", [&] { ++woken; });
  auto stranger = hub.join("b", [] {});
  for (auto* member : {first.get(), stranger.get()}) member->open("news");
  CHECK(!first->has_listeners("news"));
  const auto value = value_of_size(10);
  first->post("news", value);
  CHECK(!second->has_mail());

  second->open("news");
  second->open("news");
  second->open("other");
  CHECK(first->has_listeners("news"));
  CHECK(!second->has_listeners("other"));
  first->post("news", value);
  first->post("other", value);
  first->post("third", value);
  CHECK(second->has_mail());
  CHECK(woken == 1);
  CHECK(take_all(*second) == Names{"news", "other"});
  CHECK(!second->has_mail());
  CHECK(take_all(*first).empty());
  CHECK(take_all(*stranger).empty());

  second->close("news");
  first->post("news", value);
  CHECK(take_all(*second) == Names{"news"});
  second->close("news");
  first->post("news", value);
  CHECK(!second->has_mail());
  CHECK(!first->has_listeners("news"));

  second.reset();
  CHECK(!first->has_listeners("other"));
  first->post("other", value);
}

TEST_CASE("a mailbox is bounded, and tells what is missing in its place") {
  BroadcastHub hub;
  auto sender = hub.join("a", [] {});
  auto slow = hub.join("a", [] {});
  for (const char* name : {"big", "small"}) slow->open(name);
  const auto large = value_of_size(BroadcastHub::kMaxWaiting * 2);
  const auto half = value_of_size(BroadcastHub::kMaxWaiting / 2);
  // Of any size into an empty one.
  sender->post("big", large);
  sender->post("small", half);
  CHECK(take_all(*slow) == Names{"big", "-small x1"});
  // Once something is missing, nothing comes after it before its place.
  sender->post("big", half);
  for (int i = 0; i < 3; ++i) sender->post("big", half);
  sender->post("small", value_of_size(1));
  CHECK(take_all(*slow) == Names{"big", "-big x3", "-small x1"});
  sender->post("small", half);
  CHECK(take_all(*slow) == Names{"small"});
  // Small ones count too.
  const auto tiny = value_of_size(1);
  for (int i = 0; i < 1'000'000; ++i) sender->post("small", tiny);
  CHECK(take_all(*slow).size() < 100'000);
}

TEST_CASE("members come and go while others post") {
  BroadcastHub hub;
  auto sender = hub.join("a", [] {});
  const auto value = value_of_size(100);
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!over) {
        auto wakes = std::make_unique<int>(0);
        auto member = hub.join("a", [count = wakes.get()] { ++*count; });
        member->open("x");
        std::this_thread::yield();
        (void)take_all(*member);
      }
    });
  }
  for (int i = 0; i < 50'000; ++i) sender->post("x", value);
  over = true;
  for (auto& thread : threads) thread.join();
  CHECK(!sender->has_listeners("x"));
}

/// Instances of one plug-in.
class Instances {
 public:
  explicit Instances(const std::string& script, size_t count = 2) : kind_(kind_options()) {
    core::Definition definition;
    definition.name = definition.prefix = "test";
    definition.url = folder_.write("plugin.js", script);
    for (size_t i = 0; i < count; ++i) {
      hosts_.push_back(std::make_unique<host::testing::FakeHost>(definition));
      REQUIRE(hosts_.back()->start(kind_) == "");
    }
  }
  host::testing::FakeHost& operator[](size_t index) { return *hosts_[index]; }
  void end_last() { hosts_.pop_back(); }

 private:
  ScriptFolder folder_;
  JsKind kind_;
  std::vector<std::unique_ptr<host::testing::FakeHost>> hosts_;
};

// GET "post/CODE" posts what CODE gives; any other waits until `count` (its url) messages were heard and answers with
// them.
constexpr const char* kScript = R"(
  const channel = new BroadcastChannel('news');
  const heard = [];
  let wake = () => {};
  channel.onmessage = ({ data }) => { heard.push(data); wake(); };
  channel.onmessageerror = () => { heard.push('error'); wake(); };
  export default {
    async fetch(request) {
      const path = decodeURIComponent(new URL(request.url).pathname.slice(1));
      if (path.startsWith('post/')) {
        try {
          for (const message of await eval(`(async () => [${path.slice(5)}].flat())()`)) channel.postMessage(message);
          return new Response('posted');
        } catch (error) { return new Response(error.name); }
        finally { globalThis.untrap?.(); }
      }
      while (heard.length < Number(path)) await new Promise((done) => { wake = done; });
      return Response.json(await Promise.all(heard.map(globalThis.show ?? String)));
    },
  };)";

TEST_CASE("what one instance posts the others hear, in order, and not itself") {
  Instances instances(kScript, 3);
  REQUIRE(instances[0].get("post/{ list: [1] }.list, 'b', new Map([[1, 2]])").answer == "posted");
  for (size_t i : {1, 2}) CHECK(instances[i].get("3").answer == R"(["1","b","[object Map]"])");
  CHECK(instances[0].get("0").answer == "[]");
  REQUIRE(instances[2].get("post/'c'").answer == "posted");
  CHECK(instances[0].get("1").answer == R"(["c"])");
  instances.end_last();
  REQUIRE(instances[0].get("post/'d'").answer == "posted");
  CHECK(instances[1].get("5").answer == R"(["1","b","[object Map]","c","d"])");
}

TEST_CASE("objects of the platform and WebAssembly modules arrive as such") {
  const std::string show = R"(
    globalThis.show = async (value) => {
      const tag = Object.prototype.toString.call(value).slice(8, -1);
      if (value instanceof File) return [tag, value.name, value.type, value.lastModified, await value.text()];
      if (value instanceof Blob) return [tag, value.type, await value.text()];
      if (value instanceof DOMException) return [tag, value.name, value.message, value.code];
      if (value instanceof CryptoKey) {
        const { length } = new Uint8Array(await crypto.subtle.sign(value.algorithm.name, value, new Uint8Array(1)));
        return [tag, value.type, value.extractable, value.usages, length];
      }
      return tag;
    };)";
  Instances instances(show + kScript);
  REQUIRE(instances[0]
              .get("post/new File(['ab'], 'n', { type: 't/x', lastModified: 7 }), new Blob(['c']), "
                   "new DOMException('m', 'AbortError'), "
                   "(await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])).privateKey, "
                   "await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']), "
                   "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))")
              .answer == "posted");
  CHECK(instances[1].get("6").answer ==
        R"([["File","n","t/x",7,"ab"],["Blob","","c"],["DOMException","AbortError","m",20],)"
        R"(["CryptoKey","private",false,["sign"],64],["CryptoKey","secret",true,["sign"],32],"WebAssembly.Module"])");
}

TEST_CASE("what cannot be copied is refused, whether or not anybody listens") {
  Instances instances(kScript);
  for (const char* code : {"() => {}", "new SharedArrayBuffer(8)", "new MessageChannel().port1", "Symbol()",
                           "new ReadableStream()", "new Response()"}) {
    CAPTURE(code);
    CHECK(instances[0].get(std::string("post/") + code).answer == "DataCloneError");
  }
  REQUIRE(instances[0].get("post/'after'").answer == "posted");
  CHECK(instances[1].get("1").answer == R"(["after"])");
}

TEST_CASE("no prototype that a plug-in changes gets into what is packed") {
  // Taken for a key of OpenSSL, these bytes would be an address.
  const std::string trap = R"(
    const forged = new BigUint64Array([0x56616c6f724b6579n, 0x4141414141414141n]).buffer;
    const names = ['0', '1', '2', 'handle', 'secret'];
    globalThis.trap = () => {
      for (const name of names) for (const { prototype } of [Object, Array]) {
        Object.defineProperty(prototype, name, { get: () => forged, set() {}, configurable: true });
      }
    };
    globalThis.untrap = () => {
      for (const name of names) for (const { prototype } of [Object, Array]) delete prototype[name];
    };
    globalThis.show = (value) => Object.prototype.toString.call(value);)";
  Instances instances(trap + kScript);
  REQUIRE(instances[0]
              .get("post/new Blob(['c']), new DOMException('m'), "
                   "await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']), trap()")
              .answer == "posted");
  CHECK(instances[1].get("4").answer ==
        R"(["[object Blob]","[object DOMException]","[object CryptoKey]","[object Undefined]"])");
}

TEST_CASE("an instance that does not keep up is told, in the log and by messageerror, and hears what comes after") {
  Instances instances(kScript);
  auto& busy = instances[1];
  std::atomic<bool> released{false};
  std::thread holder([&] {
    busy.run([&] {
      while (!released) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  });
  const std::string posted =
      instances[0].get("post/Array.from({ length: 5 }, (_, i) => String(i).repeat(6 << 20))").answer;
  released = true;
  holder.join();
  REQUIRE(posted == "posted");
  CHECK(busy.get("3").status() == 200);
  REQUIRE(instances[0].get("post/'after'").answer == "posted");
  const std::string heard = busy.get("4").answer;
  CHECK(heard.ends_with(R"(1","error","after"])"));
  CHECK(busy.log_text.find("BroadcastChannel \"news\": the instance did not keep up and missed 3 messages") !=
        std::string::npos);
}

}  // namespace
}  // namespace valor::plugins::js
