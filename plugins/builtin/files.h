// The files plug-in: serves the files of a folder. docs/plugins-builtin.md has its configuration and statuses.
#pragma once

#include <optional>

#include "host/guest.h"
#include "plugins/builtin/file-sender.h"
#include "plugins/builtin/folder.h"
#include "plugins/builtin/served-folder.h"

namespace valor::plugins::builtin {

class Files final : public host::Guest {
 public:
  explicit Files(host::GuestContext& context) : context_(context), sender_(context) {}
  void start() override;
  void handle(host::Call& call) override { serve_folder(context_, call, *folder_, settings_, sender_); }
  void body_ready(host::Call&) override {}
  void writable(host::Call& call) override { sender_.writable(call); }
  void dropped(host::CallId id, host::DropReason) override { sender_.dropped(id); }
  bool work() override { return sender_.work(); }

 private:
  host::GuestContext& context_;
  FileSender sender_;
  std::optional<Folder> folder_;
  FolderSettings settings_;
};

}  // namespace valor::plugins::builtin
