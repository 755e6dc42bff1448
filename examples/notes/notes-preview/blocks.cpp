// https://spec.commonmark.org/0.31.2/#container-blocks-and-leaf-blocks; tables and tasks as in
// https://github.github.com/gfm/.
#include <algorithm>
#include <cctype>
#include <optional>
#include <span>
#include <vector>

#include "markdown.h"

namespace markdown {
namespace {

// Quotes and lists in one another. Each level reads its lines again.
constexpr int kDeepest = 16;

using Lines = std::span<const std::string_view>;

size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}
bool is_blank(std::string_view line) {
  return indent_of(line) == line.size();
}
std::string_view trim(std::string_view text) {
  text.remove_prefix(indent_of(text));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}
std::string_view without_indent(std::string_view line, size_t most) {
  return line.substr(std::min(indent_of(line), most));
}

struct Marker {
  char kind;       // - + * . or )
  size_t content;  // where in the line the item's text begins
  std::string number;
};

std::optional<Marker> list_marker(std::string_view line) {
  const size_t indent = indent_of(line);
  if (indent > 3 || indent == line.size()) return std::nullopt;
  size_t end = indent;
  while (end < line.size() && end - indent < 9 && std::isdigit(static_cast<unsigned char>(line[end])) != 0) ++end;
  const std::string number(line.substr(indent, end - indent));
  if (end == line.size()) return std::nullopt;
  if (std::string_view(number.empty() ? "-+*" : ".)").find(line[end]) == std::string_view::npos) return std::nullopt;
  const char kind = line[end++];
  if (end < line.size() && line[end] != ' ') return std::nullopt;
  const size_t blanks = indent_of(line.substr(end));
  return Marker{kind, blanks > 4 || end + blanks == line.size() ? end + 1 : end + blanks, number};
}

bool is_rule(std::string_view line) {
  if (indent_of(line) > 3) return false;
  const std::string_view text = trim(line);
  if (text.empty() || std::string_view("-*_").find(text[0]) == std::string_view::npos) return false;
  const auto other = [&](char c) { return c != text[0] && c != ' '; };
  return std::count(text.begin(), text.end(), text[0]) >= 3 && std::none_of(text.begin(), text.end(), other);
}

size_t heading_level(std::string_view line) {
  const std::string_view text = trim(line);
  const size_t level = std::min(text.find_first_not_of('#'), text.size());
  const bool is_heading =
      indent_of(line) <= 3 && level >= 1 && level <= 6 && (level == text.size() || text[level] == ' ');
  return is_heading ? level : 0;
}

/// How many ` or ~ a line begins with, when it begins fenced code.
size_t fence_size(std::string_view line) {
  const std::string_view text = trim(line);
  if (indent_of(line) > 3 || text.empty() || (text[0] != '`' && text[0] != '~')) return 0;
  const size_t size = std::min(text.find_first_not_of(text[0]), text.size());
  return size >= 3 && (text[0] == '~' || text.find('`', size) == std::string_view::npos) ? size : 0;
}

bool is_quote(std::string_view line) {
  return indent_of(line) <= 3 && !is_blank(line) && line[indent_of(line)] == '>';
}

bool is_underline(std::string_view line, char c) {
  const std::string_view text = trim(line);
  return indent_of(line) <= 3 && !text.empty() && text.find_first_not_of(c) == std::string_view::npos;
}

/// Whether a line ends the paragraph before it.
bool interrupts(std::string_view line) {
  if (is_blank(line) || is_rule(line) || heading_level(line) > 0 || fence_size(line) > 0 || is_quote(line)) return true;
  const std::optional<Marker> marker = list_marker(line);
  return marker && marker->content < line.size() && (marker->number.empty() || marker->number == "1");
}

std::vector<std::string_view> cells(std::string_view line) {
  line = trim(line);
  if (!line.empty() && line.front() == '|') line.remove_prefix(1);
  if (!line.empty() && line.back() == '|') line.remove_suffix(1);
  std::vector<std::string_view> found;
  size_t begin = 0;
  for (size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && (line[i] != '|' || (i > 0 && line[i - 1] == '\\'))) continue;
    found.push_back(trim(line.substr(begin, i - begin)));
    begin = i + 1;
  }
  return found;
}

