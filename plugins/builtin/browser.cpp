#include "plugins/builtin/browser.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "plugins/builtin/admission.h"
#include "plugins/builtin/answers.h"
#include "plugins/builtin/content-type.h"

namespace valor::plugins::builtin {

namespace {

constexpr std::string_view kPluginFile = "plugins.json";
constexpr std::string_view kPluginFolders = "plugins/";
constexpr std::string_view kServiceWorker = "valor-sw.js";
constexpr std::string_view kCacheControl = "no-cache";

const FolderSettings kRuntime{.index = "index.html",
                              .cache_control = std::string(kCacheControl),
                              .precompressed = true,
                              .describe = [](std::string_view path, core::HeaderList& headers) {
                                // https://w3c.github.io/ServiceWorker/#service-worker-allowed: its scope is the pages,
                                // not the folder that it comes from.
                                if (path == kServiceWorker) headers.append("service-worker-allowed", "/");
                              }};

Representation of_plugin(std::string_view type) {
  Representation representation{.type = type};
  representation.headers.append("cache-control", kCacheControl);
  // Not for pages of other origins, which could run a script and look at what it leaves.
  representation.headers.append("cross-origin-resource-policy", "same-origin");
  return representation;
}

// What an integrity names is a good tag: the file, whatever the disk says about it.
Validators validators_of(const std::string& integrity, int64_t last_modified) {
  return {'"' + integrity + '"', last_modified};
}

}  // namespace

void Browser::start() {
  ConfigReader config(context_.definition().config);
  const core::Status read = config.finish();
  if (!read) return context_.start_failed(read.error().message);
  context_.ready();
}

void Browser::handle(host::Call& call) {
  const core::Request& request = call.request();
  const std::string_view path = path_of(request.url);
  const bool of_plugins = path == kPluginFile || path.starts_with(kPluginFolders);
  if (!of_plugins) return send_runtime(call);
  if (request.method != "GET" && request.method != "HEAD") {
    return respond_method_not_allowed(context_, call, "GET, HEAD");
  }
  if (!admits(call)) return;
  if (path == kPluginFile) return send_plugin_file(call);
  send_file_of_plugin(call, path.substr(kPluginFolders.size()));
}

bool Browser::admits(host::Call& call) {
  std::string evidence;
  const Sender sender = sender_of(call.request(), evidence);
  std::string detail;
  if (sender == Sender::kPlugin) {
    detail = "plug-ins of this server do not get the files and configuration of others";
  } else if (sender != Sender::kLocal && options_.delivery != BrowserDelivery::kOpen) {
    detail = "only programs and pages of this machine get plug-ins (" + evidence +
             "); start the server with --browser to give them to everybody who reaches it";
  }
  if (detail.empty()) return true;
  respond_problem(context_, call, 403, detail);
  return false;
}

void Browser::send_runtime(host::Call& call) {
  // Opened each time, since `make web` may come later and makes a new one.
  core::Result<Folder> folder = Folder::create(options_.web_folder);
  if (!folder) {
    return respond_problem(context_, call, 404, "the browser runtime is not built; make web builds it");
  }
  serve_folder(context_, call, *folder, kRuntime, sender_);
}

namespace {

// Whether requests for `mount` are for `other` where nothing else is known.
bool lies_within(std::string_view mount, std::string_view other) {
  return other.empty() || (mount.starts_with(other) && mount.substr(other.size()).starts_with('/'));
}

// What browsers are told of a plug-in that they do not run: whose requests are the server's.
core::Definition mount_only(const core::Definition& definition) {
  core::Definition mount;
  mount.type = core::PluginType::kStatic;
  mount.place = core::Place::kServer;
  mount.name = definition.name;
  mount.prefix = definition.prefix;
  mount.builtin = "server";
  return mount;
}

}  // namespace

void Browser::send_plugin_file(host::Call& call) {
  const host::CallId id = call.id();
  const int64_t now = context_.loop().unix_seconds();
  std::string body = "{\"plugins\":[";
  std::string integrity;
  {
    const net::EventLoop::Outside outside(context_.loop());
    std::vector<core::Definition> listed;
    std::vector<core::Definition> others;
    for (const host::PluginStatus& status : control_.list()) {
      std::optional<PluginFolder> folder;
      if (Delivery::covers(status.definition)) {
        if (core::Result<PluginFolder> found = delivery_.folder_of(status.definition)) folder = std::move(*found);
      }
      if (folder) {
        listed.push_back(delivery_.describe(status.definition, *folder, now));
      } else {
        others.push_back(mount_only(status.definition));
      }
    }
    // Only where a browser would take them for requests of its own plug-ins.
    std::erase_if(others, [&](const core::Definition& other) {
      return std::none_of(listed.begin(), listed.end(), [&](const core::Definition& definition) {
        return lies_within(other.prefix, definition.prefix);
      });
    });
    listed.insert(listed.end(), others.begin(), others.end());
    for (const core::Definition& definition : listed) {
      if (body.back() != '[') body += ',';
      body += core::to_json(definition);
    }
    body += "]}";
    integrity = delivery_.hash(body);
  }
  if (host::Call* open = context_.find(id)) {
    sender_.send_text(*open, body, validators_of(integrity, now), of_plugin("application/json"));
  }
}

void Browser::send_file_of_plugin(host::Call& call, std::string_view path) {
  const size_t slash = path.find('/');
  const std::optional<std::string> name = percent_decode(path.substr(0, slash));
  bool malformed = false;
  const std::optional<std::string> file =
      slash == std::string_view::npos ? std::nullopt : file_path_of(path.substr(slash + 1), malformed);
  if (!name || malformed) return respond_problem(context_, call, 400, "the path holds a broken percent-encoding");
  if (!file || file->empty() || file->ends_with('/')) return sender_.refuse(call, OpenStatus::kNotFound);

  const host::CallId id = call.id();
  const int64_t now = context_.loop().unix_seconds();
  std::optional<DeliveredFile> delivered;
  {
    const net::EventLoop::Outside outside(context_.loop());
    for (const host::PluginStatus& status : control_.list()) {
      if (status.definition.name != *name || !Delivery::covers(status.definition)) continue;
      core::Result<PluginFolder> folder = delivery_.folder_of(status.definition);
      delivered = folder ? delivery_.open(*folder, *file, now) : DeliveredFile{{OpenStatus::kNotFound}};
    }
  }
  host::Call* open = context_.find(id);
  if (open == nullptr) return;
  if (!delivered) {
    return respond_problem(context_, *open, 404, "there is no plug-in called \"" + *name + "\" that browsers may run");
  }
  if (!delivered->error.empty()) return respond_problem(context_, *open, 500, delivered->error);
  if (delivered->opened.status != OpenStatus::kFile) return sender_.refuse(*open, delivered->opened.status);
  if (delivered->stripped == nullptr) {
    return sender_.send(*open, std::move(delivered->opened), of_plugin(content_type_of(*file)));
  }
  sender_.send_text(
      *open, delivered->stripped->text,
      validators_of(delivered->stripped->integrity, std::min<int64_t>(delivered->opened.info.st_mtim.tv_sec, now)),
      of_plugin(content_type_of(".js")));
}

}  // namespace valor::plugins::builtin
