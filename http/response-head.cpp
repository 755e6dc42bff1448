#include "http/response-head.h"

#include <charconv>
#include <cstring>
#include <ctime>
#include <utility>

#include "core/problem.h"

namespace valor::http {

namespace {

constexpr size_t kDateSize = 29;

enum class Ownership { kPlugin, kDate, kServer, kLength, kDropped };

// By length first: most names fall through the switch without a comparison.
Ownership owner_of(std::string_view name) {
  switch (name.size()) {
    case 4:
      return name == "date" ? Ownership::kDate : Ownership::kPlugin;
    case 6:
      return name == "server" ? Ownership::kServer : Ownership::kPlugin;
    case 7:
      return name == "upgrade" ? Ownership::kDropped : Ownership::kPlugin;
    case 10:
      return name == "connection" || name == "keep-alive" ? Ownership::kDropped : Ownership::kPlugin;
    case 14:
      return name == "content-length"   ? Ownership::kLength
             : name == "x-valor-plugin" ? Ownership::kDropped
                                        : Ownership::kPlugin;
    case 16:
      return name == "x-correlation-id" || name == "proxy-connection" ? Ownership::kDropped : Ownership::kPlugin;
    case 17:
      return name == "transfer-encoding" ? Ownership::kDropped : Ownership::kPlugin;
    default:
      return Ownership::kPlugin;
  }
}

// Writes where the caller has made room.
class Writer {
 public:
  explicit Writer(char* at) : at_(at) {}
  char* at() const { return at_; }

  void text(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void number(uint64_t number) { at_ = std::to_chars(at_, at_ + kMaxDigits, number).ptr; }
  void line(std::string_view name, std::string_view value) {
    text(name);
    text(": ");
    text(value);
    text("\r\n");
  }

  static constexpr size_t kMaxDigits = 20;

 private:
  char* at_;
};

void write_status_line(Writer& out, uint16_t status) {
  if (status == 200) {
    out.text("HTTP/1.1 200 OK\r\n");
    return;
  }
  out.text("HTTP/1.1 ");
  out.number(status);
  out.text(" ");
  out.text(core::status_text(status));
  out.text("\r\n");
}

// The date as of `unix_seconds`; the text changes once a second.
std::string_view date_of(int64_t unix_seconds) {
  // The model spares a call each time; the loader keeps room for so little, also in libraries that are loaded late.
  [[gnu::tls_model("initial-exec")]] static thread_local int64_t written = -1;
  [[gnu::tls_model("initial-exec")]] static thread_local char buffer[32];
  if (written != unix_seconds) {
    http_date(unix_seconds, buffer);
    written = unix_seconds;
  }
  return {buffer, kDateSize};
}

// All headers but those that frame the body on its connection. `out` has line(name, value).
template <class Out>
void write_headers(Out& out, const ResponseHeadParts& parts) {
  bool has_date = false;
  bool has_server = false;
  bool has_length = false;
  for (auto [name, value] : parts.head.headers) {
    switch (owner_of(name)) {
      case Ownership::kDropped:
        continue;
      case Ownership::kLength:
        if (parts.framing != BodyFraming::kDeclaredLength || has_length) continue;
        has_length = true;
        break;
      case Ownership::kDate:
        has_date = true;
        break;
      case Ownership::kServer:
        has_server = true;
        break;
      case Ownership::kPlugin:
        break;
    }
    out.line(name, value);
  }
  out.line("x-correlation-id", parts.request_id);
  if (!parts.plugin.empty()) out.line("x-valor-plugin", parts.plugin);
  if (!has_date) out.line("date", date_of(parts.unix_seconds));
  if (!has_server) out.line("server", parts.server);
}

struct ListWriter {
  core::HeaderList list;
  void line(std::string_view name, std::string_view value) { list.append(name, value); }
};

}  // namespace

bool status_has_body(uint16_t status) {
  return status >= 200 && status != 204 && status != 304;
}

BodyFraming framing_of(const core::ResponseHead& head, std::optional<uint64_t> length, bool body_follows, bool is_head,
                       bool unframed) {
  if (!status_has_body(head.status)) return head.status == 304 ? BodyFraming::kDeclaredLength : BodyFraming::kNone;
  if (is_head && (length.value_or(0) == 0 || !body_follows) && head.headers.has("content-length")) {
    return BodyFraming::kDeclaredLength;
  }
  if (length) return BodyFraming::kLength;
  if (is_head) return BodyFraming::kNone;
  return unframed ? BodyFraming::kUntilClose : BodyFraming::kChunked;
}

core::HeaderList finished_headers(const ResponseHeadParts& parts) {
  ListWriter writer;
  write_headers(writer, parts);
  if (parts.framing == BodyFraming::kLength) writer.line("content-length", std::to_string(parts.length));
  return std::move(writer.list);
}

std::string_view http_date(int64_t unix_seconds, char (&buffer)[32]) {
  static constexpr char kDays[] = "SunMonTueWedThuFriSat";
  static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const time_t time = unix_seconds;
  tm parts{};
  gmtime_r(&time, &parts);
  auto two = [](char* to, int number) {
    to[0] = static_cast<char>('0' + number / 10 % 10);
    to[1] = static_cast<char>('0' + number % 10);
  };
  std::memcpy(buffer, "Sun, 00 Jan 0000 00:00:00 GMT", 30);
  std::memcpy(buffer, kDays + 3 * parts.tm_wday, 3);
  two(buffer + 5, parts.tm_mday);
  std::memcpy(buffer + 8, kMonths + 3 * parts.tm_mon, 3);
  two(buffer + 12, (parts.tm_year + 1900) / 100);
  two(buffer + 14, (parts.tm_year + 1900) % 100);
  two(buffer + 17, parts.tm_hour);
  two(buffer + 20, parts.tm_min);
  two(buffer + 23, parts.tm_sec);
  return {buffer, kDateSize};
}

void append_response_head(std::string& out, const ResponseHeadParts& parts) {
  // Room for everything at once; what is not used is given back below.
  constexpr size_t kFixedParts = 256;
  constexpr size_t kSeparators = 4;
  const std::string_view reason = core::status_text(parts.head.status);
  size_t room = kFixedParts + reason.size() + parts.request_id.size() + parts.plugin.size() + parts.server.size();
  for (auto [name, value] : parts.head.headers) room += name.size() + value.size() + kSeparators;
  const size_t start = out.size();
  out.resize(start + room);
  Writer writer(out.data() + start);

  write_status_line(writer, parts.head.status);
  write_headers(writer, parts);
  if (parts.connection == ConnectionHeader::kClose) writer.text("connection: close\r\n");
  if (parts.connection == ConnectionHeader::kKeepAlive) writer.text("connection: keep-alive\r\n");
  if (parts.framing == BodyFraming::kLength) {
    writer.text("content-length: ");
    writer.number(parts.length);
    writer.text("\r\n");
  } else if (parts.framing == BodyFraming::kChunked) {
    writer.text("transfer-encoding: chunked\r\n");
  }
  writer.text("\r\n");
  out.resize(static_cast<size_t>(writer.at() - out.data()));
}

}  // namespace valor::http
