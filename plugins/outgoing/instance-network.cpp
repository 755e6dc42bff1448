#include "plugins/outgoing/instance-network.h"

#include <string>
#include <utility>

#include "client/proxy-settings.h"
#include "web/compression/codec.h"

namespace valor::plugins::outgoing {

namespace {

// As many at a time as the client is given: it needs 40 KiB for each, which no limit of the plug-in counts. More than
// connections, as those of HTTP/2 carry many.
constexpr size_t kMaxTransfers = 512;
constexpr uint32_t kConnectTimeoutMs = 30'000;

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

size_t head_bytes(const client::ClientRequest& request) {
  size_t bytes = request.url.size();
  for (const core::HeaderList::Header header : request.headers) bytes += header.name.size() + header.value.size() + 32;
  return bytes;
}

client::TransferFailure refused(std::string why) {
  return {client::TransferFailure::Kind::kRefused, std::move(why), "ERR_PERMISSION"};
}

}  // namespace

// Stands between whatever carries the request and who has sent it.
class InstanceNetwork::Transmission final : public Sending, public client::TransferListener {
 public:
  Transmission(InstanceNetwork& owner, client::TransferListener& listener) : owner(owner), listener(listener) {}
  ~Transmission() override {
    if (waiting) owner.waiting_.erase(place_in_line);
    give_place();
  }

  void resume_upload() override {
    transfer.resume_upload();
    inside_transfer.resume_upload();
  }
  void resume_download() override {
    transfer.resume_download();
    inside_transfer.resume_download();
  }

  void on_head(core::ResponseHead head, std::optional<uint64_t> length, std::string_view reason) override {
    if (inside) decoder = decoder_of(head.headers);
    listener.on_head(std::move(head), length, reason);
  }

  core::WriteStatus on_data(std::string_view data) override {
    return decoder == nullptr ? listener.on_data(data) : decode(data, false);
  }

  core::BodyPiece read_body() override { return listener.read_body(); }

  void on_end() override {
    if (decoder != nullptr && decode({}, true) == core::WriteStatus::kGone) return;
    give_place();
    listener.on_end();
  }

  void on_failed(client::TransferFailure failure) override {
    give_place();
    if (own && failure.kind == client::TransferFailure::Kind::kRefused) {
      failure.message += "; for the plug-ins of this server, \"self\" is enough";
    }
    listener.on_failed(std::move(failure));
  }

  // kGone when the content is not what its encoding says; the listener has heard of it then.
  core::WriteStatus decode(std::string_view data, bool last) {
    core::WriteStatus status = core::WriteStatus::kReady;
    const std::string wrong = decoder->write(reinterpret_cast<const uint8_t*>(data.data()), data.size(), last,
                                             [&](const uint8_t* out, size_t size) {
                                               const std::string_view piece(reinterpret_cast<const char*>(out), size);
                                               if (status != core::WriteStatus::kGone) status = listener.on_data(piece);
                                             });
    if (status == core::WriteStatus::kGone || wrong.empty()) return status;
    on_failed({client::TransferFailure::Kind::kBroken, "the content cannot be decoded: " + wrong, "ERR_CONTENT"});
    return core::WriteStatus::kGone;
  }

  void give_place() {
    if (std::exchange(active, false)) owner.give_place();
  }

