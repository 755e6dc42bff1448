#include "core/site.h"

#include <algorithm>
#include <utility>

namespace valor::core {

namespace {

// Scheme and host in lower case, no default port: what the URL parser makes of what an operator may write.
std::string normalised(std::string_view location) {
  std::string url(location);
  const size_t host = url.find("://") + 3;
  const size_t end = std::min(url.find_first_of("/?", host), url.size());
  std::transform(url.begin(), url.begin() + static_cast<std::ptrdiff_t>(end), url.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string_view port = url.starts_with("https:") ? ":443" : ":80";
  if (std::string_view(url).substr(0, end).ends_with(port)) url.erase(end - port.size(), port.size());
  url.resize(std::min(url.find('?'), url.size()));
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// What follows `base` in `url`, where it ends there or goes on with a path or a query.
bool goes_on(std::string_view url, std::string_view base, std::string_view& rest) {
  if (!url.starts_with(base)) return false;
  rest = url.substr(base.size());
  return rest.empty() || rest.front() == '/' || rest.front() == '?';
}

}  // namespace

void Site::add_origin(std::string origin) {
  origins_.push_back(std::move(origin));
}

void Site::add_mount(std::string_view location, std::string_view prefix) {
  Mount mount{normalised(location), prefix.empty() ? std::string() : "/" + std::string(prefix)};
  const auto place = std::find_if(mounts_.begin(), mounts_.end(),
                                  [&](const Mount& other) { return other.location.size() <= mount.location.size(); });
  mounts_.insert(place, std::move(mount));
}

bool Site::find(std::string_view url, std::string& target) const {
  std::string_view rest;
  std::string_view path;
  const auto mount = std::find_if(mounts_.begin(), mounts_.end(),
                                  [&](const Mount& candidate) { return goes_on(url, candidate.location, rest); });
  if (mount != mounts_.end()) {
    path = mount->path;
  } else if (std::none_of(origins_.begin(), origins_.end(),
                          [&](const std::string& origin) { return goes_on(url, origin, rest); })) {
    return false;
  }
  target.assign(path).append(rest);
  if (!target.starts_with('/')) target.insert(0, "/");
  return true;
}

}  // namespace valor::core
