// A guest that lies, as the host's side of the plug-in ABI meets it: calls in any order and from within one another's
// guest functions, with numbers that are unknown, ended or in use and header blocks that are none, while requests,
// bodies, responses to fetches, failures and drops arrive at any moment. Whatever it does, an operation completes once
// at most and never after it was cancelled, a request ends once, nothing is called of an instance that is over, and
// what is handed to the guest is whole.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/abi/abi-guest.h"

namespace core = valor::core;
namespace host = valor::host;
namespace outgoing = valor::plugins::outgoing;
using valor::plugins::abi::AbiGuest;
using valor::plugins::abi::GuestFetch;

namespace {

void expect(bool holds) {
  if (!holds) abort();
}

/// The input: what is to happen. Zeroes when it is used up.
class Script {
 public:
  Script(const uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}
  bool over() const { return at_ >= size_; }
  uint8_t next() { return over() ? 0 : bytes_[at_++]; }
  uint8_t below(uint8_t count) { return static_cast<uint8_t>(next() % count); }
  std::string text(size_t most) {
    std::string text(std::min<size_t>(next() % (most + 1), size_ - std::min(at_, size_)), '\0');
    if (!text.empty()) std::memcpy(text.data(), bytes_ + at_, text.size());
    at_ += text.size();
    return text;
  }

 private:
  const uint8_t* bytes_;
  size_t size_;
  size_t at_ = 0;
};

class Context;

/// A request. It is destroyed when it ends, so that whoever uses it afterwards is caught.
class Call final : public host::Call {
 public:
  Call(Context& context, uint64_t id) : context_(context), id_(id) {
    sent.method = "POST";
    sent.url = "a?b=c";
    sent.id = "id";
    sent.headers.append("x-a", "b");
  }
  core::Request sent;
  std::string arrived;  // of its body
  bool body_ended = false;
  bool body_failed = false;
  bool reader_waits = false;
  bool writer_waits = false;
  bool slow = false;

  host::CallId id() const override { return id_; }
  const core::Request& request() const override { return sent; }
  bool has_body() const override { return true; }
  std::optional<uint64_t> content_length() const override { return std::nullopt; }
  core::BodyPiece read_body() override {
    if (body_failed) return {core::ReadStatus::kFailed, {}};
    if (!arrived.empty()) {
      lent_ = std::move(arrived);
      arrived.clear();
      return {core::ReadStatus::kData, lent_};
    }
    reader_waits = !body_ended;
    return {body_ended ? core::ReadStatus::kEnd : core::ReadStatus::kWait, {}};
  }
  void respond(const core::ResponseHead& head, std::string_view body) override {
    start_response(head, body.size());
    end();
  }
  void start_response(const core::ResponseHead& head, std::optional<uint64_t>) override {
    expect(!started_ && head.status >= 200 && head.status <= 599);
    for (const core::HeaderList::Header header : head.headers) {
      expect(core::is_header_name(header.name) && core::is_header_value(header.value));
    }
    started_ = true;
  }
  bool response_started() const override { return started_; }
  core::WriteStatus write(std::string_view) override {
    expect(started_);
    writer_waits = slow;
    return slow ? core::WriteStatus::kWait : core::WriteStatus::kReady;
  }
  void finish() override {
    expect(started_);
    end();
  }
  void abort() override { end(); }
  void fail(core::Problem) override { end(); }

 private:
  void end();
  Context& context_;
  const uint64_t id_;
  std::string lent_;
  bool started_ = false;
};

class Context final : public host::GuestContext, private core::Log {
 public:
  Context() : loop_(*shared_loop()) {
    definition_.name = "fuzzed";
    definition_.config = "null";
  }
  std::map<uint64_t, std::unique_ptr<Call>> calls;
  uint64_t last_call = 0;
  bool broke = false;
  int creations = 0;

