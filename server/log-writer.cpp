#include "server/log-writer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

#include "core/json.h"

namespace valor::server {

namespace {

constexpr size_t kMaxBuffered = 4 * 1024 * 1024;
// Of one message: more is cut off. A plug-in could otherwise have gigabytes copied, and others wait for their turn.
constexpr size_t kMaxMessage = 64 * 1024;
// Lines that come within this time of each other are written together.
constexpr std::chrono::milliseconds kGather{2};

constexpr const char* kReset = "\x1b[0m";

std::string_view name_of(core::LogLevel level) {
  switch (level) {
    case core::LogLevel::kDebug:
      return "debug";
    case core::LogLevel::kInfo:
      return "info";
    case core::LogLevel::kWarn:
      return "warn";
    case core::LogLevel::kError:
      return "error";
    case core::LogLevel::kOff:
      break;
  }
  return "";
}

const char* color_of(core::LogLevel level) {
  switch (level) {
    case core::LogLevel::kDebug:
      return "\x1b[2m";
    case core::LogLevel::kWarn:
      return "\x1b[33m";
    case core::LogLevel::kError:
      return "\x1b[31m";
    default:
      return "\x1b[36m";
  }
}

const char* color_of(uint16_t status) {
  if (status >= 500) return "\x1b[31m";
  if (status >= 400) return "\x1b[33m";
  if (status >= 300) return "\x1b[36m";
  return "\x1b[32m";
}

int64_t unix_ms_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// 2026-01-31T12:00:00.123Z
void append_time(std::string& out, int64_t unix_ms) {
  const time_t seconds = unix_ms / 1000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  out.append(text, size);
  snprintf(text, sizeof text, ".%03dZ", static_cast<int>(unix_ms % 1000));
  out += text;
}

void append_ms(std::string& out, uint64_t microseconds) {
  char text[32];
  snprintf(text, sizeof text, "%.3f", static_cast<double>(microseconds) / 1000);
  out += text;
}

// Text from plug-ins and clients must not be able to look like a line of the log or to steer a terminal.
void append_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\n    ";
    } else if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
      char escaped[8];
      snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      out += escaped;
    } else {
      out += c;
    }
  }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":";
  core::append_json_string(out, value);
}

}  // namespace

std::string format_message(const LogOptions& options, int64_t unix_ms, core::LogLevel level, std::string_view source,
                           std::string_view message) {
  std::string line;
  if (options.json) {
    line += "{\"time\":\"";
    append_time(line, unix_ms);
    line += '"';
    append_field(line, "level", name_of(level));
    append_field(line, "source", source);
    append_field(line, "message", message);
    return line + "}";
  }
  append_time(line, unix_ms);
  line += ' ';
  if (options.color) line += color_of(level);
  line += name_of(level);
  if (options.color) line += kReset;
  line.append(name_of(level).size() < 5 ? 2 : 1, ' ');
  line += '[';
  append_text(line, source);
  line += "] ";
  append_text(line, message);
  return line;
}

std::string format_access(const LogOptions& options, int64_t unix_ms, const core::AccessRecord& record) {
  std::string line;
  if (options.json) {
    line += "{\"time\":\"";
    append_time(line, unix_ms);
    line += "\",\"level\":\"info\"";
    append_field(line, "method", record.method);
    append_field(line, "path", record.target);
    line += ",\"status\":" + std::to_string(record.status);
    append_field(line, "plugin", record.plugin);
    append_field(line, "request_id", record.request_id);
    line += ",\"ms\":";
    append_ms(line, record.microseconds);
    if (!record.caller.empty()) append_field(line, "from", record.caller);
    return line + "}";
  }
  append_time(line, unix_ms);
  line += ' ';
  append_text(line, record.method.empty() ? "-" : record.method);
  line += ' ';
  append_text(line, record.target.empty() ? "-" : record.target);
  line += ' ';
  if (options.color) line += color_of(record.status);
  line += std::to_string(record.status);
  if (options.color) line += kReset;
  line += ' ';
  append_text(line, record.plugin.empty() ? "-" : record.plugin);
  line += ' ';
  append_text(line, record.request_id.empty() ? "-" : record.request_id);
  line += ' ';
  append_ms(line, record.microseconds);
  line += "ms";
  if (!record.caller.empty()) {
    line += " from ";
    append_text(line, record.caller);
  }
  return line;
}

LogWriter::LogWriter(LogOptions options) : options_(options), thread_([this] { run(); }) {}

LogWriter::~LogWriter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  filled_.notify_one();
  thread_.join();
}

void LogWriter::write(core::LogLevel level, std::string_view source, std::string_view message) {
  if (!keeps(level)) return;
  if (message.size() <= kMaxMessage) return add(format_message(options_, unix_ms_now(), level, source, message));
  size_t end = kMaxMessage;
  while ((static_cast<unsigned char>(message[end]) & 0xC0) == 0x80 && end > kMaxMessage - 4) --end;
  const std::string cut =
      std::string(message.substr(0, end)) + "... (" + std::to_string(message.size() - end) + " bytes more)";
  add(format_message(options_, unix_ms_now(), level, source, cut));
}

void LogWriter::access(const core::AccessRecord& record) {
  if (keeps_access()) add(format_access(options_, unix_ms_now(), record));
}

void LogWriter::add(std::string line) {
  line += '\n';
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    if (buffer_.size() + line.size() > kMaxBuffered) {
      ++dropped_;
      return;
    }
    first = buffer_.empty();
    buffer_ += line;
  }
  if (first) filled_.notify_one();
}

void LogWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    filled_.wait(lock, [this] { return stopping_ || !buffer_.empty(); });
    if (!stopping_) filled_.wait_for(lock, kGather, [this] { return stopping_; });
    std::string text;
    text.swap(buffer_);
    if (const uint64_t dropped = std::exchange(dropped_, 0); dropped > 0) {
      text +=
          format_message(options_, unix_ms_now(), core::LogLevel::kWarn, "log",
                         std::to_string(dropped) + " lines were dropped, because nobody reads the log fast enough") +
          "\n";
    }
    const bool last = stopping_;
    lock.unlock();
    write_out(text);
    lock.lock();
    if (last && buffer_.empty()) return;
  }
}

void LogWriter::write_out(const std::string& text) const {
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(options_.fd, text.data() + written, text.size() - written);
    if (count > 0) {
      written += static_cast<size_t>(count);
    } else if (count < 0 && errno == EAGAIN) {
      // Standard error is shared and somebody made it non-blocking.
      pollfd ready{options_.fd, POLLOUT, 0};
      poll(&ready, 1, 1000);
    } else if (count < 0 && errno != EINTR) {
      return;
    }
  }
}

}  // namespace valor::server
