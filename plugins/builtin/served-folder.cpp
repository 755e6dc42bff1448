#include "plugins/builtin/served-folder.h"

#include <utility>

#include "plugins/builtin/answers.h"
#include "plugins/builtin/content-coding.h"
#include "plugins/builtin/content-type.h"

namespace valor::plugins::builtin {

namespace {

void send_file(host::Call& call, const Folder& folder, const std::string& path, Opened opened,
               const FolderSettings& settings, FileSender& sender) {
  Representation representation{.type = content_type_of(path)};
  if (!settings.cache_control.empty()) representation.headers.append("cache-control", settings.cache_control);
  if (settings.describe) settings.describe(path, representation.headers);
  if (settings.precompressed) {
    representation.headers.append("vary", "accept-encoding");
    for (const Coding& coding : accepted_codings(call.request())) {
      Opened coded = folder.open(path + std::string(coding.extension));
      if (coded.status != OpenStatus::kFile) continue;
      representation.encoding = coding.name;
      opened = std::move(coded);
      break;
    }
  }
  sender.send(call, std::move(opened), representation);
}

}  // namespace

std::optional<std::string> file_path_of(std::string_view url, bool& malformed) {
  std::string_view path = path_of(url);
  std::string decoded;
  malformed = false;
  bool first = true;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const auto segment = percent_decode(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (!segment) {
      malformed = true;
      return std::nullopt;
    }
    using namespace std::string_view_literals;
    if (segment->empty() || segment->find_first_of("\0\\/"sv) != std::string::npos) return std::nullopt;
    if (segment->front() == '.' && !(first && *segment == ".well-known")) return std::nullopt;
    decoded += *segment;
    if (slash != std::string_view::npos) decoded += '/';
    first = false;
  }
  return decoded;
}

void serve_folder(host::GuestContext& context, host::Call& call, const Folder& folder, const FolderSettings& settings,
                  FileSender& sender) {
  const core::Request& request = call.request();
  if (request.method != "GET" && request.method != "HEAD") {
    return respond_method_not_allowed(context, call, "GET, HEAD");
  }
  bool malformed = false;
  std::optional<std::string> path = file_path_of(request.url, malformed);
  if (malformed) return respond_problem(context, call, 400, "the path holds a broken percent-encoding");
  if (!path) return sender.refuse(call, OpenStatus::kNotFound);
  // The mount itself has an empty path with and without a slash; only the target tells.
  const std::string public_path = local_path(request.target);
  const bool as_folder = path->empty() ? public_path.ends_with('/') : path->ends_with('/');
  if (path->ends_with('/')) path->pop_back();

  Opened opened = folder.open(*path);
  if (opened.status == OpenStatus::kFolder) {
    if (settings.index.empty()) return sender.refuse(call, OpenStatus::kNotFound);
    if (!path->empty()) *path += '/';
    *path += settings.index;
    opened = folder.open(*path);
    if (opened.status == OpenStatus::kFile && !as_folder) {
      // Relative links in the page resolve only below a slash.
      const size_t query = request.target.find('?');
      const std::string location =
          public_path + "/" + (query == std::string::npos ? std::string() : request.target.substr(query));
      core::ResponseHead head;
      head.status = 308;
      head.headers.append("location", location);
      return call.respond(head, {});
    }
  } else if (as_folder) {
    return sender.refuse(call, OpenStatus::kNotFound);
  }
  if (opened.status != OpenStatus::kFile) return sender.refuse(call, opened.status);
  send_file(call, folder, *path, std::move(opened), settings, sender);
}

}  // namespace valor::plugins::builtin
