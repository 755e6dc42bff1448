#include "plugins/js/fetch-style.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "engine/script-error.h"
#include "plugins/js/js-guest.h"
#include "plugins/js/response-parts.h"

namespace valor::plugins::js {

namespace {

bool is_lower_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// The body's length where the plug-in declared one.
std::optional<uint64_t> declared_length(const core::HeaderList& headers) {
  std::optional<std::string_view> text = headers.get("content-length");
  uint64_t length = 0;
  if (!text || text->empty()) return std::nullopt;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return length;
}

}  // namespace

bool is_serialized_url(std::string_view scheme, std::string_view authority, std::string_view path_and_query) {
  if (authority.empty() || authority.front() == '-' || authority.front() == '.' || authority.back() == '.')
    return false;
  size_t colon = authority.find(':');
  std::string_view host = authority.substr(0, colon);
  // A host that ends in a number is an IPv4 address, which has many spellings; the usual one is fine.
  if (host.empty() ||
      !std::all_of(host.begin(), host.end(), [](char c) { return is_lower_alphanumeric(c) || c == '.' || c == '-'; })) {
    return false;
  }
  if (host.find("xn--") != std::string_view::npos) return false;
  char last = host.back();
  if (last >= '0' && last <= '9' && host != "127.0.0.1") return false;
  if (colon != std::string_view::npos) {
    std::string_view port = authority.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port.front() == '0' || port == (scheme == "https" ? "443" : "80") ||
        !std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      return false;
    }
  }
  bool in_query = false;
  char before = '/';
  for (size_t at = 0; at < path_and_query.size(); at++) {
    char c = path_and_query[at];
    if (c == '?') in_query = true;
    // "/." may begin a dot segment, which the parser removes, and so may an encoded dot.
    if (!in_query && c == '.' && before == '/') return false;
    if (!in_query && c == '%' && path_and_query.substr(at + 1, 1) == "2" &&
        (path_and_query.substr(at + 2, 1) == "e" || path_and_query.substr(at + 2, 1) == "E")) {
      return false;
    }
    bool plain = is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z') ||
                 std::string_view("-._~/?&=%:@!$()*+,;").find(c) != std::string_view::npos;
    if (!plain) return false;
    before = c;
  }
  return true;
}

FetchStyle::FetchStyle(JsGuest& guest) : guest_(guest), strings_(guest.isolate().v8()), head_(guest.isolate().v8()) {
  engine::Isolate& isolate = guest.isolate();
  on_fetch_.Reset(isolate.v8(), isolate.hook("onFetch"));
  on_body_ready_.Reset(isolate.v8(), isolate.hook("onBodyReady"));
  on_writable_.Reset(isolate.v8(), isolate.hook("onWritable"));
  on_dropped_.Reset(isolate.v8(), isolate.hook("onDropped"));
}

void FetchStyle::handle(host::Call& call) {
  v8::Isolate* isolate = guest_.isolate().v8();
  v8::HandleScope handles(isolate);
  const core::Request& request = call.request();
  const host::CallId id = call.id();

  std::string_view authority = request.authority;
  std::string_view location = guest_.context().location();
  if (authority.empty()) {
    // HTTP/1.0 without a Host header: the address that the operator gave the server.
    size_t start = location.find("://");
    if (start != std::string_view::npos) {
      authority = location.substr(start + 3);
      authority = authority.substr(0, authority.find('/'));
    }
  }
  bool serialized = is_serialized_url(request.scheme, authority, request.url);
  text_.assign(request.scheme).append("://").append(authority).append("/").append(request.url);
  v8::Local<v8::String> url = strings_.text(text_);
  text_.clear();
  for (auto [name, value] : request.headers) {
    text_.append(name).push_back('\0');
    text_.append(value).push_back('\0');
  }
  // https://fetch.spec.whatwg.org/#dom-request: such a request has no body; the connection skips what was sent.
  bool has_body = call.has_body() && request.method != "GET" && request.method != "HEAD";
  v8::Local<v8::Value> arguments[] = {v8::Number::New(isolate, static_cast<double>(id)),
                                      url,
                                      v8::Boolean::New(isolate, !serialized),
                                      strings_.token(request.method),
                                      strings_.text(text_),
                                      v8::Boolean::New(isolate, has_body)};
  guest_.run(id, [&] { (void)guest_.isolate().call(on_fetch_.Get(isolate), std::size(arguments), arguments); });
}

void FetchStyle::notify(const v8::Global<v8::Function>& hook, host::CallId id, v8::Local<v8::Value> more) {
  v8::Isolate* isolate = guest_.isolate().v8();
  guest_.run(id, [&] {
    v8::Local<v8::Value> arguments[] = {v8::Number::New(isolate, static_cast<double>(id)), more};
    (void)guest_.isolate().call(hook.Get(isolate), more.IsEmpty() ? 1 : 2, arguments);
  });
}

