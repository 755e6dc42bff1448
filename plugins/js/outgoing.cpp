#include "plugins/js/outgoing.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "engine/script-error.h"
#include "plugins/js/js-guest.h"
#include "plugins/outgoing/instance-network.h"

namespace valor::plugins::js {

namespace {

// Of a response's body, until somebody reads it.
constexpr size_t kMaxUnread = 128 * 1024;
// Of a request's body that is there as a whole, at a time: it is copied on its way.
constexpr size_t kMaxSlice = 64 * 1024;
// Fetches between two searches for dropped responses, each of which is a whole garbage collection.
constexpr uint32_t kSearchEvery = 32;

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

}  // namespace

class Outgoing::Fetch final : public client::TransferListener {
 public:
  Fetch(Outgoing& owner, uint32_t id, host::CallId call) : owner(owner), id(id), call(call) {}

  void on_head(core::ResponseHead received, std::optional<uint64_t>, std::string_view words) override {
    head = std::move(received);
    reason = words;
    tell();
  }

  core::WriteStatus on_data(std::string_view data) override {
    unread.append(data);
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
    ended = true;
    tell_reader();
  }

  void on_failed(client::TransferFailure why) override {
    failure = std::move(why);
    tell();
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
  const host::CallId call;                     // on whose behalf; 0: of none
  std::unique_ptr<outgoing::Sending> sending;  // null: refused, or given up

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

Outgoing::Outgoing(JsGuest& guest)
    : guest_(guest), network_(std::make_unique<outgoing::InstanceNetwork>(guest.context(), guest.options().server)) {
  engine::Isolate& isolate = guest.isolate();
  v8::HandleScope handles(isolate.v8());
  on_head_.Reset(isolate.v8(), isolate.hook("onOutgoingHead"));
  on_readable_.Reset(isolate.v8(), isolate.hook("onOutgoingReadable"));
  on_wanted_.Reset(isolate.v8(), isolate.hook("onOutgoingWanted"));
  on_failed_.Reset(isolate.v8(), isolate.hook("onOutgoingFailed"));
}

Outgoing::~Outgoing() = default;

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
  // What runs on behalf of no request, or of one that is over, begins anew.
  const host::Call* caller = guest_.context().find(guest_.current_call());
  const unsigned hops = (caller != nullptr ? caller->request().hops : 0u) + 1;
  fetch.sending = network_->send(std::move(request), hops, fetch);
}

void Outgoing::find_dropped() {
  // Only the instance's own thread changes what is in fetches_.
  if (fetches_.size() < outgoing::InstanceNetwork::kMaxConnections || last_id_ < next_search_) return;
  next_search_ = last_id_ + kSearchEvery;
  const bool any = std::any_of(fetches_.begin(), fetches_.end(), [](const auto& entry) {
    return entry.second->head_delivered && !entry.second->reader_waits;
  });
  // A response that nobody refers to keeps its connection until V8 notices, and without need it does not look.
  if (any) guest_.isolate().v8()->LowMemoryNotification();
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
      if (fetch->sending != nullptr) fetch->sending->resume_download();
      return;
    }
    store = v8::ArrayBuffer::NewBackingStore(isolate, fetch->unread.size(),
                                             v8::BackingStoreInitializationMode::kUninitialized,
                                             v8::BackingStoreOnFailureMode::kReturnNull);
    // The isolate has tripped its memory limit, and ends when its code returns.
    if (store == nullptr) return info.GetReturnValue().SetNull();
    std::memcpy(store->Data(), fetch->unread.data(), fetch->unread.size());
    fetch->unread.clear();
    if (fetch->sending != nullptr) fetch->sending->resume_download();
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
  if (fetch->sending != nullptr) fetch->sending->resume_upload();
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
    fetch->sending.reset();
    fetch->unread.clear();
    fetch->on_failed(
        {client::TransferFailure::Kind::kBroken,
         "the request on whose behalf it was fetched is over: its client left or its time ran out; a fetch "
         "with keepalive goes on",
         "ERR_CALL_OVER"});
  }
}

}  // namespace valor::plugins::js
