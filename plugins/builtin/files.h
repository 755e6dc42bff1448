// The files plug-in: serves the files of a folder. docs/plugins-builtin.md has its configuration and statuses.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "host/guest.h"
#include "plugins/builtin/folder.h"

namespace valor::plugins::builtin {

/// The path below the folder that a mount-relative url names: decoded once; nullopt where it names nothing that is
/// served (NUL or backslash, encoded slashes, empty, dot or hidden segments; .well-known is not hidden, RFC 8615).
/// A slash at the end is kept. `malformed` is set for a broken percent-encoding.
std::optional<std::string> file_path_of(std::string_view url, bool& malformed);

class Files final : public host::Guest {
 public:
  explicit Files(host::GuestContext& context) : context_(context) {}
  void start() override;
  void handle(host::Call& call) override;
  void body_ready(host::Call&) override {}
  void writable(host::Call& call) override;
  void dropped(host::CallId id, host::DropReason reason) override;
  bool work() override;

 private:
  struct Download {
    Descriptor file;
    uint64_t offset;
    uint64_t left;
    bool waiting = false;  // for the client
  };

  void send_file(host::Call& call, Opened opened, std::string_view name);
  void refuse(host::Call& call, OpenStatus status);
  void send_pieces(host::CallId id);

  host::GuestContext& context_;
  std::optional<Folder> folder_;
  std::string index_;
  std::string cache_control_;
  std::unordered_map<host::CallId, Download> downloads_;
  std::vector<host::CallId> due_;  // downloads whose client takes more
};

}  // namespace valor::plugins::builtin
