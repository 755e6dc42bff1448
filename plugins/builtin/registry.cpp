#include "plugins/builtin/registry.h"

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/json.h"
#include "plugins/builtin/admission.h"
#include "plugins/builtin/answers.h"

namespace valor::plugins::builtin {

namespace {

// Against clients that fill the memory: no sensible definition is larger.
constexpr size_t kMaxBody = 1024 * 1024;
constexpr std::string_view kCollectionMethods = "GET, HEAD, POST";
constexpr std::string_view kItemMethods = "GET, HEAD, PUT, DELETE";

core::ResponseHead json_head(uint16_t status) {
  core::ResponseHead head;
  head.status = status;
  head.headers.append("content-type", "application/json");
  head.headers.append("cache-control", "no-store");
  return head;
}

std::string iso_time(int64_t unix_ms) {
  const time_t seconds = unix_ms / 1000;
  tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  const size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(unix_ms % 1000));
  return text;
}

void append_number(std::string& out, const char* key, uint64_t value) {
  out.append(",\"").append(key).append("\":").append(std::to_string(value));
}

// The body of a PUT may leave the name out, which is in the URL; it is written into the text rather than into a parsed
// copy so that line numbers in errors stay those of the body. A name that is there must be the same: `mismatch` is set.
std::string with_name(const std::string& body, const std::string& name, bool& mismatch) {
  mismatch = false;
  const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return body;  // parse_definition says what is wrong
  const auto found = json.find("name");
  if (found != json.end()) {
    mismatch = found->is_string() && found->get_ref<const std::string&>() != name;
    return body;
  }
  std::string member = "\"name\":";
  core::append_json_string(member, name);
  if (!json.empty()) member += ',';
  std::string completed = body;
  return completed.insert(completed.find('{') + 1, member);
}

}  // namespace

std::string to_json(const host::PluginStatus& status) {
  std::string out = "{\"name\":";
  core::append_json_string(out, status.definition.name);
  out += ",\"definition\":" + core::to_json(status.definition);
  append_number(out, "version", status.version);
  out += ",\"state\":\"" + std::string(to_string(status.state)) + "\",\"error\":";
  if (status.error.empty()) {
    out += "null";
  } else {
    core::append_json_string(out, status.error);
  }
  append_number(out, "requests", status.requests);
  append_number(out, "failures", status.failures);
  append_number(out, "in_flight", status.in_flight);
  append_number(out, "restarts", status.restarts);
  append_number(out, "instances", status.instances);
  out += ",\"last_limit\":";
  const host::LimitTrip& trip = status.last_limit;
  if (trip.limit.empty()) {
    out += "null";
  } else {
    out += "{\"limit\":";
    core::append_json_string(out, trip.limit);
    append_number(out, "value", trip.value);
    append_number(out, "count", trip.count);
    out += ",\"at\":\"" + iso_time(trip.last_unix_ms) + "\"}";
  }
  return out + "}";
}

struct Registry::Mailbox {
  std::mutex mutex;
  net::EventLoop* loop;
  Registry* registry;
};

Registry::Registry(host::GuestContext& context, host::PluginControl& control, std::string token)
    : context_(context), control_(control), token_(std::move(token)), mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->loop = &context.loop();
  mailbox_->registry = this;
}

Registry::~Registry() {
  std::lock_guard lock(mailbox_->mutex);
  mailbox_->loop = nullptr;
  mailbox_->registry = nullptr;
}

void Registry::start() {
  ConfigReader config(context_.definition().config);
  const core::Status read = config.finish();
  if (!read) return context_.start_failed(read.error().message);
  context_.ready();
}

void Registry::handle(host::Call& call) {
  const core::Request& request = call.request();
  const Admission admission = admit(request, token_);
  if (admission.status == 401) {
    return respond_problem(context_, call, 401, admission.detail, {{"www-authenticate", "Bearer realm=\"valor\""}});
  }
  if (admission.status != 0) return respond_problem(context_, call, admission.status, admission.detail);

  const bool reads = request.method == "GET" || request.method == "HEAD";
  const std::optional<std::string> name = percent_decode(path_of(request.url));
  if (!name) return respond_problem(context_, call, 400, "the path holds a broken percent-encoding");
  if (name->empty()) {
    if (reads) return answer_list(call);
    if (request.method == "POST") return begin_upload(call, Action::kAdd, {});
    return respond_method_not_allowed(context_, call, kCollectionMethods);
  }
  if (reads) return answer_one(call, *name);
  if (request.method != "PUT" && request.method != "DELETE") {
    return respond_method_not_allowed(context_, call, kItemMethods);
  }
  // Its own draining would wait for the very request that asks for it.
  if (*name == context_.definition().name) {
    return respond_problem(context_, call, 409, "the registry cannot replace or remove itself");
  }
  if (request.method == "PUT") return begin_upload(call, Action::kPut, *name);
  core::Definition definition;
  definition.name = *name;
  ask(call.id(), Action::kRemove, std::move(definition));
}

void Registry::answer_list(host::Call& call) {
  std::string body = "{\"plugins\":[";
  bool first = true;
  for (const host::PluginStatus& status : control_.list()) {
    if (!std::exchange(first, false)) body += ',';
    body += to_json(status);
  }
  call.respond(json_head(200), body + "]}");
}

