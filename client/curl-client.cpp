#include "client/curl-client.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <list>
#include <utility>

#include "client/head-reader.h"

namespace valor::client {

namespace {

constexpr long kBufferSize = 64 * 1024;
// Connections that wait for their next request, of one client.
constexpr long kIdleConnections = 128;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListDeleter>;

bool make_header_list(const core::HeaderList& headers, List& list) {
  // Told the whole list, curl would look for its end each time.
  curl_slist* last = nullptr;
  const auto append = [&](const std::string& line) {
    curl_slist* one = curl_slist_append(nullptr, line.c_str());
    if (one == nullptr) return false;
    if (last == nullptr) {
      list.reset(one);
    } else {
      last->next = one;
    }
    last = one;
    return true;
  };
  for (const core::HeaderList::Header header : headers) {
    // "name:" would mean to leave the header out; "name;" sends an empty one.
    std::string line(header.name);
    line += header.value.empty() ? ";" : ": " + std::string(header.value);
    if (!append(line)) return false;
  }
  // What libcurl would add by itself.
  for (const char* name : {"accept", "expect"}) {
    if (!headers.has(name) && !append(std::string(name) + ":")) return false;
  }
  return true;
}

// Where the system's roots are not the ones to trust, in the words of curl and of OpenSSL.
const std::string& ca_bundle() {
  static const std::string kFile = [] {
    for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
      const char* value = getenv(name);
      if (value != nullptr && *value != '\0') return std::string(value);
    }
    return std::string();
  }();
  return kFile;
}

const char* code_of(CURLcode code, long system_error) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "ENOTFOUND";
    case CURLE_COULDNT_CONNECT:
      if (system_error == EHOSTUNREACH) return "EHOSTUNREACH";
      if (system_error == ENETUNREACH) return "ENETUNREACH";
      return system_error == ETIMEDOUT ? "ETIMEDOUT" : "ECONNREFUSED";
    case CURLE_OPERATION_TIMEDOUT:
      return "ETIMEDOUT";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return "ERR_TLS";
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return "ECONNRESET";
    case CURLE_BAD_CONTENT_ENCODING:
      return "ERR_CONTENT_ENCODING";
    default:
      return "ERR_HTTP";
  }
}

TransferFailure::Kind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      return TransferFailure::Kind::kConnect;
    case CURLE_OPERATION_TIMEDOUT:
      return TransferFailure::Kind::kTimeout;
    default:
      return TransferFailure::Kind::kBroken;
  }
}

}  // namespace

struct Transfer::State {
  CurlClient::Impl& client;
  TransferListener* listener;  // nullptr: is to hear nothing more
  bool abandoned = false;      // its Transfer is gone
  std::list<std::unique_ptr<State>>::iterator self;
  CURL* easy = nullptr;
  List headers;
  char error[CURL_ERROR_SIZE] = "";
  HeadReader head_reader;
  bool secure = false;
  AddressCheck check_address;
  std::string refusal;
  // As curl was told; `unpause`: it is to be told anew once it has returned.
  bool upload_paused = false;
  bool download_paused = false;
  bool unpause = false;
  // The listener's wish. curl hears of it when it comes with the next piece.
  bool hold_download = false;
  // Of the request's body: what did not fit into curl's buffer.
  std::string rest;
  size_t rest_at = 0;
  bool upload_done = false;
  bool upload_failed = false;
  std::optional<uint64_t> upload_left;
  uint32_t response_timeout_ms = 0;
  uint64_t progress_ms = 0;
  net::EventLoop::TimerId timer = 0;

  State(CurlClient::Impl& client, TransferListener& listener) : client(client), listener(&listener) {}
  ~State() { close(); }
  CURLcode set_up(const ClientRequest& request);
  void close();
  void resume();
  void apply_pauses();
  void watch_time(uint64_t milliseconds);
  void tell_head();
  size_t read(char* buffer, size_t size);

