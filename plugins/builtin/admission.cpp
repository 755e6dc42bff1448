#include "plugins/builtin/admission.h"

#include <arpa/inet.h>

#include <algorithm>

namespace valor::plugins::builtin {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

Admission check_token(const core::Request& request, std::string_view token) {
  const std::string_view header = request.headers.get("authorization").value_or("");
  const size_t space = header.find(' ');
  if (space == std::string_view::npos || lower(header.substr(0, space)) != "bearer") {
    return {401, "the registry needs the admin token; send it as: authorization: Bearer TOKEN"};
  }
  std::string_view presented = header.substr(space + 1);
  presented.remove_prefix(std::min(presented.find_first_not_of(' '), presented.size()));
  if (!same_secret(presented, token)) return {403, "this is not the admin token"};
  return {};
}

Admission check_browser(const core::Request& request) {
  std::string evidence;
  switch (sender_of(request, evidence)) {
    case Sender::kPlugin:
      return {403, "without an admin token the registry answers no plug-in; set one to let plug-ins that know it in"};
    case Sender::kOtherHost:
      return {403, "without an admin token the registry answers only to localhost; " + evidence};
    case Sender::kOtherOrigin:
      return {403, "the registry answers no web page of another origin (" + evidence +
                       "); set an admin token to use it from there"};
    case Sender::kLocal:
      break;
  }
  return {};
}

}  // namespace

Sender sender_of(const core::Request& request, std::string& evidence) {
  // A plug-in is a program on this machine, but the operator's trust in it ends at its permissions.
  if (request.hops > 0) return Sender::kPlugin;
  // A browser sends the host that the page used, so a rebound DNS name shows here.
  if (!is_loopback_authority(request.authority)) {
    evidence = "the Host header says \"" + request.authority + "\"";
    return Sender::kOtherHost;
  }
  // https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header; "none": the user's own navigation.
  for (const core::HeaderList::Header header : request.headers) {
    if (header.name == "sec-fetch-site" && header.value != "same-origin" && header.value != "none") {
      evidence = "Sec-Fetch-Site: " + std::string(header.value);
      return Sender::kOtherOrigin;
    }
    if (header.name == "origin" && lower(header.value) != lower(request.scheme + "://" + request.authority)) {
      evidence = "Origin: " + std::string(header.value);
      return Sender::kOtherOrigin;
    }
  }
  return Sender::kLocal;
}

Admission admit(const core::Request& request, std::string_view token) {
  return token.empty() ? check_browser(request) : check_token(request, token);
}

bool is_loopback_authority(std::string_view authority) {
  std::string host = lower(authority);
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    if (end == std::string::npos) return false;
    const std::string rest = host.substr(end + 1);
    if (!rest.empty() && (rest[0] != ':' || rest.find_first_not_of("0123456789", 1) != std::string::npos)) return false;
    in6_addr address;
    return inet_pton(AF_INET6, host.substr(1, end - 1).c_str(), &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address);
  }
  const size_t colon = host.find(':');
  if (colon != std::string::npos) {
    if (host.find_first_not_of("0123456789", colon + 1) != std::string::npos) return false;
    host.resize(colon);
  }
  if (host.ends_with('.')) host.pop_back();
  // RFC 6761 section 6.3: localhost and all names below it are this machine.
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

bool same_secret(std::string_view presented, std::string_view secret) {
  unsigned difference = presented.size() == secret.size() ? 0 : 1;
  for (size_t i = 0; i < presented.size(); ++i) {
    const char expected = secret.empty() ? '\0' : secret[i % secret.size()];
    difference |= static_cast<unsigned char>(presented[i]) ^ static_cast<unsigned char>(expected);
    // Keeps the compiler from leaving the loop at the first difference.
    asm volatile("" : "+r"(difference));
  }
  return difference == 0;
}

bool is_json_type(std::string_view content_type) {
  std::string_view essence = content_type.substr(0, content_type.find(';'));
  while (!essence.empty() && (essence.back() == ' ' || essence.back() == '\t')) essence.remove_suffix(1);
  return lower(essence) == "application/json";
}

}  // namespace valor::plugins::builtin
