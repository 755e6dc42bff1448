#include "plugins/js/outgoing.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "client/proxy-settings.h"
#include "engine/script-error.h"
#include "plugins/js/js-guest.h"
#include "web/compression/codec.h"

namespace valor::plugins::js {

namespace {

// Of a response's body, until somebody reads it.
constexpr size_t kMaxUnread = 128 * 1024;
// Of a request's body that is there as a whole, at a time: it is copied on its way.
constexpr size_t kMaxSlice = 64 * 1024;
// Of one instance: a million fetches must not take all file descriptors from the others. What browsers allow.
constexpr long kMaxConnections = 256;
// As many at a time as the client is given: it needs 40 KiB for each, which no limit of the plug-in counts. More than
// connections, as those of HTTP/2 carry many.
constexpr size_t kMaxTransfers = 512;
// More than any server takes, and what libcurl puts together in memory: 32 bytes are added for each header.
constexpr size_t kMaxHeadBytes = 256 * 1024;
// Fetches between two searches for dropped responses, each of which is a whole garbage collection.
constexpr uint32_t kSearchEvery = 32;
constexpr uint32_t kConnectTimeoutMs = 30'000;

std::string to_latin1(v8::Isolate* isolate, v8::Local<v8::String> string) {
  std::string text(static_cast<size_t>(string->Length()), '\0');
  string->WriteOneByteV2(isolate, 0, static_cast<uint32_t>(text.size()), reinterpret_cast<uint8_t*>(text.data()));
  return text;
}

v8::Local<v8::String> from_latin1(v8::Isolate* isolate, std::string_view text) {
  v8::Local<v8::String> string;
  const bool made = v8::String::NewFromOneByte(isolate, reinterpret_cast<const uint8_t*>(text.data()),
                                               v8::NewStringType::kNormal, static_cast<int>(text.size()))
                        .ToLocal(&string);
  return made ? string : v8::String::Empty(isolate);
}

// "name\0value\0name\0value\0..."
core::HeaderList read_headers(std::string_view flat) {
  core::HeaderList headers;
  while (!flat.empty()) {
    const size_t name_end = flat.find('\0');
    const size_t value_end = flat.find('\0', name_end + 1);
    if (name_end == std::string_view::npos || value_end == std::string_view::npos) break;
    headers.append(flat.substr(0, name_end), flat.substr(name_end + 1, value_end - name_end - 1));
    flat.remove_prefix(value_end + 1);
  }
  return headers;
}

struct Place {
  std::string_view scheme;
  std::string_view host;
  uint16_t port;
};

// Where a serialised http: or https: URL without credentials points to.
Place place_of(std::string_view url) {
  Place place{url.substr(0, url.find(':')), {}, 0};
  std::string_view rest = url.substr(place.scheme.size() + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  const size_t colon = rest.find(':', rest.starts_with('[') ? rest.find(']') : 0);
  place.host = rest.substr(0, colon);
  place.port = place.scheme == "https" ? 443 : 80;
  if (colon != std::string_view::npos) {
    place.port = 0;
    for (const char c : rest.substr(colon + 1)) place.port = static_cast<uint16_t>(place.port * 10 + (c - '0'));
  }
  return place;
}

// Names of this machine need not be looked up.
std::string_view as_address(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost")) return "127.0.0.1";
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return host;
}

// Whether what is this server itself may be reached. Where a rule lets the plug-in reach it over the network, there is
// no reason to.
bool may_reach(const core::NetRules& rules, const Place& place) {
  if (rules.allows_self() || rules.trusts_name(place.host, place.port)) return true;
  const std::optional<core::IpAddress> address = core::IpAddress::parse(as_address(place.host));
  return address && rules.refusal(place.host, *address, place.port).empty();
}

// https://fetch.spec.whatwg.org/#handle-content-codings
std::unique_ptr<web::Codec> decoder_of(const core::HeaderList& headers) {
  const std::string_view coding = headers.get("content-encoding").value_or("");
  if (core::same_header_name(coding, "gzip") || core::same_header_name(coding, "x-gzip")) {
    return web::Codec::decompressor(web::CompressionFormat::kGzip);
  }
  if (core::same_header_name(coding, "deflate")) return web::Codec::decompressor(web::CompressionFormat::kDeflate);
  if (core::same_header_name(coding, "br")) return web::Codec::decompressor(web::CompressionFormat::kBrotli);
  return nullptr;
}

}  // namespace

class Outgoing::Fetch final : public client::TransferListener {
 public:
  Fetch(Outgoing& owner, uint32_t id, host::CallId call) : owner(owner), id(id), call(call) {}
  ~Fetch() { give_place(); }

