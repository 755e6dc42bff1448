// Answers GET and HEAD with an open file: conditional and range requests, and the body in pieces, as fast as the client
// takes it.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "host/guest.h"
#include "plugins/builtin/folder.h"
#include "plugins/builtin/preconditions.h"

namespace valor::plugins::builtin {

/// What is said of a file besides its length and validators.
struct Representation {
  std::string_view type;           ///< content-type
  std::string_view encoding = {};  ///< content-encoding
  core::HeaderList headers = {};   ///< sent with a 304 too
};

/// Its guest hands on what it is told: writable(), dropped(), work().
class FileSender {
 public:
  explicit FileSender(host::GuestContext& context) : context_(context) {}

  /// `opened` is a file.
  void send(host::Call& call, Opened opened, const Representation& representation);
  /// A file that is in memory, without ranges.
  void send_text(host::Call& call, std::string_view text, const Validators& validators,
                 const Representation& representation);
  /// Answers in the place of a file that could not be opened.
  void refuse(host::Call& call, OpenStatus status);

  void writable(host::Call& call);
  void dropped(host::CallId id) { downloads_.erase(id); }
  bool work();

 private:
  struct Download {
    Descriptor file;
    uint64_t offset;
    uint64_t left;
    bool waiting = false;  // for the client
  };

  // Answers what the client has already, or no longer wants. Returns whether the file is to be sent.
  bool wanted(host::Call& call, core::ResponseHead& head, const Validators& validators,
              const Representation& representation);
  void send_pieces(host::CallId id);

  host::GuestContext& context_;
  std::unordered_map<host::CallId, Download> downloads_;
  std::vector<host::CallId> due_;  // downloads whose client takes more
};

/// Bytes read at `offset`; fewer than `size` only at the end of the file or after an error.
size_t read_at(const Descriptor& file, char* buffer, size_t size, uint64_t offset);

/// Whether a file changed so recently that it may change again without a new time stamp. `now`: seconds since 1970.
bool is_settled(const struct stat& info, int64_t now);

}  // namespace valor::plugins::builtin