  static size_t on_header(char* data, size_t, size_t size, void* self);
  static size_t on_write(char* data, size_t, size_t size, void* self);
  static size_t on_read(char* buffer, size_t, size_t size, void* self);
  static curl_socket_t on_open_socket(void* self, curlsocktype, curl_sockaddr* address);
};

struct CurlClient::Impl {
  // A socket of curl's on the loop.
  struct Socket final : net::EventHandler {
    Impl& client;
    int fd;
    net::EventLoop::Watch watch = 0;
    Socket(Impl& client, int fd) : client(client), fd(fd) {}
    void on_events(uint32_t events) override {
      int action = 0;
      if ((events & EPOLLIN) != 0) action |= CURL_CSELECT_IN;
      if ((events & EPOLLOUT) != 0) action |= CURL_CSELECT_OUT;
      if ((events & (EPOLLERR | EPOLLHUP)) != 0) action |= CURL_CSELECT_IN | CURL_CSELECT_ERR;
      // This object may be gone when act() returns.
      client.act(fd, action);
    }
  };

  // Around every call that may end in callbacks. What must not happen inside them is done when the outermost ends.
  class Entered {
   public:
    explicit Entered(Impl& client) : client_(client) { ++client_.depth; }
    ~Entered() {
      if (--client_.depth == 0) client_.settle();
    }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

   private:
    Impl& client_;
  };

  net::EventLoop& loop;
  CURLM* multi;
  int depth = 0;
  bool unsettled = false;  // some transfer is cancelled or to be unpaused
  std::list<std::unique_ptr<Transfer::State>> transfers;
  net::EventLoop::TimerId timer = 0;

  Impl(net::EventLoop& loop, CURLM* multi) : loop(loop), multi(multi) {}
  ~Impl();
  void act(curl_socket_t socket, int events) {
    Entered entered(*this);
    int running = 0;
    curl_multi_socket_action(multi, socket, events, &running);
  }
  void settle();
  void finish(Transfer::State& state, CURLcode code);

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* socket);
  static int on_timer(CURLM*, long milliseconds, void* self);
};

// --- the client ---

CurlClient::Impl::~Impl() {
  // From here on curl only lets go of what it holds.
  ++depth;
  transfers.clear();
  curl_multi_cleanup(multi);
  loop.cancel_timer(timer);
}

int CurlClient::Impl::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* socket) {
  Impl& client = *static_cast<Impl*>(self);
  auto* known = static_cast<Socket*>(socket);
  if (what == CURL_POLL_REMOVE) {
    if (known != nullptr) {
      client.loop.unwatch(known->watch, fd);
      curl_multi_assign(client.multi, fd, nullptr);
      delete known;
    }
    return 0;
  }
  uint32_t events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
  if (known != nullptr) {
    client.loop.change(known->watch, fd, events);
    return 0;
  }
  auto added = std::make_unique<Socket>(client, fd);
  added->watch = client.loop.watch(fd, events, *added);
  // Without a watch the transfer ends in its time-out; failing here would end all transfers of the client.
  if (added->watch != 0) curl_multi_assign(client.multi, fd, added.release());
  return 0;
}