void Registry::answer_one(host::Call& call, const std::string& name) {
  for (const host::PluginStatus& status : control_.list()) {
    if (status.definition.name == name) return call.respond(json_head(200), to_json(status));
  }
  respond_problem(context_, call, 404, "there is no plug-in called \"" + name + "\"");
}

void Registry::begin_upload(host::Call& call, Action action, std::string name) {
  // A web page can send other types to any origin without asking it first (CORS-safelisted request headers).
  if (!is_json_type(call.request().headers.get("content-type").value_or(""))) {
    return respond_problem(context_, call, 415, "send the definition as content-type: application/json");
  }
  if (call.content_length().value_or(0) > kMaxBody) {
    return respond_problem(context_, call, 413, "a definition may have 1 MiB at most");
  }
  uploads_.emplace(call.id(), Upload{action, std::move(name), {}});
  read_upload(call);
}

void Registry::body_ready(host::Call& call) {
  if (uploads_.contains(call.id())) read_upload(call);
}

void Registry::read_upload(host::Call& call) {
  const host::CallId id = call.id();
  auto upload = uploads_.find(id);
  while (true) {
    const core::BodyPiece piece = call.read_body();
    if (piece.status == core::ReadStatus::kWait) return;
    if (piece.status == core::ReadStatus::kEnd) break;
    if (piece.status == core::ReadStatus::kFailed) {
      uploads_.erase(id);
      // Mostly the client has left, and the call with it.
      host::Call* open = context_.find(id);
      if (open != nullptr) respond_problem(context_, *open, 400, "the request's body broke off");
      return;
    }
    if (upload->second.body.size() + piece.data.size() > kMaxBody) {
      uploads_.erase(upload);
      return respond_problem(context_, call, 413, "a definition may have 1 MiB at most");
    }
    upload->second.body += piece.data;
  }
  Upload complete = std::move(upload->second);
  uploads_.erase(upload);
  submit(call, std::move(complete));
}

void Registry::submit(host::Call& call, Upload upload) {
  bool mismatch = false;
  if (upload.action == Action::kPut) upload.body = with_name(upload.body, upload.name, mismatch);
  core::Result<core::Definition> definition = core::parse_definition(upload.body, "request body");
  if (!definition) return respond_problem(context_, call, 400, definition.error().message);
  if (mismatch) {
    return respond_problem(context_, call, 400,
                           "request body: name: \"" + definition->name + "\" is not the name in the URL, \"" +
                               upload.name + "\"; a plug-in cannot be renamed");
  }
  std::error_code error;
  core::resolve_paths(*definition, std::filesystem::current_path(error).string());
  ask(call.id(), upload.action, std::move(definition).value());
}

void Registry::ask(host::CallId id, Action action, core::Definition definition) {
  auto done = [mailbox = mailbox_, id, action](host::ControlResult result) {
    // While the registry is there, so is its loop; the lock keeps it from going until the task is posted.
    std::lock_guard lock(mailbox->mutex);
    if (mailbox->loop == nullptr) return;
    mailbox->loop->post([mailbox, id, action, result = std::move(result)] {
      // Inside the turn, as the registry's destruction: it cannot go while this runs.
      if (mailbox->registry != nullptr) mailbox->registry->answer(id, action, result);
    });
  };
  switch (action) {
    case Action::kAdd:
      return control_.add(std::move(definition), std::move(done));
    case Action::kRemove:
      return control_.remove(definition.name, std::move(done));
    case Action::kPut:
      break;
  }
  // PUT creates what is not there (RFC 9110 section 9.3.4).
  core::Definition copy = definition;
  control_.replace(std::move(copy), [mailbox = mailbox_, id, done = std::move(done),
                                     definition = std::move(definition)](host::ControlResult result) {
    const auto* failure = std::get_if<host::ControlFailure>(&result);
    if (failure == nullptr || failure->error != host::ControlError::kNotFound) return done(std::move(result));
    std::lock_guard lock(mailbox->mutex);
    if (mailbox->loop == nullptr) return;
    mailbox->loop->post([mailbox, id, definition] {
      if (mailbox->registry != nullptr) mailbox->registry->ask(id, Action::kAdd, definition);
    });
  });
}

void Registry::answer(host::CallId id, Action action, const host::ControlResult& result) {
  host::Call* call = context_.find(id);
  if (call == nullptr) return;
  if (const auto* failure = std::get_if<host::ControlFailure>(&result)) {
    switch (failure->error) {
      case host::ControlError::kExists:
        return respond_problem(context_, *call, 409, failure->message);
      case host::ControlError::kNotFound:
        return respond_problem(context_, *call, 404, failure->message);
      case host::ControlError::kStartFailed:
        return respond_problem(context_, *call, 422, failure->message);
      case host::ControlError::kStopping:
        return call->fail({.status = 503, .detail = failure->message, .retry_after_s = 1});
    }
  }
  if (action == Action::kRemove) {
    core::ResponseHead head;
    head.status = 204;
    return call->respond(head, {});
  }
  const auto& status = std::get<host::PluginStatus>(result);
  core::ResponseHead head = json_head(action == Action::kAdd ? 201 : 200);
  if (action == Action::kAdd) {
    std::string location = local_path(call->request().target);
    if (call->request().method == "POST") location += (location.ends_with('/') ? "" : "/") + status.definition.name;
    head.headers.append("location", location);
  }
  call->respond(head, to_json(status));
}

void Registry::dropped(host::CallId id, host::DropReason) {
  uploads_.erase(id);
}

}  // namespace valor::plugins::builtin