void FetchStyle::body_ready(host::Call& call) {
  notify(on_body_ready_, call.id());
}

void FetchStyle::writable(host::Call& call) {
  notify(on_writable_, call.id());
}

void FetchStyle::dropped(host::CallId id, host::DropReason reason) {
  v8::HandleScope handles(guest_.isolate().v8());
  notify(on_dropped_, id, v8::Boolean::New(guest_.isolate().v8(), reason == host::DropReason::kTimeout));
}

bool FetchStyle::read_head(host::CallId id, const Info& info) {
  if (!info[2]->IsString()) return false;
  std::string wrong = head_.read(info[1], info[2].As<v8::String>());
  if (wrong.empty()) return true;
  net::EventLoop::Inside inside(guest_.context().loop());
  guest_.fail_call(id, "The plug-in's response is not valid: " + wrong + ".", "gave no valid response: " + wrong);
  return false;
}

void FetchStyle::send_response(host::CallId id, const Info& info) {
  if (!read_head(id, info)) return;
  std::string_view body = js::read_body(info.GetIsolate(), info[3], text_);
  net::EventLoop::Inside inside(guest_.context().loop());
  if (host::Call* call = guest_.context().find(id)) call->respond(head_.head(), body);
  trim_buffer(text_);
}

void FetchStyle::start_response(host::CallId id, const Info& info) {
  info.GetReturnValue().Set(false);
  if (!read_head(id, info)) return;
  net::EventLoop::Inside inside(guest_.context().loop());
  host::Call* call = guest_.context().find(id);
  if (call == nullptr) return;
  call->start_response(head_.head(), declared_length(head_.head().headers));
  info.GetReturnValue().Set(true);
}

void FetchStyle::write_body(host::CallId id, const Info& info) {
  std::string_view piece = js::read_body(info.GetIsolate(), info[1], text_);
  net::EventLoop::Inside inside(guest_.context().loop());
  host::Call* call = guest_.context().find(id);
  core::WriteStatus status = core::WriteStatus::kGone;
  if (call != nullptr && call->response_started()) {
    status = piece.empty() ? core::WriteStatus::kReady : call->write(piece);
  }
  info.GetReturnValue().Set(static_cast<int32_t>(status));
}

void FetchStyle::finish_body(host::CallId id) {
  net::EventLoop::Inside inside(guest_.context().loop());
  host::Call* call = guest_.context().find(id);
  if (call != nullptr && call->response_started()) call->finish();
}

void FetchStyle::fail_call(host::CallId id, const Info& info) {
  std::string why = engine::to_utf8(info.GetIsolate(), info[1]);
  std::string text = why;
  if (info.Length() > 2) {
    v8::Local<v8::Message> message = v8::Exception::CreateMessage(info.GetIsolate(), info[2]);
    text += ": " + engine::describe_exception(guest_.isolate().context(), info[2], message);
  }
  net::EventLoop::Inside inside(guest_.context().loop());
  // Nobody hears of it any more when the client has left, and often that is the cause.
  if (guest_.context().find(id) == nullptr) return guest_.log(core::LogLevel::kDebug, text);
  guest_.fail_call(id, why + ".", text);
}

void FetchStyle::read_body(host::CallId id, const Info& info) {
  v8::Isolate* isolate = info.GetIsolate();
  std::unique_ptr<v8::BackingStore> store;
  {
    net::EventLoop::Inside inside(guest_.context().loop());
    host::Call* call = guest_.context().find(id);
    if (call == nullptr) return info.GetReturnValue().Set(false);
    core::BodyPiece piece = call->read_body();
    switch (piece.status) {
      case core::ReadStatus::kWait:
        return;
      case core::ReadStatus::kEnd:
        return info.GetReturnValue().SetNull();
      case core::ReadStatus::kFailed:
        return info.GetReturnValue().Set(false);
      case core::ReadStatus::kData:
        break;
    }
    store =
        v8::ArrayBuffer::NewBackingStore(isolate, piece.data.size(), v8::BackingStoreInitializationMode::kUninitialized,
                                         v8::BackingStoreOnFailureMode::kReturnNull);
    // The isolate has tripped its memory limit, and ends when its code returns.
    if (store == nullptr) return info.GetReturnValue().Set(false);
    std::memcpy(store->Data(), piece.data.data(), piece.data.size());
  }
  size_t length = store->ByteLength();
  v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(isolate, std::move(store));
  info.GetReturnValue().Set(v8::Uint8Array::New(buffer, 0, length));
}

}  // namespace valor::plugins::js
