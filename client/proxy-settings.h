// Proxies that the environment names, by the rules of curl: http_proxy, https_proxy, all_proxy, no_proxy. They are
// decided here, not by libcurl, because whoever checks addresses must know whether one is a proxy's.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace valor::client {

class ProxySettings {
 public:
  /// "" for a variable that is not set.
  using Environment = std::function<std::string(const char* name)>;
  explicit ProxySettings(const Environment& environment);

  /// Those of this process, read at the first call.
  static const ProxySettings& of_process();

  /// The URL of the proxy for a request; "" for none. `host` as it stands in URLs.
  std::string proxy_for(std::string_view scheme, std::string_view host) const;

 private:
  bool is_exempt(std::string_view host) const;

  std::string http_;
  std::string https_;
  std::string exempt_;
};

}  // namespace valor::client
