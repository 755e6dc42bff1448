// The registry over HTTP: lists, adds, replaces and removes plug-ins while the server runs (host/plugin-control.h).
// docs/plugins-builtin.md has the methods, bodies and statuses.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "host/guest.h"
#include "host/plugin-control.h"

namespace valor::plugins::builtin {

/// A plug-in's state as the registry sends it: one JSON object.
std::string to_json(const host::PluginStatus& status);

class Registry final : public host::Guest {
 public:
  /// `control` outlives the registry. `token` empty: none is asked for (plugins/builtin/admission.h).
  Registry(host::GuestContext& context, host::PluginControl& control, std::string token);
  ~Registry() override;

  void start() override;
  void handle(host::Call& call) override;
  void body_ready(host::Call& call) override;
  void writable(host::Call&) override {}
  void dropped(host::CallId id, host::DropReason reason) override;

 private:
  // What is asked of the control, once the body is there.
  enum class Action { kAdd, kPut, kRemove };
  struct Upload {
    Action action;
    std::string name;  ///< kPut: from the URL
    std::string body;
  };
  // Lets an answer of the control, which comes on another thread, find the registry as long as there is one.
  struct Mailbox;

  void answer_list(host::Call& call);
  void answer_one(host::Call& call, const std::string& name);
  void begin_upload(host::Call& call, Action action, std::string name);
  void read_upload(host::Call& call);
  void submit(host::Call& call, Upload upload);
  void ask(host::CallId id, Action action, core::Definition definition);
  void answer(host::CallId id, Action action, const host::ControlResult& result);

  host::GuestContext& context_;
  host::PluginControl& control_;
  const std::string token_;
  std::shared_ptr<Mailbox> mailbox_;
  std::unordered_map<host::CallId, Upload> uploads_;
};

}  // namespace valor::plugins::builtin
