// Writes the log on a thread of its own. Whoever logs only formats a line into a buffer; when the reader of standard
// error is slow and the buffer is full, lines are dropped and their number is reported.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "core/log.h"

namespace valor::server {

struct LogOptions {
  int fd = 2;  ///< borrowed
  bool json = false;
  bool color = false;
  bool access = true;
  core::LogLevel level = core::LogLevel::kInfo;
};

/// Formats a line, without its end.
std::string format_message(const LogOptions& options, int64_t unix_ms, core::LogLevel level, std::string_view source,
                           std::string_view message);
std::string format_access(const LogOptions& options, int64_t unix_ms, const core::AccessRecord& record);

class LogWriter final : public core::Log {
 public:
  explicit LogWriter(LogOptions options);
  /// Writes what is left.
  ~LogWriter();

  void write(core::LogLevel level, std::string_view source, std::string_view message) override;
  void access(const core::AccessRecord& record) override;
  bool keeps(core::LogLevel level) const override {
    return level >= options_.level && options_.level != core::LogLevel::kOff;
  }
  bool keeps_access() const override { return options_.access && keeps(core::LogLevel::kInfo); }

 private:
  void add(std::string line);
  void run();
  void write_out(const std::string& text) const;

  const LogOptions options_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::string buffer_;
  uint64_t dropped_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace valor::server