  const core::Definition& definition() const override { return definition_; }
  const std::string& location() const override { return location_; }
  valor::net::EventLoop& loop() override { return loop_; }
  core::Log& log() override { return *this; }
  host::Call* find(host::CallId id) override {
    const auto found = calls.find(id);
    return found == calls.end() ? nullptr : found->second.get();
  }
  size_t open_calls() const override { return calls.size(); }
  void set_one_at_a_time(bool) override {}
  void ready() override { expect(++creations == 1); }
  void start_failed(std::string message) override { expect(++creations == 1 && !message.empty()); }
  void broken(host::Breakdown breakdown) override {
    expect(!broke && !breakdown.detail.empty());
    broke = true;
  }
  [[noreturn]] void lost(host::Breakdown) override { std::abort(); }

 private:
  // Never run: this thread is inside its turn all the time.
  static std::unique_ptr<valor::net::EventLoop>& shared_loop() {
    static auto* const loop = new auto(std::move(valor::net::EventLoop::create()).value());
    return *loop;
  }
  void write(core::LogLevel, std::string_view source, std::string_view) override { expect(source == "fuzzed"); }
  void access(const core::AccessRecord&) override {}
  bool keeps(core::LogLevel) const override { return true; }
  bool keeps_access() const override { return false; }

  core::Definition definition_;
  std::string location_ = "http://self.test/fuzzed/";
  valor::net::EventLoop& loop_;
};

void Call::end() {
  expect(context_.calls.erase(id_) == 1);
}

/// Requests on their way to servers that do what the script says.
class Network final : public outgoing::Network {
 public:
  struct Sending final : outgoing::Sending {
    Sending(Network& network, valor::client::TransferListener& listener, bool has_body)
        : network(network), listener(&listener), uploads(has_body) {
      network.sendings.push_back(this);
    }
    ~Sending() override { std::erase(network.sendings, this); }
    void resume_upload() override {}
    void resume_download() override { paused = false; }

    Network& network;
    valor::client::TransferListener* listener;  // nullptr: it is over
    bool uploads;
    bool has_head = false;
    bool paused = false;
  };
  std::vector<Sending*> sendings;
  Script* script = nullptr;

  std::optional<outgoing::Url> parse(std::string_view text, std::string_view base) const override {
    outgoing::Url url;
    std::string whole(text);
    if (whole.find("://") == std::string::npos) whole = std::string(base) + whole;
    if (whole.size() > 100 || whole.find('!') != std::string::npos) return std::nullopt;
    url.scheme = whole.substr(0, whole.find("://"));
    url.origin = whole.substr(0, whole.find('/', url.scheme.size() + 3));
    url.port = url.origin.ends_with(":25") ? 25 : 80;
    url.has_credentials = url.origin.find('@') != std::string::npos;
    url.href = std::move(whole);
    return url;
  }

  std::unique_ptr<outgoing::Sending> send(valor::client::ClientRequest request, unsigned hops,
                                          valor::client::TransferListener& listener) override {
    expect(hops >= 1 && (request.url.starts_with("http:") || request.url.starts_with("https:")));
    expect(core::is_header_name(request.method));
    if (script->below(8) == 0) {
      listener.on_failed({valor::client::TransferFailure::Kind::kRefused, "not allowed", "ERR_PERMISSION"});
      return nullptr;
    }
    return std::make_unique<Sending>(*this, listener, request.has_body);
  }