int CurlClient::Impl::on_timer(CURLM*, long milliseconds, void* self) {
  Impl& client = *static_cast<Impl*>(self);
  client.loop.cancel_timer(std::exchange(client.timer, 0));
  if (milliseconds < 0) return 0;
  client.timer = client.loop.start_timer(static_cast<uint64_t>(milliseconds), [&client] {
    client.timer = 0;
    client.act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

void CurlClient::Impl::settle() {
  // Listeners are told here, and they may call back in; so everything is looked up anew after each.
  while (true) {
    int left = 0;
    if (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      char* state = nullptr;
      const CURLcode code = message->data.result;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &state);
      finish(*reinterpret_cast<Transfer::State*>(state), code);
      continue;
    }
    if (!std::exchange(unsettled, false)) return;
    // While depth is not 0, listeners only leave marks, and nothing but this loop erases.
    ++depth;
    for (auto it = transfers.begin(); it != transfers.end();) {
      Transfer::State& state = **it;
      if (!state.abandoned && std::exchange(state.unpause, false)) state.apply_pauses();
      it = state.abandoned ? transfers.erase(it) : std::next(it);
    }
    --depth;
  }
}

void CurlClient::Impl::finish(Transfer::State& state, CURLcode code) {
  long system_error = 0;
  if (state.easy != nullptr) curl_easy_getinfo(state.easy, CURLINFO_OS_ERRNO, &system_error);
  TransferFailure failure{kind_of(code), state.error[0] != '\0' ? state.error : curl_easy_strerror(code),
                          code_of(code, system_error)};
  bool failed = code != CURLE_OK;
  if (state.upload_failed) failure.kind = TransferFailure::Kind::kBody;
  if (code == CURLE_COULDNT_CONNECT && !state.refusal.empty()) {
    failure = {TransferFailure::Kind::kRefused, std::move(state.refusal), "ERR_PERMISSION"};
  }
  if (!state.head_reader.problem().empty()) {
    failed = true;
    failure = {TransferFailure::Kind::kBroken, state.head_reader.problem()};
  } else if (!failed && !state.secure && state.listener != nullptr &&
             state.head_reader.end() == HeadReader::Step::kComplete) {
    ++state.client.depth;  // the listener may end its transfer
    state.tell_head();
    --state.client.depth;
  } else if (!failed && !state.head_reader.complete()) {
    failed = true;
    failure = {TransferFailure::Kind::kBroken, "the response has no head", "ECONNRESET"};
  }
  state.close();
  TransferListener* listener = std::exchange(state.listener, nullptr);
  if (listener == nullptr) return;
  // The listener may destroy its Transfer, and with it the state.
  if (failed) {
    listener->on_failed(std::move(failure));
  } else {
    listener->on_end();
  }
}

// --- one transfer ---

CURLcode Transfer::State::set_up(const ClientRequest& request) {
  easy = curl_easy_init();
  if (easy == nullptr || !make_header_list(request.headers, headers)) return CURLE_OUT_OF_MEMORY;
  CURLcode result = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    if (result == CURLE_OK) result = curl_easy_setopt(easy, option, value);
  };
  head_reader = HeadReader(request.head_rules);
  secure = request.url.starts_with("https:");
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, error);
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  if (!request.target.empty()) set(CURLOPT_REQUEST_TARGET, request.target.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(request.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_PROXY, request.proxy.c_str());
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  // The file holds what the folder does, which would be read as well, file by file, for each connection.
  set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  if (!ca_bundle().empty()) set(CURLOPT_CAINFO, ca_bundle().c_str());
  // Requests that come together share the first connection where it turns out to be HTTP/2. TLS tells that; without it
  // the others would wait for the first one's response.
  if (request.http2 && secure) set(CURLOPT_PIPEWAIT, 1L);
  if (request.fresh_connection) set(CURLOPT_FRESH_CONNECT, 1L);
  if (request.decode) set(CURLOPT_ACCEPT_ENCODING, "");
  if (request.check_address) {
    check_address = request.check_address;
    set(CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  }
  set(CURLOPT_NOSIGNAL, 1L);
  // Else cancelling would wait for a name look-up that is under way.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_BUFFERSIZE, kBufferSize);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout_ms));

  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
    upload_done = true;
  } else {
    if (request.has_body) {
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_UPLOAD_BUFFERSIZE, kBufferSize);
      upload_left = request.content_length;
      set(CURLOPT_INFILESIZE_LARGE,
          request.content_length ? static_cast<curl_off_t>(*request.content_length) : static_cast<curl_off_t>(-1));
    }
    upload_done = !request.has_body || request.content_length == uint64_t{0};
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &on_write);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_READFUNCTION, &on_read);
  set(CURLOPT_READDATA, static_cast<void*>(this));
  return result;
}

