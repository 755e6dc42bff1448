// Which URLs are this server's own, so that what a plug-in fetches from there need not leave the process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace valor::core {

class Site {
 public:
  /// Everything at `origin` ("http://127.0.0.1:8080") is the server's.
  void add_origin(std::string origin);
  /// `location`, and all below it, is what is mounted at `prefix` (as normalise_mount() gives it). For a mount whose
  /// public URL is another than the server's with the prefix, because a proxy stands in front: what else is at that
  /// origin is not known. `location` is an http: or https: URL without fragment.
  void add_mount(std::string_view location, std::string_view prefix);

  /// The request target (path and query) of an absolute http: or https: URL in the form that the URL Standard
  /// serialises it to, without fragment. Returns false when it is not the server's. The longest location wins.
  bool find(std::string_view url, std::string& target) const;

 private:
  struct Mount {
    std::string location;  // without a slash at the end
    std::string path;      // "" for the root, else "/prefix"
  };
  std::vector<std::string> origins_;
  std::vector<Mount> mounts_;  // longest location first
};

}  // namespace valor::core
