#include "plugins/builtin/proxy.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "host/testing/fake-host.h"
#include "plugins/builtin/builtin-kind.h"

using namespace valor;                    // NOLINT(google-build-using-namespace)
using namespace valor::plugins::builtin;  // NOLINT(google-build-using-namespace)
using host::testing::Ending;
using host::testing::FakeCall;
using host::testing::FakeHost;

namespace {

constexpr int kDeadlineMs = 20'000;

// One connection at the upstream, used from its thread. Reading ends with "" at a deadline or when the peer closes.
class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The next request's head, blank line included.
  std::string head() {
    size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return {};
    }
    return take(end + 4);
  }
  std::string bytes(size_t count) {
    while (buffer_.size() < count) {
      if (!fill()) return {};
    }
    return take(count);
  }
  // A whole chunked body, decoded.
  std::string chunked() {
    std::string body;
    while (true) {
      size_t end;
      while ((end = buffer_.find("\r\n")) == std::string::npos) {
        if (!fill()) return "broken off";
      }
      const size_t size = std::stoul(take(end + 2), nullptr, 16);
      const std::string chunk = bytes(size + 2);
      if (size == 0) return body;
      body += chunk.substr(0, size);
    }
  }
  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      text.remove_prefix(static_cast<size_t>(count));
    }
  }
  // Whether the peer has closed within the deadline.
  bool closed() {
    while (fill()) buffer_.clear();
    return !timed_out_;
  }
  // As many bytes as the peer's buffers take; stops after a pause of 300 ms.
  size_t flood(size_t most) {
    const std::string piece(65'536, 'x');
    size_t sent = 0;
    while (sent < most) {
      pollfd poll_for{fd_, POLLOUT, 0};
      if (poll(&poll_for, 1, 300) <= 0) break;
      const ssize_t count = ::send(fd_, piece.data(), std::min(piece.size(), most - sent), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count <= 0) break;
      sent += static_cast<size_t>(count);
    }
    return sent;
  }
  void reset() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  bool fill() {
    pollfd poll_for{fd_, POLLIN, 0};
    if (poll(&poll_for, 1, kDeadlineMs) <= 0) {
      timed_out_ = true;
      return false;
    }
    char data[65'536];
    const ssize_t count = recv(fd_, data, sizeof data, 0);
    if (count <= 0) return false;
    buffer_.append(data, static_cast<size_t>(count));
    return true;
  }
  std::string take(size_t count) {
    std::string taken = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return taken;
  }
  int fd_;
  bool timed_out_ = false;
  std::string buffer_;
};

// A server on loopback that hands every connection to `serve`, one after the other.
class UpstreamServer {
 public:
  explicit UpstreamServer(std::function<void(Connection&)> serve) : serve_(std::move(serve)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener_, 16) == 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      while (true) {
        const int fd = accept(listener_, nullptr, nullptr);
        if (fd < 0) return;
        ++connections;
        Connection connection(fd);
        serve_(connection);
      }
    });
  }
  ~UpstreamServer() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::atomic<int> connections{0};

 private:
  std::function<void(Connection&)> serve_;
  int listener_;
  int port_;
  std::thread thread_;
};

core::Definition proxy_definition(std::string config) {
  core::Definition result;
  result.type = core::PluginType::kStatic;
  result.name = "proxy";
  result.builtin = "proxy";
  result.config = std::move(config);
  return result;
}

std::string upstream_config(const std::string& url, const std::string& more = "") {
  return "{\"upstream\":\"" + url + "\"" + more + "}";
}

struct Proxied {
  BuiltinKind kind{{}};
  FakeHost host;
  explicit Proxied(std::string config) : host(proxy_definition(std::move(config))) { REQUIRE(host.start(kind) == ""); }
  FakeCall& upload(std::string method, std::string url, std::deque<std::string> pieces,
                   std::optional<uint64_t> length = {}) {
    FakeCall& call = host.prepare(std::move(method), std::move(url));
    call.with_body = true;
    call.pieces = std::move(pieces);
    call.length = length;
    return call;
  }
};

