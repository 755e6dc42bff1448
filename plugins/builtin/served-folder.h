// How the files of a folder answer for the paths below a mount.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "host/guest.h"
#include "plugins/builtin/file-sender.h"
#include "plugins/builtin/folder.h"

namespace valor::plugins::builtin {

/// The path below the folder that a mount-relative url names: decoded once; nullopt where it names nothing that is
/// served (NUL or backslash, encoded slashes, empty, dot or hidden segments; .well-known is not hidden, RFC 8615).
/// A slash at the end is kept. `malformed` is set for a broken percent-encoding.
std::optional<std::string> file_path_of(std::string_view url, bool& malformed);

struct FolderSettings {
  std::string index;          ///< the file that answers for a folder; "" for none
  std::string cache_control;  ///< "" for none
  /// Whether NAME.br and NAME.gz are what NAME is in these codings, for clients that take them.
  bool precompressed = false;
  /// Adds what else is to be said of the file at this path.
  std::function<void(std::string_view path, core::HeaderList& headers)> describe = {};
};

/// Answers `call` with the file of `folder` that its url names.
void serve_folder(host::GuestContext& context, host::Call& call, const Folder& folder, const FolderSettings& settings,
                  FileSender& sender);

}  // namespace valor::plugins::builtin