bool is_delimiter_row(std::string_view line) {
  if (line.find('-') == std::string_view::npos || line.find('|') == std::string_view::npos) return false;
  const std::vector<std::string_view> columns = cells(line);
  return std::all_of(columns.begin(), columns.end(), [](std::string_view cell) {
    return cell.find('-') != std::string_view::npos && cell.find_first_not_of("-:") == std::string_view::npos;
  });
}

class Blocks {
 public:
  explicit Blocks(std::string& html) : html_(html) {}

  /// `tight`: paragraphs are text without <p>, as in lists without blank lines.
  void parse(Lines lines, int depth, bool tight) {
    lines_ = lines;
    depth_ = depth;
    tight_ = tight;
    for (at_ = 0; at_ < lines_.size();) {
      const std::string_view line = lines_[at_];
      if (is_blank(line)) {
        ++at_;
      } else if (indent_of(line) >= 4) {
        indented_code();
      } else if (fence_size(line) > 0) {
        fenced_code();
      } else if (const size_t level = heading_level(line); level > 0) {
        atx_heading(level);
      } else if (is_rule(line)) {
        html_ += "<hr>\n";
        ++at_;
      } else if (is_quote(line) && depth_ < kDeepest) {
        quote();
      } else if (list_marker(line) && depth_ < kDeepest) {
        list();
      } else if (at_ + 1 < lines_.size() && is_delimiter_row(lines_[at_ + 1]) &&
                 cells(line).size() == cells(lines_[at_ + 1]).size()) {
        table();
      } else {
        paragraph();
      }
    }
  }

 private:
  void element(const std::string& name, std::string_view text) {
    html_ += "<" + name + ">" + inline_to_html(text) + "</" + name + ">\n";
  }

  void code(Lines lines, size_t indent, std::string_view language) {
    html_ += "<pre><code";
    if (!language.empty()) {
      html_ += " class=\"language-";
      append_escaped(html_, language);
      html_ += "\"";
    }
    html_ += ">";
    for (const std::string_view line : lines) {
      append_escaped(html_, without_indent(line, indent));
      html_ += "\n";
    }
    html_ += "</code></pre>\n";
  }

  void indented_code() {
    const size_t begin = at_;
    size_t end = at_;
    for (; at_ < lines_.size() && (is_blank(lines_[at_]) || indent_of(lines_[at_]) >= 4); ++at_) {
      if (!is_blank(lines_[at_])) end = at_ + 1;
    }
    code(lines_.subspan(begin, end - begin), 4, "");
  }

  void fenced_code() {
    const std::string_view line = lines_[at_];
    const std::string_view fence = trim(line);
    const size_t size = fence_size(line);
    const std::string_view language = trim(fence.substr(size));
    const size_t begin = ++at_;
    while (at_ < lines_.size() && !(is_underline(lines_[at_], fence[0]) && fence_size(lines_[at_]) >= size)) ++at_;
    code(lines_.subspan(begin, at_ - begin), indent_of(line), language.substr(0, language.find(' ')));
    if (at_ < lines_.size()) ++at_;
  }

  void atx_heading(size_t level) {
    std::string_view text = trim(trim(lines_[at_++]).substr(level));
    const size_t end = text.find_last_not_of('#') + 1;
    if (end == 0 || text[end - 1] == ' ') text = trim(text.substr(0, end));
    element("h" + std::to_string(level), text);
  }

  /// Whether the line belongs to a paragraph of the quote or item before it, though it lacks its mark.
  bool continues(const std::vector<std::string_view>& inner) const {
    return !inner.empty() && !is_blank(inner.back()) && !interrupts(lines_[at_]);
  }

  void quote() {
    std::vector<std::string_view> inner;
    for (; at_ < lines_.size() && (is_quote(lines_[at_]) || continues(inner)); ++at_) {
      const std::string_view line = lines_[at_];
      inner.push_back(is_quote(line) ? without_indent(line.substr(indent_of(line) + 1), 1) : line);
    }
    html_ += "<blockquote>\n";
    Blocks(html_).parse(inner, depth_ + 1, false);
    html_ += "</blockquote>\n";
  }