bool has_line(const std::string& head, const std::string& line) {
  return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a request is forwarded below the upstream's path and its answer comes back") {
  std::string head;
  UpstreamServer upstream([&](Connection& connection) {
    head = connection.head();
    connection.send(
        "HTTP/1.1 418 Teapot\r\ncontent-length: 5\r\ncontent-type: text/tea\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n"
        "connection: x-hop\r\nx-hop: 1\r\n\r\nshort");
    connection.closed();
  });
  Proxied proxy(upstream_config(upstream.url() + "/base"));
  FakeCall& call = proxy.host.prepare("GET", "a%2Fb/c?q=%20");
  call.sent.headers.append("accept-encoding", "br");
  call.sent.headers.append("x-empty", "");
  call.sent.headers.append("te", "trailers");
  proxy.host.send(call);
  REQUIRE(proxy.host.wait_for(call));
  CHECK(call.status() == 418);
  CHECK(call.answer == "short");
  CHECK(call.answer_length == 5);
  CHECK(call.header("content-type") == "text/tea");
  CHECK(call.head.headers.count("set-cookie") == 2);
  CHECK_FALSE(call.head.headers.has("x-hop"));
  CHECK(call.header("via") == "1.1 valor");
  proxy.host.destroy();
  upstream.stop();
  CHECK(head.starts_with("GET /base/a%2Fb/c?q=%20 HTTP/1.1\r\n"));
  CHECK(has_line(head, "Host: " + upstream.url().substr(7)));
  CHECK(has_line(head, "accept-encoding: br"));
  CHECK(has_line(head, "x-forwarded-host: 127.0.0.1:8080"));
  CHECK(has_line(head, "x-forwarded-proto: http"));
  CHECK(has_line(head, "via: 1.1 valor"));
  CHECK(head.find("\r\nx-empty:") != std::string::npos);
  for (const char* absent : {"te:", "accept:", "Accept:", "xpect:", "ransfer-", "ontent-", "ser-agent:"}) {
    CAPTURE(absent);
    CHECK(head.find(absent) == std::string::npos);
  }
}

TEST_CASE("the client's host is kept when asked for") {
  std::string head;
  UpstreamServer upstream([&](Connection& connection) {
    head = connection.head();
    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    connection.closed();
  });
  {
    Proxied proxy(upstream_config(upstream.url(), ",\"preserve_host\":true"));
    CHECK(proxy.host.get("").status() == 200);
  }
  upstream.stop();
  CHECK(has_line(head, "Host: 127.0.0.1:8080"));
  CHECK(head.find("Host:") == head.rfind("Host:"));
}

TEST_CASE("connections to the upstream are used again, after bodyless answers too") {
  UpstreamServer upstream([&](Connection& connection) {
    while (true) {
      const std::string head = connection.head();
      if (head.empty()) return;
      if (head.starts_with("HEAD")) {
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
      } else if (head.find("/304") != std::string::npos) {
        connection.send("HTTP/1.1 304 Not Modified\r\netag: \"x\"\r\n\r\n");
      } else if (head.find("/204") != std::string::npos) {
        connection.send("HTTP/1.1 204 No Content\r\n\r\n");
      } else {
        connection.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-trailer: 1\r\n\r\n");
      }
    }
  });
  Proxied proxy(upstream_config(upstream.url()));
  const FakeCall& chunked = proxy.host.get("");
  CHECK(chunked.answer == "abc");
  CHECK_FALSE(chunked.answer_length);
  CHECK_FALSE(chunked.head.headers.has("transfer-encoding"));
  const FakeCall& head = proxy.host.get("", "HEAD");
  CHECK(head.status() == 200);
  CHECK(head.answer_length == 1'000'000);
  CHECK(head.answer.empty());
  CHECK(head.ending == Ending::kFinished);
  const FakeCall& unchanged = proxy.host.get("304");
  CHECK(unchanged.status() == 304);
  CHECK(unchanged.header("etag") == "\"x\"");
  CHECK(proxy.host.get("204").status() == 204);
  CHECK(proxy.host.get("").answer == "abc");
  CHECK(upstream.connections == 1);
}

