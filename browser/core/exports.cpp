// core/ for JavaScript: functions with C linkage over numbers and one buffer each way.
//
// A call's texts lie in the input buffer, each a 32-bit little-endian size and its bytes (core.ts, `write`);
// input(size) makes room for them. What a function has to say beside its result lies at output() until the next call,
// output_size() bytes. Objects are numbered handles. Request ids of an instance travel as doubles, which JavaScript
// counts in.
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "core/correlation.h"
#include "core/definition.h"
#include "core/json.h"
#include "core/problem.h"
#include "core/request-id.h"
#include "core/response-check.h"
#include "core/router.h"

#define EXPORT(name) extern "C" __attribute__((export_name(#name), used))

using namespace valor::core;

namespace {

// One module is one global of JavaScript, which has one thread.
constinit std::string input_buffer;
constinit std::string output_buffer;
constinit std::optional<IdSource> ids;

// The texts of the input, one after another.
class Input {
 public:
  std::string_view next() {
    uint32_t size;
    std::memcpy(&size, input_buffer.data() + at_, sizeof(size));
    at_ += sizeof(size) + size;
    return std::string_view(input_buffer).substr(at_ - size, size);
  }
  bool more() const { return at_ < input_buffer.size(); }

 private:
  size_t at_ = 0;
};

bool say(bool ok, std::string_view text) {
  output_buffer = text;
  return ok;
}

}  // namespace

EXPORT(input) char* input(uint32_t size) {
  input_buffer.resize(size);
  return input_buffer.data();
}

EXPORT(output) const char* output() {
  return output_buffer.data();
}

EXPORT(output_size) uint32_t output_size() {
  return static_cast<uint32_t>(output_buffer.size());
}

/// Before all others. Input: 32 random bytes.
EXPORT(start) void start() {
  IdSource::Seed seed;
  std::memcpy(seed.data(), Input().next().data(), sizeof(seed));
  ids.emplace(seed);
}

// --- definitions ---

/// Input: the file's text, its name. Whether it is right; says the definitions as a JSON array, or what is wrong.
EXPORT(parse_file) bool parse_file() {
  Input input;
  const std::string_view json = input.next();
  const Result<std::vector<Definition>> definitions = parse_plugin_file(json, input.next(), Sources::kUrls);
  if (!definitions) return say(false, definitions.error().message);
  output_buffer = "[";
  for (const Definition& definition : definitions.value()) {
    if (output_buffer.size() > 1) output_buffer += ',';
    output_buffer += to_json(definition);
  }
  output_buffer += ']';
  return true;
}

/// The same for one definition.
EXPORT(parse_one) bool parse_one() {
  Input input;
  const std::string_view json = input.next();
  const Result<Definition> definition = parse_definition(json, input.next(), Sources::kUrls);
  return definition ? say(true, to_json(definition.value())) : say(false, definition.error().message);
}

// --- routing ---

EXPORT(create_router) Router* create_router() {
  return new Router();
}

EXPORT(free_router) void free_router(Router* router) {
  delete router;
}

/// Input: the prefix. Whether it is added; says why not.
EXPORT(add_mount) bool add_mount(Router* router, uint32_t id) {
  const Status added = router->add(Input().next(), id);
  return added || say(false, added.error().message);
}

/// Input: the target. The mount's id, or -1; says the URL relative to the mount.
EXPORT(find) int32_t find(const Router* router) {
  Match match;
  std::string scratch;
  if (!router->find(Input().next(), match, scratch)) return -1;
  say(true, match.url);
  return static_cast<int32_t>(match.id);
}

// --- requests and responses ---

/// Input: the values of the client's x-request-id headers. Says the request's id, as assign_request_id() has it.
EXPORT(request_id) void request_id() {
  Input input;
  const std::string_view sent = input.more() ? input.next() : "";
  say(true, !input.more() && is_acceptable_request_id(sent) ? sent : std::string_view(ids->make()));
}

/// Input: detail, plug-in, limit, stack, request id. Says the problem as JSON.
EXPORT(problem_json) void problem_json(uint32_t status, double limit_value) {
  Input input;
  Problem problem{.status = static_cast<uint16_t>(status), .detail = {}};
  problem.detail = input.next();
  problem.plugin = input.next();
  problem.limit = input.next();
  problem.limit_value = static_cast<uint64_t>(limit_value);
  problem.stack = input.next();
  say(true, to_json(problem, input.next()));
}

EXPORT(status_name) void status_name(uint32_t status) {
  say(true, status_text(static_cast<uint16_t>(status)));
}

/// Input: the status as JavaScript spells it, names and values of headers in turn. Whether a plug-in may answer with
/// them; says what is wrong.
EXPORT(check_response) bool check_response(int32_t status) {
  Input input;
  const std::string_view spelling = input.next();
  if (!is_response_status(status)) return say(false, refuse_response_status(spelling));
  while (input.more()) {
    const std::string_view name = input.next();
    const std::string wrong = check_response_header(name, input.next());
    if (!wrong.empty()) return say(false, wrong);
  }
  return true;
}

// --- correlation ---

EXPORT(create_correlator) Correlator* create_correlator() {
  return new Correlator();
}

EXPORT(free_correlator) void free_correlator(Correlator* correlator) {
  delete correlator;
}

/// Input: the client's id. Says the one that the plug-in sees.
EXPORT(begin) void begin(Correlator* correlator, double token) {
  say(true, correlator->begin(static_cast<Correlator::Token>(token), Input().next(), *ids));
}

EXPORT(enter_handler) void enter_handler(Correlator* correlator, double token) {
  correlator->enter_handler(static_cast<Correlator::Token>(token));
}

EXPORT(leave_handler) void leave_handler(Correlator* correlator) {
  correlator->leave_handler();
}

/// Input, where `named`: the answer's x-correlation-id. The request's token, or 0; says why.
EXPORT(match) double match(Correlator* correlator, bool named) {
  const Correlator::Answer answer = correlator->match(named ? std::optional(Input().next()) : std::nullopt);
  if (answer.token == 0) say(false, explain(answer.why));
  return static_cast<double>(answer.token);
}

EXPORT(end) void end(Correlator* correlator, double token, Ended how) {
  correlator->end(static_cast<Correlator::Token>(token), how);
}

EXPORT(expire) void expire(Correlator* correlator, double token) {
  correlator->expire(static_cast<Correlator::Token>(token));
}

EXPORT(one_at_a_time) bool one_at_a_time(const Correlator* correlator) {
  return correlator->one_at_a_time();
}

EXPORT(next) Next next(const Correlator* correlator) {
  return correlator->next();
}