  void on_head(core::ResponseHead received, std::optional<uint64_t>, std::string_view words) override {
    if (inside) decoder = decoder_of(received.headers);
    head = std::move(received);
    reason = words;
    tell();
  }

  core::WriteStatus on_data(std::string_view data) override {
    if (decoder == nullptr) {
      unread.append(data);
    } else if (!decode(data, false)) {
      return core::WriteStatus::kGone;
    }
    tell_reader();
    return unread.size() >= kMaxUnread ? core::WriteStatus::kWait : core::WriteStatus::kReady;
  }

  core::BodyPiece read_body() override {
    if (whole != nullptr) {
      if (whole_length == 0) return {core::ReadStatus::kEnd, {}};
      const size_t size = std::min(whole_length, kMaxSlice);
      whole_length -= size;
      return {core::ReadStatus::kData,
              {static_cast<const char*>(whole->Data()) + std::exchange(whole_at, whole_at + size), size}};
    }
    if (!piece.empty()) {
      current = std::move(piece);
      piece.clear();
      return {core::ReadStatus::kData, current};
    }
    if (upload_ended) return {core::ReadStatus::kEnd, {}};
    wanted = true;
    tell();
    return {core::ReadStatus::kWait, {}};
  }

  void on_end() override {
    if (decoder != nullptr && !decode({}, true)) return;
    ended = true;
    give_place();
    tell_reader();
  }

  void on_failed(client::TransferFailure why) override {
    failure = std::move(why);
    give_place();
    if (own && failure->kind == client::TransferFailure::Kind::kRefused) {
      failure->message += "; for the plug-ins of this server, \"self\" is enough";
    }
    tell();
  }

  // Returns false when the content is not what its encoding says; the fetch has failed then.
  bool decode(std::string_view data, bool last) {
    const std::string wrong = decoder->write(
        reinterpret_cast<const uint8_t*>(data.data()), data.size(), last,
        [&](const uint8_t* out, size_t size) { unread.append(reinterpret_cast<const char*>(out), size); });
    if (wrong.empty()) return true;
    on_failed({client::TransferFailure::Kind::kBroken, "the content cannot be decoded: " + wrong, "ERR_CONTENT"});
    return false;
  }

  void resume_upload() {
    transfer.resume_upload();
    inside_transfer.resume_upload();
  }
  void resume_download() {
    transfer.resume_download();
    inside_transfer.resume_download();
  }
  void stop() {
    transfer = {};
    inside_transfer = {};
    give_place();
  }
  void give_place() {
    if (std::exchange(active, false)) owner.give_place();
  }

  void tell() {
    if (!std::exchange(told, true)) owner.tell(id);
  }
  void tell_reader() {
    if (!reader_waits) return;
    readable = true;
    tell();
  }

  Outgoing& owner;
  const uint32_t id;
  const host::CallId call;  // on whose behalf; 0: of none
  client::Transfer transfer;
  bool active = false;                           // the client has it
  std::optional<client::ClientRequest> waiting;  // until others are over
  bool own = false;                              // it is this server that is asked
  bool inside = false;                           // through memory
  loopback::Transfer inside_transfer;
  std::unique_ptr<web::Codec> decoder;

  // News that JavaScript has not been told.
  bool told = false;  // in news_
  std::optional<core::ResponseHead> head;
  std::string reason;
  bool readable = false;
  bool wanted = false;
  std::optional<client::TransferFailure> failure;

  std::string unread;
  bool head_delivered = false;
  bool reader_waits = false;
  bool ended = false;