  /// Something happens to one of them.
  void happen() {
    if (sendings.empty()) return;
    Sending& sending = *sendings[script->next() % sendings.size()];
    valor::client::TransferListener* const listener = sending.listener;
    if (listener == nullptr) return;
    switch (script->below(6)) {
      case 0:
      case 1: {
        if (sending.has_head) return;
        sending.has_head = true;
        static constexpr uint16_t kStatuses[] = {200, 204, 301, 302, 303, 307, 308, 404, 421, 500};
        static constexpr const char* kPlaces[] = {"/a", "http://other.test/", "ftp://x/", "http://a@b/", "bad!",
                                                  "",   "http://b:25/"};
        core::ResponseHead head;
        head.status = kStatuses[script->below(10)];
        if (script->below(2) == 0) head.headers.append("location", kPlaces[script->below(7)]);
        return listener->on_head(std::move(head), script->below(2) ? std::optional<uint64_t>(7) : std::nullopt, "");
      }
      case 2: {
        if (!sending.has_head || sending.paused) return;
        const std::string data(size_t{script->next()} * 512, 'd');
        if (data.empty()) return;
        const core::WriteStatus status = listener->on_data(data);
        sending.paused = status == core::WriteStatus::kWait;
        if (status == core::WriteStatus::kGone) sending.listener = nullptr;
        return;
      }
      case 3: {
        if (!sending.uploads) return;
        const core::BodyPiece piece = listener->read_body();
        expect(piece.status != core::ReadStatus::kFailed);
        if (piece.status == core::ReadStatus::kEnd) sending.uploads = false;
        std::string copy(piece.data);
        return;
      }
      case 4:
        if (!sending.has_head) return;
        sending.listener = nullptr;
        return listener->on_end();
      default:
        sending.listener = nullptr;
        return listener->on_failed({valor::client::TransferFailure::Kind::kBroken, "broke", "ECONNRESET"});
    }
  }
};

/// Looks at what only the guest can know, and calls the host as the script says.
class Guest final : public AbiGuest {
 public:
  Guest(Context& fake, const outgoing::OpenNetwork& open, Script& script)
      : AbiGuest(fake, open), fake_(fake), script_(script) {}

  void start() override {
    act();
    created();
  }

  void expect_dropped(uint64_t request) { dropping_ = request; }
  bool dropped_one() const { return dropping_ == 0; }

  /// One call of the host, as from anywhere.
  void call_host();

 private:
  /// What the guest waits for, by operation: the exchange, or 0.
  using Waiting = std::map<uint64_t, uint64_t>;

  void act() {
    if (++depth_ == 1) {
      for (int left = script_.below(4); left > 0 && !over(); --left) call_host();
    }
    --depth_;
  }
  void guest_start(uint64_t request, const void* head, size_t size) override {
    expect(!over());
    valor_request_head fixed;
    expect(size >= sizeof(fixed));
    std::memcpy(&fixed, head, sizeof(fixed));
    expect(fixed.size == sizeof(fixed) && fixed.header_count == 1);
    expect(uint64_t{fixed.url.offset} + fixed.url.size <= size);
    exchanges_.push_back(request);
    act();
  }
  void guest_complete(uint64_t operation, int32_t status, std::string_view data) override;
  void guest_drop(uint64_t request, uint32_t reason) override {
    expect(!over() && request == dropping_ && reason <= VALOR_DROP_TIMEOUT);
    dropping_ = 0;
    for (const auto& [operation, exchange] : waiting_) expect(exchange != request && request_of(exchange) != request);
    act();
  }

  uint64_t request_of(uint64_t exchange) const {
    const auto found = fetches_.find(exchange);
    return found == fetches_.end() ? 0 : found->second;
  }
  uint64_t any_exchange() {
    if (exchanges_.empty() || script_.below(8) == 0) return uint64_t{script_.next()} << script_.below(63);
    return exchanges_[exchanges_.size() - 1 - script_.next() % std::min<size_t>(exchanges_.size(), 8)];
  }
  uint64_t any_operation() { return script_.below(12); }
  std::string any_headers();
  /// The host took `operation` (or did not): it may have been in use only when it said so.
  void took(int64_t result, bool waits, uint64_t operation, uint64_t exchange) {
    if (!waits) return;
    expect(result != VALOR_INVALID);
    expect(waiting_.emplace(operation, exchange).second);
  }
  void forget_at(uint64_t exchange) {
    std::erase_if(waiting_, [&](const auto& entry) { return entry.second == exchange; });
  }
  void begin_fetch();

