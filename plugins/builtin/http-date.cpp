#include "plugins/builtin/http-date.h"

#include <chrono>
#include <cstdio>

namespace valor::plugins::builtin {

namespace {

constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::string_view kLongDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Takes pieces off the front of a text; once one does not fit, it has failed for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  void literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) {
      failed_ = true;
      return;
    }
    rest_.remove_prefix(expected.size());
  }
  template <size_t N>
  unsigned one_of(const std::string_view (&words)[N]) {
    for (unsigned i = 0; i < N; ++i) {
      if (rest_.starts_with(words[i])) {
        rest_.remove_prefix(words[i].size());
        return i;
      }
    }
    failed_ = true;
    return 0;
  }
  int digits(size_t count) {
    int value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (i >= rest_.size() || rest_[i] < '0' || rest_[i] > '9') {
        failed_ = true;
        return 0;
      }
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  bool done() const { return !failed_ && rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

struct Time {
  int year = 0;
  unsigned month = 0;  // 0 to 11
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

void clock(Scanner& scanner, Time& time) {
  time.hour = scanner.digits(2);
  scanner.literal(":");
  time.minute = scanner.digits(2);
  scanner.literal(":");
  time.second = scanner.digits(2);
}

std::optional<int64_t> to_unix(const Time& time) {
  const std::chrono::year_month_day date{std::chrono::year(time.year), std::chrono::month(time.month + 1),
                                         std::chrono::day(static_cast<unsigned>(time.day))};
  // 60 is a leap second.
  if (!date.ok() || time.hour > 23 || time.minute > 59 || time.second > 60) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + time.hour) * 60 + time.minute) * 60 + time.second;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<int64_t> parse_imf_fixdate(std::string_view text) {
  Scanner scanner(text);
  Time time;
  scanner.one_of(kDays);
  scanner.literal(", ");
  time.day = scanner.digits(2);
  scanner.literal(" ");
  time.month = scanner.one_of(kMonths);
  scanner.literal(" ");
  time.year = scanner.digits(4);
  scanner.literal(" ");
  clock(scanner, time);
  scanner.literal(" GMT");
  return scanner.done() ? to_unix(time) : std::nullopt;
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<int64_t> parse_rfc850(std::string_view text, int64_t now) {
  Scanner scanner(text);
  Time time;
  scanner.one_of(kLongDays);
  scanner.literal(", ");
  time.day = scanner.digits(2);
  scanner.literal("-");
  time.month = scanner.one_of(kMonths);
  scanner.literal("-");
  time.year = scanner.digits(2);
  scanner.literal(" ");
  clock(scanner, time);
  scanner.literal(" GMT");
  if (!scanner.done()) return std::nullopt;
  // What seems to lie more than 50 years ahead is in the past century.
  constexpr int64_t kFiftyYears = int64_t{50} * 365 * 86'400;
  time.year += 2000;
  std::optional<int64_t> result = to_unix(time);
  if (result && *result - now > kFiftyYears) {
    time.year -= 100;
    result = to_unix(time);
  }
  return result;
}

// "Sun Nov  6 08:49:37 1994"
std::optional<int64_t> parse_asctime(std::string_view text) {
  Scanner scanner(text);
  Time time;
  scanner.one_of(kDays);
  scanner.literal(" ");
  time.month = scanner.one_of(kMonths);
  scanner.literal(" ");
  if (scanner.rest().starts_with(' ')) {
    scanner.literal(" ");
    time.day = scanner.digits(1);
  } else {
    time.day = scanner.digits(2);
  }
  scanner.literal(" ");
  clock(scanner, time);
  scanner.literal(" ");
  time.year = scanner.digits(4);
  return scanner.done() ? to_unix(time) : std::nullopt;
}

}  // namespace

std::string format_http_date(int64_t unix_seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[64];
  snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
           kDays[std::chrono::weekday(day).c_encoding()].data(), static_cast<unsigned>(date.day()),
           kMonths[static_cast<unsigned>(date.month()) - 1].data(), static_cast<int>(date.year()),
           static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
           static_cast<int>(clock.seconds().count()));
  return text;
}

std::optional<int64_t> parse_http_date(std::string_view text, int64_t now) {
  if (auto time = parse_imf_fixdate(text)) return time;
  if (auto time = parse_rfc850(text, now)) return time;
  return parse_asctime(text);
}

}  // namespace valor::plugins::builtin