  // The request's body: all of it, shared with JavaScript, or piece by piece.
  std::shared_ptr<v8::BackingStore> whole;
  size_t whole_at = 0;
  size_t whole_length = 0;  // what is left of it
  std::string piece;
  std::string current;
  bool upload_ended = false;
};

Outgoing::Outgoing(JsGuest& guest) : guest_(guest) {
  engine::Isolate& isolate = guest.isolate();
  v8::HandleScope handles(isolate.v8());
  on_head_.Reset(isolate.v8(), isolate.hook("onOutgoingHead"));
  on_readable_.Reset(isolate.v8(), isolate.hook("onOutgoingReadable"));
  on_wanted_.Reset(isolate.v8(), isolate.hook("onOutgoingWanted"));
  on_failed_.Reset(isolate.v8(), isolate.hook("onOutgoingFailed"));
}

Outgoing::~Outgoing() {
  fetches_.clear();
  guest_.context().loop().cancel_timer(waiting_timer_);
}

void Outgoing::tell(uint32_t id) {
  // JsGuest::wait_ms() sees it.
  news_.push_back(id);
}

Outgoing::Fetch* Outgoing::find(v8::Local<v8::Value> id) {
  if (!id->IsUint32()) return nullptr;
  const auto found = fetches_.find(id.As<v8::Uint32>()->Value());
  return found == fetches_.end() ? nullptr : found->second.get();
}

// --- from JavaScript ---

void Outgoing::start(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  client::ClientRequest request;
  request.method = to_latin1(isolate, info[0].As<v8::String>());
  request.url = to_latin1(isolate, info[1].As<v8::String>());
  request.headers = read_headers(to_latin1(isolate, info[2].As<v8::String>()));
  if (info[3]->IsNumber()) request.content_length = static_cast<uint64_t>(info[3].As<v8::Number>()->Value());
  const bool outlives_call = info[4]->IsTrue();
  request.fresh_connection = info[5]->IsTrue();
  const host::CallId call = outlives_call ? 0 : guest_.current_call();

  find_dropped();
  const uint32_t id = ++last_id_;
  auto owned = std::make_unique<Fetch>(*this, id, call);
  Fetch& fetch = *owned;
  if (info[3]->IsUint8Array()) {
    v8::Local<v8::Uint8Array> body = info[3].As<v8::Uint8Array>();
    fetch.whole = body->Buffer()->GetBackingStore();
    fetch.whole_at = body->ByteOffset();
    fetch.whole_length = body->ByteLength();
    request.content_length = fetch.whole_length;
  }
  request.has_body = !info[3]->IsNull();
  info.GetReturnValue().Set(id);

  net::EventLoop::Inside inside(guest_.context().loop());
  fetches_[id] = std::move(owned);
  send(fetch, std::move(request));
}

void Outgoing::find_dropped() {
  // Only the instance's own thread changes what is in fetches_.
  if (fetches_.size() < static_cast<size_t>(kMaxConnections) || last_id_ < next_search_) return;
  next_search_ = last_id_ + kSearchEvery;
  const bool any = std::any_of(fetches_.begin(), fetches_.end(), [](const auto& entry) {
    return entry.second->head_delivered && !entry.second->reader_waits;
  });
  // A response that nobody refers to keeps its connection until V8 notices, and without need it does not look.
  if (any) guest_.isolate().v8()->LowMemoryNotification();
}

void Outgoing::send(Fetch& fetch, client::ClientRequest request) {
  if (send_inside(fetch, request)) return;
  const core::NetRules& rules = guest_.context().definition().permissions.net;
  const Place place = place_of(request.url);
  const std::string host(place.host);
  const bool trusted = rules.trusts_name(host, place.port);
  request.proxy = client::ProxySettings::of_process().proxy_for(place.scheme, place.host);
  const auto refuse = [&](std::string why) {
    fetch.on_failed({client::TransferFailure::Kind::kRefused, std::move(why), "ERR_PERMISSION"});
  };
  if (!trusted && !rules.may_allow_addresses(place.port)) return refuse(rules.refusal(host, place.port));
  if (!trusted && !request.proxy.empty()) {
    // The proxy resolves names, and has to keep the unwanted ones out; addresses and this machine's own names are
    // known.
    if (const std::optional<core::IpAddress> address = core::IpAddress::parse(as_address(host))) {
      if (std::string why = rules.refusal(host, *address, place.port); !why.empty()) return refuse(std::move(why));
    }
  }
  if (!trusted && request.proxy.empty()) {
    // The definition lives longer than the client.
    request.check_address = [&rules, host](const core::IpAddress& address, uint16_t port) {
      return rules.refusal(host, address, port);
    };
  }
  size_t head_bytes = request.url.size();
  for (const core::HeaderList::Header header : request.headers) {
    head_bytes += header.name.size() + header.value.size() + 32;
  }
  if (head_bytes > kMaxHeadBytes) {
    return fetch.on_failed({client::TransferFailure::Kind::kBroken,
                            "URL and headers are larger than " + std::to_string(kMaxHeadBytes / 1024) + " KiB",
                            "ERR_HEADERS"});
  }
  request.http2 = true;
  request.decode = true;
  const bool like_page = guest_.context().definition().fetch == core::FetchRules::kBrowser;
  request.head_rules = like_page ? client::HeadRules::kBrowser : client::HeadRules::kTolerant;
  request.connect_timeout_ms = kConnectTimeoutMs;
  // Who waits for the answer has a deadline already.
  request.response_timeout_ms = 0;

  hand_over(fetch, std::move(request));
}

void Outgoing::hand_over(Fetch& fetch, client::ClientRequest request) {
  if (active_ < kMaxTransfers) return begin(fetch, request);
  fetch.waiting = std::move(request);
  waiting_.push_back(fetch.id);
}

void Outgoing::give_place() {
  --active_;
  if (waiting_.empty() || waiting_timer_ != 0) return;
  // Not from within the client.
  waiting_timer_ = guest_.context().loop().start_timer(0, [this] {
    waiting_timer_ = 0;
    while (!waiting_.empty() && active_ < kMaxTransfers) {
      const auto found = fetches_.find(waiting_.front());
      waiting_.pop_front();
      if (found == fetches_.end() || found->second->failure) continue;
      begin(*found->second, *std::exchange(found->second->waiting, std::nullopt));
    }
  });
}

void Outgoing::begin(Fetch& fetch, const client::ClientRequest& request) {
  std::string error;
  if (client_ == nullptr) {
    auto client = client::CurlClient::create(guest_.context().loop(), {.max_connections = kMaxConnections});
    if (client) {
      client_ = std::move(client).value();
    } else {
      error = client.error().message;
    }
  }
  if (client_ != nullptr) {
    core::Result<client::Transfer> transfer = client_->start(request, fetch);
    if (transfer) {
      fetch.transfer = std::move(transfer).value();
      fetch.active = true;
      ++active_;
      return;
    }
    error = transfer.error().message;
  }
  fetch.on_failed({client::TransferFailure::Kind::kBroken, std::move(error)});
}

bool Outgoing::send_inside(Fetch& fetch, const client::ClientRequest& request) {
  host::GuestContext& context = guest_.context();
  if (guest_.options().server == nullptr) return false;
  if (inside_ == nullptr) {
    inside_ = std::make_unique<loopback::Client>(context.loop(), *guest_.options().server, context.definition().name);
  }
  std::optional<std::string> target = inside_->target_of(request.url);
  fetch.own = target.has_value();
  if (!target || !may_reach(context.definition().permissions.net, place_of(request.url))) return false;
  // What runs on behalf of no request, or of one that is over, begins anew.
  const host::Call* call = context.find(guest_.current_call());
  const unsigned hops = (call != nullptr ? call->request().hops : 0u) + 1;
  fetch.inside = true;
  fetch.inside_transfer = inside_->start(request, std::move(*target), static_cast<uint8_t>(hops), fetch);
  return true;
}

void Outgoing::read(const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  std::unique_ptr<v8::BackingStore> store;
  {
    net::EventLoop::Inside inside(guest_.context().loop());
    Fetch* fetch = find(info[0]);
    if (fetch == nullptr) return info.GetReturnValue().SetNull();
    fetch->reader_waits = false;
    if (fetch->unread.empty()) {
      if (fetch->ended) {
        fetches_.erase(fetch->id);
        return info.GetReturnValue().SetNull();
      }
      fetch->reader_waits = true;
      fetch->resume_download();
      return;
    }
    store = v8::ArrayBuffer::NewBackingStore(isolate, fetch->unread.size(),
                                             v8::BackingStoreInitializationMode::kUninitialized,
                                             v8::BackingStoreOnFailureMode::kReturnNull);
    // The isolate has tripped its memory limit, and ends when its code returns.
    if (store == nullptr) return info.GetReturnValue().SetNull();
    std::memcpy(store->Data(), fetch->unread.data(), fetch->unread.size());
    fetch->unread.clear();
    fetch->resume_download();
  }
  const size_t length = store->ByteLength();
  v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(isolate, std::move(store));
  info.GetReturnValue().Set(v8::Uint8Array::New(buffer, 0, length));
}

void Outgoing::write(const Info& info) {
  std::string piece;
  const bool ends = !info[1]->IsUint8Array();
  if (!ends) {
    v8::Local<v8::Uint8Array> view = info[1].As<v8::Uint8Array>();
    piece.resize(view->ByteLength());
    view->CopyContents(piece.data(), piece.size());
  }
  net::EventLoop::Inside inside(guest_.context().loop());
  Fetch* fetch = find(info[0]);
  if (fetch == nullptr) return;
  fetch->piece += piece;
  fetch->upload_ended = fetch->upload_ended || ends;
  fetch->resume_upload();
}

void Outgoing::cancel(const Info& info) {
  net::EventLoop::Inside inside(guest_.context().loop());
  if (Fetch* fetch = find(info[0])) fetches_.erase(fetch->id);
}

// --- to JavaScript ---

void Outgoing::call_hook(Fetch& fetch, const v8::Global<v8::Function>& hook, int count,
                         v8::Local<v8::Value>* arguments) {
  guest_.run(fetch.call, [&] { (void)guest_.isolate().call(hook.Get(guest_.isolate().v8()), count, arguments); });
}

void Outgoing::deliver() {
  v8::Isolate* isolate = guest_.isolate().v8();
  const std::vector<uint32_t> news = std::exchange(news_, {});
  for (const uint32_t id : news) {
    if (!guest_.alive()) return;
    v8::HandleScope handles(isolate);
    v8::Local<v8::Value> arguments[4] = {v8::Integer::NewFromUnsigned(isolate, id)};
    // Whatever plug-in code does in between, also to this fetch.
    const auto still = [&] {
      const auto found = fetches_.find(id);
      return found == fetches_.end() ? nullptr : found->second.get();
    };
    Fetch* fetch = still();
    if (fetch == nullptr) continue;
    fetch->told = false;
    if (fetch->head) {
      const core::ResponseHead head = *std::exchange(fetch->head, std::nullopt);
      std::string flat;
      for (const core::HeaderList::Header header : head.headers) {
        flat.append(header.name).push_back('\0');
        flat.append(header.value).push_back('\0');
      }
      arguments[1] = v8::Integer::New(isolate, head.status);
      arguments[2] = from_latin1(isolate, fetch->reason);
      arguments[3] = from_latin1(isolate, flat);
      fetch->head_delivered = true;
      call_hook(*fetch, on_head_, 4, arguments);
      fetch = still();
      if (fetch == nullptr) continue;
    }
    if (std::exchange(fetch->wanted, false)) {
      call_hook(*fetch, on_wanted_, 1, arguments);
      fetch = still();
      if (fetch == nullptr) continue;
    }
    if (std::exchange(fetch->readable, false)) {
      call_hook(*fetch, on_readable_, 1, arguments);
      fetch = still();
      if (fetch == nullptr) continue;
    }
    if (fetch->failure) {
      const client::TransferFailure failure = *fetch->failure;
      arguments[1] = engine::to_v8(isolate, failure.code);
      arguments[2] = engine::to_v8(isolate, failure.message);
      const std::unique_ptr<Fetch> over = std::move(fetches_.at(id));
      fetches_.erase(id);
      call_hook(*over, on_failed_, 3, arguments);
    }
  }
}

void Outgoing::drop(host::CallId call) {
  for (auto& [id, fetch] : fetches_) {
    if (fetch->call != call || fetch->ended || fetch->failure) continue;
    fetch->stop();
    fetch->unread.clear();
    fetch->on_failed(
        {client::TransferFailure::Kind::kBroken,
         "the request on whose behalf it was fetched is over: its client left or its time ran out; a fetch "
         "with keepalive goes on",
         "ERR_CALL_OVER"});
  }
}

}  // namespace valor::plugins::js
