#include "http/response-head.h"

#include <charconv>
#include <cstring>
#include <ctime>

#include "core/problem.h"

namespace valor::http {

namespace {

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

void append_line(std::string& out, std::string_view name, std::string_view value) {
  const size_t at = out.size();
  out.resize(at + name.size() + value.size() + 4);
  char* to = out.data() + at;
  std::memcpy(to, name.data(), name.size());
  to += name.size();
  *to++ = ':';
  *to++ = ' ';
  std::memcpy(to, value.data(), value.size());
  to += value.size();
  *to++ = '\r';
  *to = '\n';
}

void append_number(std::string& out, uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_status_line(std::string& out, uint16_t status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, status);
  out += ' ';
  out += core::status_text(status);
  out += "\r\n";
}

}  // namespace

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
  return {buffer, 29};
}

void append_response_head(std::string& out, const ResponseHeadParts& parts) {
  append_status_line(out, parts.head.status);
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
    append_line(out, name, value);
  }
  append_line(out, "x-correlation-id", parts.request_id);
  if (!parts.plugin.empty()) append_line(out, "x-valor-plugin", parts.plugin);
  if (!has_date) {
    char buffer[32];
    append_line(out, "date", http_date(parts.unix_seconds, buffer));
  }
  if (!has_server) append_line(out, "server", parts.server);
  if (parts.connection == ConnectionHeader::kClose) out += "connection: close\r\n";
  if (parts.connection == ConnectionHeader::kKeepAlive) out += "connection: keep-alive\r\n";
  if (parts.framing == BodyFraming::kLength) {
    out += "content-length: ";
    append_number(out, parts.length);
    out += "\r\n\r\n";
  } else if (parts.framing == BodyFraming::kChunked) {
    out += "transfer-encoding: chunked\r\n\r\n";
  } else {
    out += "\r\n";
  }
}

}  // namespace valor::http