TEST_CASE("a body of known length keeps it, another goes chunked, and none is said to be none") {
  std::string heads[3];
  std::string bodies[2];
  UpstreamServer upstream([&](Connection& connection) {
    heads[0] = connection.head();
    if (heads[0].empty()) return;
    bodies[0] = connection.bytes(11);
    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    heads[1] = connection.head();
    bodies[1] = connection.chunked();
    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    heads[2] = connection.head();
    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    connection.closed();
  });
  Proxied proxy(upstream_config(upstream.url()));
  FakeCall& known = proxy.upload("PUT", "x", {"hello ", "", "world"}, 11);
  proxy.host.send(known);
  REQUIRE(proxy.host.wait_for(known));
  CHECK(known.status() == 200);
  FakeCall& streamed = proxy.upload("POST", "x", {"first "});
  streamed.body_ended = false;
  proxy.host.send(streamed);
  proxy.host.body(streamed, std::string(300'000, 'b'), false);
  proxy.host.body(streamed, " last", true);
  REQUIRE(proxy.host.wait_for(streamed));
  CHECK(streamed.status() == 200);
  CHECK(proxy.host.get("x", "POST").status() == 200);
  proxy.host.destroy();
  upstream.stop();
  CHECK(has_line(heads[0], "Content-Length: 11"));
  CHECK(heads[0].find("xpect") == std::string::npos);
  CHECK(bodies[0] == "hello world");
  CHECK(has_line(heads[1], "Transfer-Encoding: chunked"));
  CHECK(bodies[1] == "first " + std::string(300'000, 'b') + " last");
  CHECK(has_line(heads[2], "content-length: 0"));
  CHECK(upstream.connections == 1);
}

TEST_CASE("an answer is read no faster than the client takes it") {
  constexpr size_t kSize = 64 * 1024 * 1024;
  std::atomic<size_t> first_wave{0};
  UpstreamServer upstream([&](Connection& connection) {
    connection.head();
    connection.send("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(kSize) + "\r\n\r\n");
    const size_t sent = connection.flood(kSize);
    first_wave = sent;
    const std::string piece(65'536, 'x');
    for (size_t left = kSize - sent; left > 0; left -= std::min(left, piece.size())) {
      connection.send(std::string_view(piece).substr(0, std::min(left, piece.size())));
    }
    connection.closed();
  });
  Proxied proxy(upstream_config(upstream.url()));
  FakeCall& call = proxy.host.prepare("GET", "");
  call.keep_answer = false;
  call.window = 100'000;
  proxy.host.send(call);
  REQUIRE(proxy.host.until([&] { return first_wave > 0; }));
  // Socket buffers hold some megabytes; the proxy must hold next to nothing.
  CHECK(first_wave < kSize / 2);
  CHECK(proxy.host.look([&] { return call.written; }) < 200'000);
  for (int i = 0; i < 100; ++i) proxy.host.allow(call, 65'536);
  proxy.host.allow(call, UINT64_MAX);
  REQUIRE(proxy.host.wait_for(call));
  CHECK(call.ending == Ending::kFinished);
  CHECK(call.written == kSize);
}

TEST_CASE("an upstream that cannot be reached is 502") {
  std::string url;
  {
    UpstreamServer upstream([](Connection&) {});
    url = upstream.url();
  }
  Proxied proxy(upstream_config(url));
  const FakeCall& call = proxy.host.get("");
  CHECK(call.status() == 502);
  CHECK(call.problem.detail.find("127.0.0.1") == std::string::npos);
  CHECK(proxy.host.log_text.find(url) != std::string::npos);
}

TEST_CASE("an upstream that breaks off or answers nonsense before its head is complete is 502") {
  const std::pair<const char*, const char*> cases[] = {
      {"close", ""},
      {"half a head", "HTTP/1.1 200 OK\r\ncontent-len"},
      {"not HTTP", "220 mail.example ESMTP\r\n"},
      {"no protocol at all", "hello"},
      {"switch", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"},
      {"length", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"},
      {"status", "HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n"},
  };
  for (const auto& [name, answer] : cases) {
    CAPTURE(name);
    UpstreamServer upstream([&, text = answer](Connection& connection) {
      connection.head();
      connection.send(text);
    });
    Proxied proxy(upstream_config(upstream.url()));
    CHECK(proxy.host.get("").status() == 502);
  }
}

TEST_CASE("an upstream that breaks off in the middle breaks the client's answer off") {
  const char* heads[] = {"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome",
                         "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsome\r\n"};
  for (const char* head : heads) {
    for (const bool reset : {false, true}) {
      UpstreamServer upstream([&](Connection& connection) {
        connection.head();
        connection.send(head);
        if (reset) connection.reset();
      });
      Proxied proxy(upstream_config(upstream.url()));
      FakeCall& call = proxy.host.get("");
      CHECK(call.ending == (call.started ? Ending::kAborted : Ending::kFailed));
      if (!reset) CHECK(call.answer == "some");
    }
  }
}

TEST_CASE("a body without a length ends with the connection") {
  UpstreamServer upstream([&](Connection& connection) {
    connection.head();
    connection.send("HTTP/1.0 200 OK\r\n\r\nall of it");
  });
  Proxied proxy(upstream_config(upstream.url()));
  const FakeCall& call = proxy.host.get("");
  CHECK(call.ending == Ending::kFinished);
  CHECK(call.answer == "all of it");
  CHECK_FALSE(call.answer_length);
}

TEST_CASE("an upstream that does not answer in time is 504") {
  UpstreamServer upstream([&](Connection& connection) {
    connection.head();
    connection.closed();
  });
  Proxied proxy(upstream_config(upstream.url(), ",\"timeout_ms\":100"));
  CHECK(proxy.host.get("").status() == 504);
  // Time that the client takes for its body does not count.
  FakeCall& slow = proxy.upload("POST", "", {"a"});
  slow.body_ended = false;
  proxy.host.send(slow);
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  CHECK(proxy.host.look([&] { return slow.ending; }) == Ending::kOpen);
  proxy.host.body(slow, "b", true);
  REQUIRE(proxy.host.wait_for(slow));
  CHECK(slow.status() == 504);
}

TEST_CASE("a client that leaves ends the request to the upstream") {
  std::atomic<int> closed{0};
  UpstreamServer upstream([&](Connection& connection) {
    const std::string head = connection.head();
    if (head.starts_with("GET /started")) connection.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx");
    closed += connection.closed() ? 1 : 0;
  });
  Proxied proxy(upstream_config(upstream.url()));
  FakeCall& waiting = proxy.host.prepare("GET", "");
  proxy.host.send(waiting);
  REQUIRE(proxy.host.until([&] { return upstream.connections == 1; }));
  proxy.host.drop(waiting);
  REQUIRE(proxy.host.until([&] { return closed == 1; }));
  FakeCall& started = proxy.host.prepare("GET", "started");
  proxy.host.send(started);
  REQUIRE(proxy.host.until([&] { return started.written == 1; }));
  proxy.host.drop(started);
  CHECK(proxy.host.until([&] { return closed == 2; }));
}

TEST_CASE("a client whose body breaks off leaves no half request behind") {
  std::atomic<bool> closed{false};
  UpstreamServer upstream([&](Connection& connection) {
    connection.head();
    closed = connection.closed();
  });
  Proxied proxy(upstream_config(upstream.url()));
  FakeCall& call = proxy.upload("POST", "", {"part"}, 100);
  call.body_ended = false;
  proxy.host.send(call);
  REQUIRE(proxy.host.until([&] { return upstream.connections == 1; }));
  proxy.host.break_body(call);
  REQUIRE(proxy.host.wait_for(call));
  CHECK(call.status() == 400);
  CHECK(proxy.host.until([&] { return closed.load(); }));
}

TEST_CASE("an upstream may answer before it has the whole body") {
  for (const char* answer :
       {"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbig",
        "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"}) {
    CAPTURE(answer);
    UpstreamServer upstream([&](Connection& connection) {
      connection.head();
      connection.send(answer);
      connection.closed();
    });
    Proxied proxy(upstream_config(upstream.url()));
    FakeCall& call = proxy.upload("POST", "", {"part"}, 100);
    call.body_ended = false;
    proxy.host.send(call);
    REQUIRE(proxy.host.wait_for(call));
    CHECK((call.ending == Ending::kFinished || call.ending == Ending::kResponded));
    CHECK(call.status() == std::stoi(std::string(answer).substr(9, 3)));
    CHECK(call.answer == (std::string_view(answer).ends_with("big") ? "big" : ""));
  }
}

TEST_CASE("bodies may flow both ways at once") {
  UpstreamServer upstream([&](Connection& connection) {
    connection.head();
    connection.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    connection.send("4\r\n" + connection.bytes(4) + "\r\n");
    connection.send("4\r\n" + connection.bytes(4) + "\r\n0\r\n\r\n");
    connection.closed();
  });
  Proxied proxy(upstream_config(upstream.url()));
  FakeCall& call = proxy.upload("POST", "", {"ping"}, 8);
  call.body_ended = false;
  proxy.host.send(call);
  REQUIRE(proxy.host.until([&] { return call.answer == "ping"; }));
  proxy.host.body(call, "pong", true);
  REQUIRE(proxy.host.wait_for(call));
  CHECK(call.ending == Ending::kFinished);
  CHECK(call.answer == "pingpong");
}

TEST_CASE("paths that cannot be forwarded, loops and tunnels are refused") {
  UpstreamServer upstream([](Connection& connection) { connection.closed(); });
  Proxied proxy(upstream_config(upstream.url() + "/base"));
  CHECK(proxy.host.get("%2e%2e/admin").status() == 400);
  CHECK(proxy.host.get("", "CONNECT").status() == 501);
  FakeCall& loop = proxy.host.prepare("GET", "");
  std::string via = "1.1 valor";
  for (int i = 0; i < 10; ++i) via += ", 1.1 valor";
  loop.sent.headers.append("via", via);
  proxy.host.send(loop);
  CHECK(loop.status() == 508);
  CHECK(upstream.connections == 0);
}

TEST_CASE("a configuration that cannot work names the field") {
  BuiltinKind kind({});
  const auto error = [&](const char* config) { return FakeHost(proxy_definition(config)).start(kind); };
  CHECK(error("null").starts_with("config.upstream: is missing"));
  CHECK(error("\"http://127.0.0.1\"").starts_with("config: expected an object"));
  CHECK(error(R"({"upstream":1})").starts_with("config.upstream: expected a string"));
  CHECK(error(R"({"upstream":"ftp://x"})").starts_with("config.upstream: "));
  CHECK(error(R"({"upstream":"http://x","timeout_ms":0})").starts_with("config.timeout_ms: "));
  CHECK(error(R"({"upstream":"http://x","preserve_host":"yes"})").starts_with("config.preserve_host: "));
  CHECK(error(R"({"upstream":"http://x","upsteram":"y"})").starts_with("config.upsteram: unknown; known are "));
}
