#include "http/request-parser.h"

#include <algorithm>
#include <array>
#include <limits>

namespace valor::http {

namespace beast = boost::beast::http;

namespace {

// The smallest rest of a chunked body at a chunk boundary: "0\r\n\r\n".
constexpr size_t kSmallestChunkedRest = 5;
// A chunk-size line with its extensions, and the trailers, must fit in here; stops endless ones.
constexpr size_t kChunkOverhead = 16 * 1024;

std::string_view to_std(boost::beast::string_view view) {
  return {view.data(), view.size()};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2, reg-name; IPv4 addresses look like one.
constexpr std::array<bool, 256> make_name_bytes() {
  std::array<bool, 256> bytes{};
  for (char c : std::string_view("-._~!$&'()*+,;=0123456789"
                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    bytes[static_cast<uint8_t>(c)] = true;
  }
  return bytes;
}
constexpr auto kNameBytes = make_name_bytes();

bool is_registered_name(std::string_view name) {
  for (size_t at = 0; at < name.size(); ++at) {
    if (kNameBytes[static_cast<uint8_t>(name[at])]) continue;
    const bool encoded =
        name[at] == '%' && name.size() - at > 2 && is_hex_digit(name[at + 1]) && is_hex_digit(name[at + 2]);
    if (!encoded) return false;
    at += 2;
  }
  return !name.empty();
}

// uri-host [ ":" port ]. Of IP literals there are IPv6 addresses only, and their groups are not counted.
bool is_authority(std::string_view text) {
  size_t host_end = 0;
  if (text.starts_with('[')) {
    host_end = text.find(']');
    if (host_end == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, host_end - 1);
    const bool plain =
        std::all_of(address.begin(), address.end(), [](char c) { return is_hex_digit(c) || c == ':' || c == '.'; });
    if (!plain || address.find(':') == std::string_view::npos) return false;
    ++host_end;
  } else {
    host_end = std::min(text.find(':'), text.size());
    if (!is_registered_name(text.substr(0, host_end))) return false;
  }
  if (host_end == text.size()) return true;
  const std::string_view port = text.substr(host_end + 1);
  return text[host_end] == ':' && std::all_of(port.begin(), port.end(), is_digit);
}

// Whether the first line of `rest`, a chunk's header, is complete and has a quote that it does not close. Beast would
// look for the other quote in what follows.
bool leaves_quote_open(std::string_view rest) {
  if (rest.starts_with("\r\n")) rest.remove_prefix(2);
  const size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) return false;
  bool open = false;
  for (size_t at = 0; at < end; ++at) {
    if (rest[at] == '"') open = !open;
    if (rest[at] == '\\' && open) ++at;
  }
  return open;
}

ParseError line_too_long(const Limits& limits) {
  return {414, "the request line is too long", "request_line_bytes", limits.request_line_bytes};
}

// The headers that decide how a request is read, found in one pass: the first of each, and how many there are.
struct ControlHeaders {
  struct Field {
    std::string_view value;
    uint32_t count = 0;
    void found(std::string_view text) {
      if (count++ == 0) value = text;
    }
  };
  Field host;
  Field expect;
  Field length;
  Field coding;

  explicit ControlHeaders(const core::HeaderList& headers) {
    for (auto [name, value] : headers) {
      switch (name.size()) {
        case 4:
          if (name == "host") host.found(value);
          break;
        case 6:
          if (name == "expect") expect.found(value);
          break;
        case 14:
          if (name == "content-length") length.found(value);
          break;
        case 17:
          if (name == "transfer-encoding") coding.found(value);
          break;
        default:
          break;
      }
    }
  }
};

bool equals_lower(std::string_view text, std::string_view lower) {
  return core::same_header_name(text, lower);
}

}  // namespace

RequestParser::RequestParser(const Limits& limits) : limits_(limits) {
  header_limit(static_cast<uint32_t>(std::min<size_t>(limits.header_bytes, std::numeric_limits<uint32_t>::max())));
  body_limit(limits.body_bytes);
}

RequestParser::State RequestParser::parse_head(std::string_view data, core::Request& request, Framing& framing,
                                               size_t& consumed) {
  request_ = &request;
  data_ = data;
  // Beast uses up the request line before the rest of the head is there.
  ErrorCode code;
  consumed_ += put({data.data() + consumed_, data.size() - consumed_}, code);
  if (code == beast::error::need_more) {
    const size_t line_end = data.substr(0, limits_.request_line_bytes + 2).find("\r\n");
    if (line_end == std::string_view::npos && data.size() >= limits_.request_line_bytes + 2) {
      return fail(line_too_long(limits_));
    }
    if (data.size() >= limits_.header_bytes) code = beast::error::header_limit;
  }
  if (code == beast::error::need_more) return State::kIncomplete;
  if (code) return fail_from(code);
  consumed = consumed_;
  // Beast counts anew from where it stopped when the head came in pieces.
  if (consumed_ > limits_.header_bytes) return fail_from(beast::error::header_limit);
  constexpr size_t kBlanksAndVersion = 10;
  if (request.method.size() + request.target.size() + kBlanksAndVersion > limits_.request_line_bytes) {
    return fail(line_too_long(limits_));
  }
  if (auto error = check_head(request, framing)) return fail(*error);
  return State::kDone;
}

RequestParser::State RequestParser::parse_body(std::string_view data, std::string_view& piece, size_t& consumed) {
  data_ = data;
  piece_ = {};
  joined_.clear();
  consumed = 0;
  while (!is_done() && consumed < data.size()) {
    const std::string_view rest = data.substr(consumed);
    if (chunked() && chunk_left_ == 0 && rest.size() < kSmallestChunkedRest) break;
    ErrorCode code;
    consumed += put({rest.data(), rest.size()}, code);
    if (code == beast::error::need_more) {
      if (chunked() && leaves_quote_open(data.substr(consumed))) return fail_from(beast::error::bad_chunk_extension);
      if (data.size() - consumed > kChunkOverhead) {
        return fail({400, "a chunk header or the trailers are too long", "chunk_overhead_bytes", kChunkOverhead});
      }
      break;
    }
    if (code) return fail_from(code);
  }
  piece = piece_;
  return is_done() ? State::kDone : State::kIncomplete;
}

void RequestParser::add_piece(View data) {
  const std::string_view view = to_std(data);
  if (piece_.empty()) {
    piece_ = view;
    return;
  }
  if (joined_.empty()) joined_ = piece_;
  joined_ += view;
  piece_ = joined_;
}

void RequestParser::on_request_impl(beast::verb, View method_text, View target, int version, ErrorCode&) {
  request_->method = to_std(method_text);
  request_->target = to_std(target);
  version_ = version;
}

void RequestParser::on_response_impl(int, View, int, ErrorCode&) {}

void RequestParser::on_field_impl(beast::field, View name, View value, ErrorCode& code) {
  // RFC 9112 section 5.2 lets us refuse folded values. Beast joins their lines in a buffer of its own, or, where
  // nothing stands on the first one, skips its end.
  const char* from = name.data() + name.size();
  const bool in_place = value.data() >= from && value.data() < data_.data() + data_.size();
  if (!in_place || std::find(from, value.data(), '\r') != value.data()) {
    error_ = {400, "a header is folded over several lines, which is obsolete (RFC 9112 section 5.2)"};
    code = beast::error::bad_obs_fold;
    return;
  }
  if (is_header_done()) return;  // a trailer: read over, RFC 9110 section 6.5.1
  if (request_->headers.size() >= limits_.header_count) {
    error_ = {431, "the request has too many headers", "header_count", limits_.header_count};
    code = beast::error::header_limit;
    return;
  }
  request_->headers.append(to_std(name), to_std(value));
}

void RequestParser::on_header_impl(ErrorCode&) {}
void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) {}

std::size_t RequestParser::on_body_impl(View data, ErrorCode&) {
  add_piece(data);
  return data.size();
}

void RequestParser::on_chunk_header_impl(std::uint64_t size, View, ErrorCode&) {
  chunk_left_ = size;
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, View data, ErrorCode&) {
  add_piece(data);
  chunk_left_ -= data.size();
  return data.size();
}

void RequestParser::on_finish_impl(ErrorCode&) {}

RequestParser::State RequestParser::fail(ParseError error) {
  error_ = error;
  return State::kError;
}

RequestParser::State RequestParser::fail_from(ErrorCode code) {
  if (error_.status != 0) return State::kError;
  if (code == beast::error::header_limit) {
    return fail({431, "the request's head is too large", "header_bytes", limits_.header_bytes});
  }
  if (code == beast::error::body_limit) {
    return fail({413, "the request's body is too large", "body_bytes", limits_.body_bytes});
  }
  if (code == beast::error::bad_method) return fail({400, "the request line has no valid method"});
  if (code == beast::error::bad_target) return fail({400, "the request line has no valid target"});
  if (code == beast::error::bad_version) {
    // "HTTP/2.0" and the like are well-formed, and somebody else's protocol.
    const std::string_view line = data_.substr(0, data_.find("\r\n"));
    const size_t at = line.find(' ', line.find(' ') + 1);
    const bool well_formed = at != std::string_view::npos && line.size() == at + 9 && line.substr(at, 6) == " HTTP/" &&
                             line[at + 6] >= '0' && line[at + 6] <= '9' && line[at + 7] == '.' && line[at + 8] >= '0' &&
                             line[at + 8] <= '9';
    if (well_formed) return fail({505, "this server speaks HTTP/1.1 and HTTP/1.0"});
    return fail({400, "the request line has no valid HTTP version"});
  }
  if (code == beast::error::bad_content_length || code == beast::error::multiple_content_length) {
    return fail({400, "content-length is not one decimal number"});
  }
  if (code == beast::error::bad_transfer_encoding) {
    return fail({400, "transfer-encoding is repeated or stands beside content-length"});
  }
  if (code == beast::error::bad_chunk || code == beast::error::bad_chunk_extension) {
    return fail({400, "the chunked body is malformed"});
  }
  return fail({400, "the request's head is malformed"});
}

std::optional<ParseError> RequestParser::check_head(core::Request& request, Framing& framing) {
  framing = {};
  framing.http_1_0 = version_ == 10;
  framing.keep_alive = keep_alive();
  const ControlHeaders control(request.headers);
  if (auto error = check_framing(control.length.value, control.length.count, control.coding.value, control.coding.count,
                                 framing)) {
    return error;
  }
  if (request.method == "CONNECT" || request.method == "TRACE") {
    return ParseError{501, "the methods CONNECT and TRACE are not served"};
  }

  if (control.host.count > 1) return ParseError{400, "the host header is repeated"};
  if (control.host.count == 0 && !framing.http_1_0) return ParseError{400, "an HTTP/1.1 request needs a host header"};
  request.authority = control.host.value;
  // RFC 9110 section 7.2: empty where the target has no authority.
  if (!request.authority.empty() && !is_authority(request.authority)) {
    return ParseError{400, "the host header is malformed"};
  }
  request.scheme = "http";
  if (auto error = check_target(request)) return error;

  if (control.expect.count > 0 && !framing.http_1_0) {
    if (!equals_lower(control.expect.value, "100-continue"))
      return ParseError{417, "only the expectation 100-continue is met"};
    framing.expects_continue = framing.has_body;
  }
  return std::nullopt;
}

std::optional<ParseError> RequestParser::check_target(core::Request& request) {
  std::string& target = request.target;
  if (target.find('#') != std::string::npos) return ParseError{400, "the request target has a fragment"};
  if (target.front() == '/') return std::nullopt;
  if (target == "*" && request.method == "OPTIONS") {
    target = "/*";
    return std::nullopt;
  }
  // absolute-form: RFC 9112 section 3.2.2 has it win over the host header.
  const size_t colon = target.find("://");
  if (colon == std::string::npos || !(equals_lower(std::string_view(target).substr(0, colon), "http") ||
                                      equals_lower(std::string_view(target).substr(0, colon), "https"))) {
    return ParseError{400, "the request target is neither a path nor an http URL"};
  }
  const size_t start = colon + 3;
  const size_t end = std::min(target.find_first_of("/?", start), target.size());
  request.authority = target.substr(start, end - start);
  if (!is_authority(request.authority)) return ParseError{400, "the request target names no valid host"};
  target.erase(0, end);
  if (target.empty() || target.front() != '/') target.insert(0, 1, '/');
  return std::nullopt;
}

std::optional<ParseError> RequestParser::check_framing(std::string_view length, uint32_t lengths,
                                                       std::string_view coding, uint32_t codings, Framing& framing) {
  // https://www.rfc-editor.org/rfc/rfc9112#section-6.3: where two readings are possible, nobody gets one.
  if (codings > 0) {
    if (lengths > 0) return ParseError{400, "content-length and transfer-encoding exclude each other"};
    if (codings > 1) return ParseError{400, "transfer-encoding is repeated"};
    if (framing.http_1_0) return ParseError{400, "HTTP/1.0 has no transfer-encoding"};
    if (!equals_lower(coding, "chunked")) return ParseError{501, "the only transfer-encoding served is chunked"};
    framing.has_body = true;
    return std::nullopt;
  }
  if (lengths == 0) return std::nullopt;
  if (lengths > 1) return ParseError{400, "content-length is repeated"};
  const bool digits = !length.empty() && length.size() <= 19 &&
                      std::all_of(length.begin(), length.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return ParseError{400, "content-length is not one decimal number"};
  framing.content_length = content_length().get();
  framing.has_body = *framing.content_length > 0;
  return std::nullopt;
}

}  // namespace valor::http