void Transfer::State::close() {
  client.loop.cancel_timer(std::exchange(timer, 0));
  if (easy == nullptr) return;
  curl_multi_remove_handle(client.multi, easy);
  curl_easy_cleanup(std::exchange(easy, nullptr));
}

size_t Transfer::State::on_header(char* data, size_t, size_t size, void* self) {
  State& state = *static_cast<State*>(self);
  if (state.listener == nullptr) return CURL_WRITEFUNC_ERROR;
  switch (state.head_reader.feed({data, size})) {
    case HeadReader::Step::kMore:
      return size;
    case HeadReader::Step::kBroken:
      return CURL_WRITEFUNC_ERROR;
    case HeadReader::Step::kComplete:
      break;
  }
  state.tell_head();
  return state.listener == nullptr ? CURL_WRITEFUNC_ERROR : size;
}

void Transfer::State::tell_head() {
  client.loop.cancel_timer(std::exchange(timer, 0));
  listener->on_head(head_reader.take_head(), head_reader.length(), head_reader.reason());
}

curl_socket_t Transfer::State::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  State& state = *static_cast<State*>(self);
  std::optional<core::IpAddress> ip;
  uint16_t port = 0;
  // What `addr` is declared as is too small for IPv6; curl leaves room for it.
  const char* bytes = reinterpret_cast<const char*>(address) + offsetof(curl_sockaddr, addr);
  if (address->family == AF_INET) {
    sockaddr_in v4;
    memcpy(&v4, bytes, sizeof(v4));
    ip = core::IpAddress::v4(reinterpret_cast<const uint8_t*>(&v4.sin_addr));
    port = ntohs(v4.sin_port);
  } else if (address->family == AF_INET6) {
    sockaddr_in6 v6;
    memcpy(&v6, bytes, sizeof(v6));
    ip = core::IpAddress::v6(v6.sin6_addr.s6_addr);
    port = ntohs(v6.sin6_port);
  }
  std::string refusal = ip ? state.check_address(*ip, port) : "the address is neither IPv4 nor IPv6";
  if (!refusal.empty()) {
    state.refusal = std::move(refusal);
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t Transfer::State::on_write(char* data, size_t, size_t size, void* self) {
  State& state = *static_cast<State*>(self);
  if (state.listener == nullptr) return CURL_WRITEFUNC_ERROR;
  if (state.hold_download) {
    state.download_paused = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  const core::WriteStatus status = state.listener->on_data({data, size});
  if (status == core::WriteStatus::kGone) state.listener = nullptr;
  if (state.listener == nullptr) return CURL_WRITEFUNC_ERROR;
  state.hold_download = status == core::WriteStatus::kWait;
  return size;
}

size_t Transfer::State::on_read(char* buffer, size_t, size_t size, void* self) {
  State& state = *static_cast<State*>(self);
  if (state.listener == nullptr) return CURL_READFUNC_ABORT;
  const size_t count = state.read(buffer, size);
  if (count == CURL_READFUNC_PAUSE || count == CURL_READFUNC_ABORT) return count;
  state.progress_ms = state.client.loop.now_ms();
  if (state.upload_left) {
    *state.upload_left -= std::min<uint64_t>(*state.upload_left, count);
    // A body that ends early would leave the other side waiting for the rest.
    if (count == 0 && *state.upload_left > 0) state.upload_failed = true;
    if (*state.upload_left == 0) state.upload_done = true;
  }
  if (count == 0) state.upload_done = true;
  return state.upload_failed ? CURL_READFUNC_ABORT : count;
}

// Bytes put into `buffer`, 0 at the end of the body, or one of curl's special values.
size_t Transfer::State::read(char* buffer, size_t size) {
  if (rest_at < rest.size()) {
    const size_t count = std::min(size, rest.size() - rest_at);
    memcpy(buffer, rest.data() + rest_at, count);
    rest_at += count;
    return count;
  }
  while (true) {
    const core::BodyPiece piece = listener->read_body();
    if (listener == nullptr) return CURL_READFUNC_ABORT;
    switch (piece.status) {
      case core::ReadStatus::kWait:
        upload_paused = true;
        return CURL_READFUNC_PAUSE;
      case core::ReadStatus::kEnd:
        return 0;
      case core::ReadStatus::kFailed:
        upload_failed = true;
        return CURL_READFUNC_ABORT;
      case core::ReadStatus::kData:
        break;
    }
    if (piece.data.empty()) continue;  // to curl, nothing means the end
    const size_t count = std::min(size, piece.data.size());
    memcpy(buffer, piece.data.data(), count);
    rest.assign(piece.data.substr(count));
    rest_at = 0;
    return count;
  }
}

void Transfer::State::resume() {
  if (easy == nullptr) return;
  if (client.depth > 0) {
    unpause = client.unsettled = true;
    return;
  }
  CurlClient::Impl::Entered entered(client);
  apply_pauses();
}

void Transfer::State::apply_pauses() {
  if (easy == nullptr) return;
  curl_easy_pause(easy, (upload_paused ? CURLPAUSE_SEND : 0) | (download_paused ? CURLPAUSE_RECV : 0));
}

void Transfer::State::watch_time(uint64_t milliseconds) {
  timer = client.loop.start_timer(milliseconds, [this] {
    timer = 0;
    const uint64_t now = client.loop.now_ms();
    // While the request's body is what is waited for, the other side cannot answer.
    if (upload_paused) progress_ms = now;
    const uint64_t passed = now - std::min(progress_ms, now);
    if (passed < response_timeout_ms) return watch_time(response_timeout_ms - passed);
    client.finish(*this, CURLE_OPERATION_TIMEDOUT);
  });
}

// --- handles ---

Transfer::~Transfer() {
  if (state_ == nullptr) return;
  state_->listener = nullptr;
  if (state_->client.depth > 0) {
    state_->abandoned = state_->client.unsettled = true;
    return;
  }
  state_->client.transfers.erase(state_->self);
}

void Transfer::resume_upload() {
  if (state_ != nullptr && std::exchange(state_->upload_paused, false)) state_->resume();
}

void Transfer::resume_download() {
  if (state_ == nullptr) return;
  state_->hold_download = false;
  if (std::exchange(state_->download_paused, false)) state_->resume();
}

bool Transfer::upload_done() const {
  return state_ == nullptr || state_->upload_done;
}

CurlClient::CurlClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CurlClient::~CurlClient() = default;

core::Result<std::unique_ptr<CurlClient>> CurlClient::create(net::EventLoop& loop, ClientOptions options) {
  // Once for the process, whichever thread comes first.
  static const CURLcode kInitialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi = kInitialised == CURLE_OK ? curl_multi_init() : nullptr;
  if (multi == nullptr) return core::Error{"the HTTP client libcurl could not be started"};
  auto impl = std::make_unique<Impl>(loop, multi);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, static_cast<void*>(impl.get()));
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, static_cast<void*>(impl.get()));
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kIdleConnections);
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, options.max_connections);
  return std::unique_ptr<CurlClient>(new CurlClient(std::move(impl)));
}

core::Result<Transfer> CurlClient::start(const ClientRequest& request, TransferListener& listener) {
  auto state = std::make_unique<Transfer::State>(*impl_, listener);
  CURLcode result = state->set_up(request);
  if (result == CURLE_OK && curl_multi_add_handle(impl_->multi, state->easy) != CURLM_OK) result = CURLE_FAILED_INIT;
  if (result != CURLE_OK) return core::Error{curl_easy_strerror(result)};
  state->response_timeout_ms = request.response_timeout_ms;
  state->progress_ms = impl_->loop.now_ms();
  if (request.response_timeout_ms > 0) state->watch_time(request.response_timeout_ms);
  Transfer transfer(state.get());
  impl_->transfers.push_front(std::move(state));
  transfer.state_->self = impl_->transfers.begin();
  return transfer;
}

}  // namespace valor::client