  std::vector<std::string_view> item(const Marker& marker) {
    const std::string_view first = lines_[at_++];
    std::vector<std::string_view> inner = {first.substr(std::min(marker.content, first.size()))};
    for (; at_ < lines_.size(); ++at_) {
      const std::string_view line = lines_[at_];
      if (!is_blank(line) && indent_of(line) < marker.content && !(continues(inner) && !list_marker(line))) break;
      inner.push_back(without_indent(line, marker.content));
    }
    return inner;
  }

  void list() {
    const Marker first = *list_marker(lines_[at_]);
    std::vector<std::vector<std::string_view>> items;
    bool is_tight = true;
    while (at_ < lines_.size() && !is_rule(lines_[at_])) {
      const std::optional<Marker> marker = list_marker(lines_[at_]);
      if (!marker || marker->kind != first.kind) break;
      if (!items.empty() && is_blank(items.back().back())) is_tight = false;
      items.push_back(item(*marker));
    }
    for (std::vector<std::string_view>& inner : items) {
      while (!inner.empty() && is_blank(inner.back())) inner.pop_back();
      for (size_t i = 1; i < inner.size(); ++i) {
        // Between its own blocks; deeper ones are those of a list within it.
        if (is_blank(inner[i - 1]) && indent_of(inner[i]) < 2 && !is_blank(inner[i])) is_tight = false;
      }
    }
    const std::string name = first.number.empty() ? "ul" : "ol";
    const bool has_start = !first.number.empty() && first.number != "1";
    html_ += "<" + name + (has_start ? " start=\"" + first.number + "\"" : "") + ">\n";
    for (std::vector<std::string_view>& inner : items) {
      html_ += "<li>";
      if (!inner.empty()) task(inner.front());
      Blocks(html_).parse(inner, depth_ + 1, is_tight);
      html_ += "</li>\n";
    }
    html_ += "</" + name + ">\n";
  }

  void task(std::string_view& line) {
    const std::string_view box = line.substr(0, 4);
    if (box != "[ ] " && box != "[x] " && box != "[X] ") return;
    line.remove_prefix(4);
    html_ += box == "[ ] " ? "<input type=\"checkbox\" disabled> " : "<input type=\"checkbox\" checked disabled> ";
  }

  void table() {
    const size_t columns = cells(lines_[at_]).size();
    html_ += "<table>\n<thead>\n";
    row("th", columns);
    html_ += "</thead>\n<tbody>\n";
    for (++at_; at_ < lines_.size() && !interrupts(lines_[at_]);) row("td", columns);
    html_ += "</tbody>\n</table>\n";
  }

  void row(const std::string& name, size_t columns) {
    std::vector<std::string_view> texts = cells(lines_[at_++]);
    texts.resize(columns);
    html_ += "<tr>\n";
    for (const std::string_view text : texts) element(name, text);
    html_ += "</tr>\n";
  }

  void paragraph() {
    std::string text(trim(lines_[at_++]));
    for (; at_ < lines_.size(); ++at_) {
      const std::string_view line = lines_[at_];
      const bool is_first = is_underline(line, '=');
      if (is_first || is_underline(line, '-')) {
        ++at_;
        return element(is_first ? "h1" : "h2", text);
      }
      if (interrupts(line)) break;
      const bool hard_break = lines_[at_ - 1].ends_with("  ");
      text.append(hard_break ? "  \n" : "\n").append(trim(line));
    }
    if (!tight_) return element("p", text);
    html_ += inline_to_html(text) + "\n";
  }

  std::string& html_;
  Lines lines_ = {};
  size_t at_ = 0;
  int depth_ = 0;
  bool tight_ = false;
};

/// Line ends are \n, and tabs that begin a line four blanks.
std::string normalize(std::string_view text) {
  std::string normal;
  normal.reserve(text.size());
  bool begins = true;
  for (const char c : text) {
    if (c == '\r') continue;
    begins = c == '\n' || (begins && (c == ' ' || c == '\t'));
    c == '\t' ? normal.append(begins ? 4 : 1, ' ') : normal.append(1, c);
  }
  return normal;
}

}  // namespace

std::string to_html(std::string_view text) {
  const std::string normal = normalize(text);
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin < normal.size();) {
    const size_t end = std::min(normal.find('\n', begin), normal.size());
    lines.push_back(std::string_view(normal).substr(begin, end - begin));
    begin = end + 1;
  }
  std::string html;
  Blocks(html).parse(lines, 0, false);
  return html;
}

}  // namespace markdown
