#include "core/problem.h"

#include <iterator>
#include <span>

#include "core/json.h"
#include "core/text.h"

namespace valor::core {

namespace {

// https://www.iana.org/assignments/http-status-codes, by their hundreds
constexpr const char* kInformational[] = {"Continue", "Switching Protocols", "Processing", "Early Hints"};
constexpr const char* kSuccessful[] = {"OK",
                                       "Created",
                                       "Accepted",
                                       "Non-Authoritative Information",
                                       "No Content",
                                       "Reset Content",
                                       "Partial Content",
                                       "Multi-Status",
                                       "Already Reported"};
constexpr const char* kRedirection[] = {"Multiple Choices",  "Moved Permanently", "Found", "See Other",
                                        "Not Modified",      "Use Proxy",         "",      "Temporary Redirect",
                                        "Permanent Redirect"};
constexpr const char* kClientError[] = {"Bad Request",
                                        "Unauthorized",
                                        "Payment Required",
                                        "Forbidden",
                                        "Not Found",
                                        "Method Not Allowed",
                                        "Not Acceptable",
                                        "Proxy Authentication Required",
                                        "Request Timeout",
                                        "Conflict",
                                        "Gone",
                                        "Length Required",
                                        "Precondition Failed",
                                        "Content Too Large",
                                        "URI Too Long",
                                        "Unsupported Media Type",
                                        "Range Not Satisfiable",
                                        "Expectation Failed",
                                        "",
                                        "",
                                        "",
                                        "Misdirected Request",
                                        "Unprocessable Content",
                                        "Locked",
                                        "Failed Dependency",
                                        "Too Early",
                                        "Upgrade Required",
                                        "",
                                        "Precondition Required",
                                        "Too Many Requests",
                                        "",
                                        "Request Header Fields Too Large"};
constexpr const char* kServerError[] = {"Internal Server Error",
                                        "Not Implemented",
                                        "Bad Gateway",
                                        "Service Unavailable",
                                        "Gateway Timeout",
                                        "HTTP Version Not Supported",
                                        "Variant Also Negotiates",
                                        "Insufficient Storage",
                                        "Loop Detected",
                                        "",
                                        "",
                                        "Network Authentication Required"};

constexpr std::span<const char* const> kStatuses[] = {kInformational, kSuccessful, kRedirection, kClientError,
                                                      kServerError};

}  // namespace

std::string_view status_text(uint16_t status) {
  if (status == 226) return "IM Used";
  if (status == 451) return "Unavailable For Legal Reasons";
  const size_t hundred = status / 100U - 1;
  if (hundred >= std::size(kStatuses) || status % 100U >= kStatuses[hundred].size()) return "";
  return kStatuses[hundred][status % 100U];
}

std::string to_json(const Problem& problem, std::string_view request_id) {
  std::string json = R"({"type":"about:blank","title":)";
  append_json_string(json, status_text(problem.status));
  append_format(json, ",\"status\":%s", {size_t{problem.status}});
  auto member = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    append_format(json, ",\"%s\":", {name});
    append_json_string(json, value);
  };
  member("detail", problem.detail);
  member("plugin", problem.plugin);
  member("request_id", request_id);
  member("limit", problem.limit);
  if (!problem.limit.empty()) json += ",\"limit_value\":" + decimal(problem.limit_value);
  member("stack", problem.stack);
  json += '}';
  return json;
}

ResponseHead to_head(const Problem& problem) {
  ResponseHead head;
  head.status = problem.status;
  head.headers.append("content-type", "application/problem+json");
  head.headers.append("cache-control", "no-store");
  if (problem.retry_after_s != 0) head.headers.append("retry-after", decimal(problem.retry_after_s));
  return head;
}

}  // namespace valor::core