  Context& fake_;
  Script& script_;
  int depth_ = 0;
  std::vector<uint64_t> exchanges_;
  std::map<uint64_t, uint64_t> fetches_;  // -> on whose behalf
  std::map<uint64_t, uint64_t> heads_;    // operation of a fetch() -> fetch
  Waiting waiting_;
  uint64_t dropping_ = 0;
  std::string buffer_;
};

void Guest::guest_complete(uint64_t operation, int32_t status, std::string_view data) {
  expect(!over());
  expect(waiting_.erase(operation) == 1);
  expect(status == VALOR_OK || status == VALOR_GONE || status == VALOR_FAILED);
  expect(reinterpret_cast<uintptr_t>(data.data()) % 8 == 0);
  const bool was_fetch = heads_.erase(operation) == 1;
  expect(was_fetch || (data.empty() && status != VALOR_FAILED));
  if (was_fetch && status == VALOR_OK) {
    valor_response_head head;
    expect(data.size() >= sizeof(head));
    std::memcpy(&head, data.data(), sizeof(head));
    expect(head.size == sizeof(head) && head.status >= 200 && head.status <= 599);
    expect(uint64_t{head.url.offset} + head.url.size <= data.size());
    expect(head.headers + head.header_count * sizeof(valor_header) <= data.size());
  }
  if (was_fetch && status == VALOR_FAILED) expect(!data.empty());
  act();
}

std::string Guest::any_headers() {
  switch (script_.below(4)) {
    case 0:
      return "";
    case 3:  // more than the head of a fetch may have
      return std::string(GuestFetch::kMostOfHead + 1, '\0');
    case 1: {
      const uint32_t sizes[2] = {3, 1};
      std::string packed(reinterpret_cast<const char*>(sizes), sizeof(sizes));
      return packed + "x-av";
    }
    default:
      return script_.text(40);
  }
}

void Guest::begin_fetch() {
  static constexpr const char* kMethods[] = {"GET", "POST", "put", "HEAD", "TRACE", "", "A B"};
  static constexpr const char* kUrls[] = {"http://a.test/", "x", "", "ftp://a/", "http://u@a/", "https://b.test/y", "!",
                                          "http://b:25/"};
  const uint64_t request = script_.below(2) ? any_exchange() : 0;
  const uint64_t operation = any_operation();
  const bool was_there = request == 0 || fake_.find(request) != nullptr;
  const std::string headers = any_headers();
  const uint64_t length = script_.below(2) ? VALOR_LENGTH_UNKNOWN : script_.next();
  const char* method = kMethods[script_.below(7)];
  const char* url = kUrls[script_.below(8)];
  const int64_t result = fetch(request, method, url, headers, length, script_.below(6), operation);
  expect(was_there || result == VALOR_GONE);
  if (result < 0) return;
  const auto number = static_cast<uint64_t>(result);
  expect((number >> 62) == 1 && fetches_.emplace(number, request).second);
  exchanges_.push_back(number);
  took(result, true, operation, number);
  heads_[operation] = number;
}

void Guest::call_host() {
  if (over()) return;
  const uint64_t exchange = any_exchange();
  const uint64_t operation = any_operation();
  const bool in_use = waiting_.contains(operation);
  switch (script_.below(16)) {
    case 0:
      (void)create_done();
      return;
    case 1:
      (void)create_fail(script_.text(10));
      return;
    case 2:
      if (script_.below(16) == 0) expect(abort(script_.text(10)) == VALOR_OK && over());
      return;
    case 3: {
      const std::string key = script_.text(3);
      const bool set = state_set(key, script_.text(20)) == VALOR_OK;
      expect(set == !key.empty() && state_get(key).has_value() == set);
      if (script_.below(2)) expect(state_delete(key) == (set ? VALOR_OK : VALOR_ABSENT));
      return;
    }
    case 4:
    case 5: {
      const bool open = fake_.find(exchange) != nullptr;
      const int32_t result = respond(exchange, script_.below(8) ? 200 : script_.next(), any_headers(), "body");
      expect(open == (result != VALOR_GONE));
      return;
    }
    case 6:
      (void)send_head(exchange, 200, any_headers(), script_.below(2) ? VALOR_LENGTH_UNKNOWN : 5);
      return;
    case 7:
    case 8: {
      const std::string data(script_.below(2) ? size_t{script_.next()} * 2048 : script_.next(), 's');
      const int32_t result = send_body(exchange, data, operation);
      expect(!in_use || result == VALOR_INVALID || result == VALOR_GONE);
      return took(result, result == VALOR_WAIT, operation, exchange);
    }
    case 9:
      (void)send_end(exchange);
      return;
    case 10:
      (void)fail(exchange, script_.text(10));
      return;
    case 11:
    case 12: {
      buffer_.resize(script_.next() * 16);
      const int32_t result = body_read(exchange, buffer_.data(), buffer_.size(), operation);
      expect(result <= static_cast<int32_t>(buffer_.size()));
      expect(!in_use || result < 0);
      return took(result, result == VALOR_WAIT, operation, exchange);
    }
    case 13:
      return begin_fetch();
    case 14: {
      if (script_.below(2)) {
        const int32_t result = sleep(script_.below(2) ? 0 : UINT64_MAX - script_.next(), operation);
        expect((result == VALOR_OK) == !in_use);
        return took(result, result == VALOR_OK, operation, 0);
      }
      const auto fetch = heads_.find(operation);
      const int32_t result = cancel(operation);
      expect((result == VALOR_OK) == in_use);
      waiting_.erase(operation);
      if (fetch == heads_.end()) return;
      // The fetch has ended with it.
      const uint64_t number = fetch->second;
      heads_.erase(fetch);
      return forget_at(number);
    }
    default:
      if (script_.below(4) == 0) {
        for (uint32_t i = 0; i < 64; ++i) (void)log(i % 6, "endless");
        return;
      }
      if (fetch_cancel(exchange) != VALOR_OK) return;
      expect(fetches_.contains(exchange));
      forget_at(exchange);
      std::erase_if(heads_, [&](const auto& entry) { return entry.second == exchange; });
  }
}

/// What comes from outside.
void arrive(Script& script, Context& context, Guest& guest, Network& network) {
  const auto any_call = [&]() -> Call* {
    if (context.calls.empty()) return nullptr;
    return std::next(context.calls.begin(), script.next() % static_cast<uint8_t>(context.calls.size()))->second.get();
  };
  switch (script.below(10)) {
    case 0:
    case 1: {
      if (context.calls.size() >= 16) return;
      const uint64_t id = ++context.last_call;
      auto& call = context.calls[id] = std::make_unique<Call>(context, id);
      call->slow = script.below(2) == 0;
      return guest.handle(*call);
    }
    case 2:
    case 3: {
      Call* call = any_call();
      if (call == nullptr || call->body_ended || call->body_failed) return;
      call->arrived += std::string(script.next() * 8, 'b');
      call->body_ended = script.below(4) == 0;
      call->body_failed = script.below(8) == 0;
      if (std::exchange(call->reader_waits, false)) guest.body_ready(*call);
      return;
    }
    case 4: {
      Call* call = any_call();
      if (call != nullptr && std::exchange(call->writer_waits, false)) guest.writable(*call);
      return;
    }
    case 5: {
      Call* call = any_call();
      if (call == nullptr) return;
      const uint64_t id = call->id();
      context.calls.erase(id);
      const bool was_over = guest.over();
      guest.expect_dropped(id);
      guest.dropped(id, script.below(2) ? host::DropReason::kTimeout : host::DropReason::kClientGone);
      expect(guest.dropped_one() || was_over || guest.over());
      return;
    }
    case 6:
    case 7:
      if (context.creations > 0 || context.broke) network.happen();
      return;
    case 8:
      return guest.call_host();
    default:
      (void)guest.work();
      (void)guest.wait_ms();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  Script script(bytes, size);
  Context context;
  Network* network = nullptr;
  Network none;
  none.script = &script;
  const outgoing::OpenNetwork open = [&](host::GuestContext&) {
    auto opened = std::make_unique<Network>();
    opened->script = &script;
    network = opened.get();
    return opened;
  };
  {
    Guest guest(context, open, script);
    guest.start();
    while (!script.over()) {
      // The network goes with the fetches of an instance that has broken down.
      arrive(script, context, guest, network != nullptr && !context.broke ? *network : none);
    }
    for (int i = 0; i < 8; ++i) (void)guest.work();
  }
  return 0;
}
