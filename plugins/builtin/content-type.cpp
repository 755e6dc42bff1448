#include "plugins/builtin/content-type.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace valor::plugins::builtin {

namespace {

struct Entry {
  std::string_view extension;
  std::string_view type;
};

// Names as registered: https://www.iana.org/assignments/media-types/. Text is served as UTF-8, which is what people
// write; https://html.spec.whatwg.org/#urls-and-fetching:javascript-mime-type wants text/javascript.
constexpr Entry kTypes[] = {
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"apng", "image/apng"},
    {"atom", "application/atom+xml"},
    {"avif", "image/avif"},
    {"bin", "application/octet-stream"},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"cjs", "text/javascript;charset=utf-8"},
    {"css", "text/css;charset=utf-8"},
    {"csv", "text/csv;charset=utf-8"},
    {"eot", "application/vnd.ms-fontobject"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"geojson", "application/geo+json"},
    {"gif", "image/gif"},
    {"glb", "model/gltf-binary"},
    {"gltf", "model/gltf+json"},
    {"gz", "application/gzip"},
    {"htm", "text/html;charset=utf-8"},
    {"html", "text/html;charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"ics", "text/calendar;charset=utf-8"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript;charset=utf-8"},
    {"json", "application/json"},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl"},
    {"m3u8", "application/vnd.apple.mpegurl"},
    {"m4a", "audio/mp4"},
    {"map", "application/json"},
    {"md", "text/markdown;charset=utf-8"},
    {"mjs", "text/javascript;charset=utf-8"},
    {"mkv", "video/matroska"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpd", "application/dash+xml"},
    {"mpeg", "video/mpeg"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"rss", "application/rss+xml"},
    {"rtf", "application/rtf"},
    {"svg", "image/svg+xml;charset=utf-8"},
    {"tar", "application/x-tar"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"toml", "application/toml"},
    {"ts", "video/mp2t"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain;charset=utf-8"},
    {"vtt", "text/vtt;charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml;charset=utf-8"},
    {"xml", "application/xml;charset=utf-8"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};
constexpr size_t kLongestExtension = 11;

constexpr bool before(const Entry& a, const Entry& b) {
  return a.extension < b.extension;
}
static_assert(std::is_sorted(std::begin(kTypes), std::end(kTypes), before), "the table is searched by halves");

}  // namespace

std::string_view content_type_of(std::string_view file_name) {
  constexpr std::string_view kUnknown = "application/octet-stream";
  const size_t dot = file_name.find_last_of("./");
  if (dot == std::string_view::npos || file_name[dot] == '/') return kUnknown;
  const std::string_view extension = file_name.substr(dot + 1);
  if (extension.size() > kLongestExtension) return kUnknown;
  std::array<char, kLongestExtension> lower{};
  std::transform(extension.begin(), extension.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const Entry wanted{{lower.data(), extension.size()}, {}};
  const auto* found = std::lower_bound(std::begin(kTypes), std::end(kTypes), wanted, before);
  return found != std::end(kTypes) && found->extension == wanted.extension ? found->type : kUnknown;
}

}  // namespace valor::plugins::builtin