  InstanceNetwork& owner;
  client::TransferListener& listener;
  client::Transfer transfer;
  bool active = false;                           // the client has it
  std::optional<client::ClientRequest> waiting;  // until others are over
  std::list<Transmission*>::iterator place_in_line;
  bool own = false;     // it is this server that is asked
  bool inside = false;  // through memory
  loopback::Transfer inside_transfer;
  std::unique_ptr<web::Codec> decoder;
};

InstanceNetwork::~InstanceNetwork() {
  context_.loop().cancel_timer(waiting_timer_);
}

std::unique_ptr<Sending> InstanceNetwork::send(client::ClientRequest request, unsigned hops,
                                               client::TransferListener& listener) {
  auto transmission = std::make_unique<Transmission>(*this, listener);
  if (send_inside(*transmission, request, hops)) return transmission;
  if (std::optional<client::TransferFailure> failure = send_outside(*transmission, std::move(request))) {
    transmission->on_failed(*std::move(failure));
    return nullptr;
  }
  return transmission;
}

bool InstanceNetwork::send_inside(Transmission& transmission, const client::ClientRequest& request, unsigned hops) {
  if (server_ == nullptr) return false;
  if (inside_ == nullptr) {
    inside_ = std::make_unique<loopback::Client>(context_.loop(), *server_, context_.definition().name);
  }
  std::optional<std::string> target = inside_->target_of(request.url);
  transmission.own = target.has_value();
  if (!target || !may_reach(context_.definition().permissions.net, place_of(request.url))) return false;
  transmission.inside = true;
  transmission.inside_transfer = inside_->start(request, std::move(*target), static_cast<uint8_t>(hops), transmission);
  return true;
}

std::optional<client::TransferFailure> InstanceNetwork::send_outside(Transmission& transmission,
                                                                     client::ClientRequest request) {
  const core::NetRules& rules = context_.definition().permissions.net;
  const Place place = place_of(request.url);
  const std::string host(place.host);
  const bool trusted = rules.trusts_name(host, place.port);
  request.proxy = client::ProxySettings::of_process().proxy_for(place.scheme, place.host);
  if (!trusted && !rules.may_allow_addresses(place.port)) return refused(rules.refusal(host, place.port));
  if (!trusted && !request.proxy.empty()) {
    // The proxy resolves names, and has to keep the unwanted ones out; addresses and this machine's own names are
    // known.
    if (const std::optional<core::IpAddress> address = core::IpAddress::parse(as_address(host))) {
      if (std::string why = rules.refusal(host, *address, place.port); !why.empty()) return refused(std::move(why));
    }
  }
  if (!trusted && request.proxy.empty()) {
    // The definition lives longer than the client.
    request.check_address = [&rules, host](const core::IpAddress& address, uint16_t port) {
      return rules.refusal(host, address, port);
    };
  }
  if (head_bytes(request) > kMaxHeadBytes) {
    return client::TransferFailure{client::TransferFailure::Kind::kBroken,
                                   "URL and headers are larger than " + std::to_string(kMaxHeadBytes / 1024) + " KiB",
                                   "ERR_HEADERS"};
  }
  request.http2 = true;
  request.decode = true;
  const bool like_page = context_.definition().fetch == core::FetchRules::kBrowser;
  request.head_rules = like_page ? client::HeadRules::kBrowser : client::HeadRules::kTolerant;
  request.connect_timeout_ms = kConnectTimeoutMs;
  // Who waits for the answer has a deadline already.
  request.response_timeout_ms = 0;

  if (active_ >= kMaxTransfers) {
    transmission.waiting = std::move(request);
    transmission.place_in_line = waiting_.insert(waiting_.end(), &transmission);
    return std::nullopt;
  }
  std::string error = begin(transmission, request);
  if (error.empty()) return std::nullopt;
  return client::TransferFailure{client::TransferFailure::Kind::kBroken, std::move(error)};
}

std::string InstanceNetwork::begin(Transmission& transmission, const client::ClientRequest& request) {
  if (client_ == nullptr) {
    auto client = client::CurlClient::create(context_.loop(), {.max_connections = long{kMaxConnections}});
    if (!client) return client.error().message;
    client_ = std::move(client).value();
  }
  core::Result<client::Transfer> transfer = client_->start(request, transmission);
  if (!transfer) return transfer.error().message;
  transmission.transfer = std::move(transfer).value();
  transmission.active = true;
  ++active_;
  return "";
}

void InstanceNetwork::give_place() {
  --active_;
  if (waiting_.empty() || waiting_timer_ != 0) return;
  // Not from within the client.
  waiting_timer_ = context_.loop().start_timer(0, [this] {
    waiting_timer_ = 0;
    begin_waiting();
  });
}

void InstanceNetwork::begin_waiting() {
  while (!waiting_.empty() && active_ < kMaxTransfers) {
    Transmission& next = *waiting_.front();
    waiting_.pop_front();
    const client::ClientRequest request = *std::exchange(next.waiting, std::nullopt);
    if (std::string error = begin(next, request); !error.empty()) {
      next.on_failed({client::TransferFailure::Kind::kBroken, std::move(error)});
    }
  }
}

OpenNetwork network_of(http::Shared* server) {
  return [server](host::GuestContext& context) { return std::make_unique<InstanceNetwork>(context, server); };
}

}  // namespace valor::plugins::outgoing
