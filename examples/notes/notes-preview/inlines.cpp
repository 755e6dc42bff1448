// https://spec.commonmark.org/0.31.2/#inlines, and its appendix, "phase 2: inline structure": what may begin or end
// emphasis is noted while the text is read, and paired when the text around it is complete.
#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "markdown.h"

namespace markdown {
namespace {

// Longer ones are no addresses. Without a bound, "[](a" repeated would be searched to the end each time.
constexpr size_t kLongestAddress = 1000;
// Each is looked at when another closes. The outermost beyond these are text.
constexpr size_t kOpenBrackets = 16;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t';
}
bool is_punctuation(char c) {
  return std::ispunct(static_cast<unsigned char>(c)) != 0;
}
bool is_alphanumeric(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

/// Text that is done, or a run of delimiters that may yet begin or end emphasis.
struct Piece {
  std::string html = {};
  char delimiter = 0;
  size_t count = 0;
  bool opens = false;
  bool closes = false;
  std::string end_tags = {};    // before what is left of the run
  std::string begin_tags = {};  // after it
};

bool pair_up(const Piece& opener, const Piece& closer) {
  if (opener.delimiter != closer.delimiter) return false;
  // https://spec.commonmark.org/0.31.2/#emphasis-and-strong-emphasis, rules 9 and 10
  const bool by_three = (opener.count + closer.count) % 3 == 0;
  const bool each_by_three = opener.count % 3 == 0 && closer.count % 3 == 0;
  return !((opener.closes || closer.opens) && by_three && !each_by_three);
}

void wrap(Piece& opener, Piece& closer) {
  const size_t used = opener.count >= 2 && closer.count >= 2 ? 2 : 1;
  const std::string name = opener.delimiter == '~' ? "del" : used == 2 ? "strong" : "em";
  opener.begin_tags.insert(0, "<" + name + ">");
  closer.end_tags += "</" + name + ">";
  opener.count -= used;
  closer.count -= used;
}

/// The pieces from `first` on as HTML.
std::string join(std::vector<Piece>& pieces, size_t first) {
  std::vector<size_t> openers;
  std::map<std::tuple<char, bool, size_t>, size_t> none_before;  // kind of closer: pieces in which no opener was found
  for (size_t i = first; i < pieces.size(); ++i) {
    Piece& closer = pieces[i];
    while (closer.closes && closer.count > 0) {
      size_t& bottom = none_before[{closer.delimiter, closer.opens, closer.count % 3}];
      auto found = openers.rbegin();
      while (found != openers.rend() && *found >= bottom && !pair_up(pieces[*found], closer)) ++found;
      if (found == openers.rend() || *found < bottom) {
        bottom = i;
        break;
      }
      openers.erase(found.base(), openers.end());
      wrap(pieces[openers.back()], closer);
      if (pieces[openers.back()].count == 0) openers.pop_back();
    }
    if (closer.opens && closer.count > 0) openers.push_back(i);
  }
  std::string html;
  for (size_t i = first; i < pieces.size(); ++i) {
    html.append(pieces[i].html).append(pieces[i].end_tags);
    html.append(pieces[i].count, pieces[i].delimiter).append(pieces[i].begin_tags);
  }
  return html;
}

/// http, https, mailto, or relative. Browsers drop control characters from addresses, so that none may hide a scheme.
bool is_harmless(std::string_view address) {
  if (std::any_of(address.begin(), address.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; })) return false;
  const size_t colon = address.find(':');
  if (colon == std::string_view::npos || address.find_first_of("/?#") < colon) return true;
  std::string scheme(address.substr(0, colon));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), [](unsigned char c) { return std::tolower(c); });
  return scheme == "http" || scheme == "https" || scheme == "mailto";
}

std::string link(std::string_view address, const std::string& content) {
  std::string html = "<a href=\"";
  append_escaped(html, address);
  return html + "\" rel=\"noopener noreferrer\">" + content + "</a>";
}

class Inlines {
 public:
  explicit Inlines(std::string_view text) : text_(text) {}

  std::string parse() {
    while (at_ < text_.size()) step();
    return join(pieces_, 0);
  }

 private:
  struct Bracket {
    size_t piece;
    size_t content;  // where in the text its content begins
    bool is_image;
  };

  char peek(size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n'; }
  char before() const { return at_ == 0 ? '\n' : text_[at_ - 1]; }
  std::string_view rest() const { return text_.substr(at_); }

  void add_html(std::string_view html) {
    if (pieces_.empty() || pieces_.back().delimiter != 0) pieces_.emplace_back();
    pieces_.back().html.append(html);
  }
  void add_text(size_t size) {
    if (pieces_.empty() || pieces_.back().delimiter != 0) pieces_.emplace_back();
    append_escaped(pieces_.back().html, rest().substr(0, size));
    at_ += size;
  }

  void step() {
    switch (text_[at_]) {
      case '\\':
        return escape();
      case '`':
        return code();
      case '*':
      case '_':
      case '~':
        return delimiters();
      case '!':
        return peek(1) == '[' ? open_bracket(true) : add_text(1);
      case '[':
        return open_bracket(false);
      case ']':
        return close_bracket();
      case '<':
        return angle_link();
      case ' ':
        return blanks();
      case 'h':
        return bare_link();
      default:
        return add_text(std::max<size_t>(1, std::min(rest().find_first_of("\\`*_~![]< h"), rest().size())));
    }
  }

  void escape() {
    if (peek(1) == '\n' && at_ + 1 < text_.size()) return at_ += 2, add_html("<br>\n");
    if (is_punctuation(peek(1))) ++at_;
    add_text(1);
  }

  void blanks() {
    const size_t size = std::min(rest().find_first_not_of(' '), rest().size());
    if (peek(size) != '\n') return add_text(size);
    const bool is_break = size >= 2 && at_ + size < text_.size();
    at_ += size;
    if (is_break) add_html("<br>");
  }

  void code() {
    const size_t size = std::min(rest().find_first_not_of('`'), rest().size());
    size_t end = at_ + size;
    for (;;) {
      end = text_.find('`', end);
      if (end == std::string_view::npos) return add_text(size);
      const size_t closing = std::min(text_.find_first_not_of('`', end), text_.size()) - end;
      if (closing == size) break;
      end += closing;
    }
    std::string content(text_.substr(at_ + size, end - at_ - size));
    std::replace(content.begin(), content.end(), '\n', ' ');
    if (content.size() > 2 && content.front() == ' ' && content.back() == ' ') {
      content = content.substr(1, content.size() - 2);
    }
    std::string html = "<code>";
    append_escaped(html, content);
    add_html(html + "</code>");
    at_ = end + size;
  }

  void delimiters() {
    const char c = text_[at_];
    const size_t count = std::min(rest().find_first_not_of(c), rest().size());
    const char previous = before();
    const char next = peek(count);
    const bool left = !is_space(next) && (!is_punctuation(next) || is_space(previous) || is_punctuation(previous));
    const bool right = !is_space(previous) && (!is_punctuation(previous) || is_space(next) || is_punctuation(next));
    Piece piece{.delimiter = c, .count = count};
    piece.opens = left && (c != '_' || !right || is_punctuation(previous)) && (c != '~' || count == 2);
    piece.closes = right && (c != '_' || !left || is_punctuation(next)) && (c != '~' || count == 2);
    pieces_.push_back(std::move(piece));
    at_ += count;
  }

  void open_bracket(bool is_image) {
    if (brackets_.size() == kOpenBrackets) brackets_.erase(brackets_.begin());
    pieces_.emplace_back();  // of its own, so that a link can take its place
    add_text(is_image ? 2 : 1);
    brackets_.push_back({pieces_.size() - 1, at_, is_image});
    pieces_.emplace_back();
  }

  void close_bracket() {
    if (brackets_.empty()) return add_text(1);
    const Bracket open = brackets_.back();
    brackets_.pop_back();
    const std::string_view content = text_.substr(open.content, at_ - open.content);
    size_t end = 0;
    const std::optional<std::string_view> address = peek(1) == '(' ? parse_address(at_ + 2, end) : std::nullopt;
    if (!address || !is_harmless(*address)) return add_text(1);
    std::string html;
    if (open.is_image) {
      html = "<img src=\"";
      append_escaped(html, *address);
      html += "\" alt=\"";
      append_escaped(html, content);
      html += "\">";
    } else {
      html = link(*address, join(pieces_, open.piece + 1));
    }
    pieces_.resize(open.piece);
    pieces_.push_back({.html = std::move(html)});
    pieces_.emplace_back();
    at_ = end;
    // Links hold no links, and images no images.
    std::erase_if(brackets_, [&](const Bracket& bracket) { return bracket.is_image || !open.is_image; });
  }

  /// "address)" or "address "title")"; titles are left out. `end`: after the parenthesis.
  std::optional<std::string_view> parse_address(size_t begin, size_t& end) const {
    const std::string_view text = text_.substr(begin, kLongestAddress);
    size_t depth = 0;
    size_t size = 0;
    for (; size < text.size() && !is_space(text[size]) && text[size] != '['; ++size) {
      if (text[size] == '(') ++depth;
      if (text[size] == ')' && depth-- == 0) break;
    }
    const size_t after = text.find_first_not_of(" \n", size);
    if (after == std::string_view::npos) return std::nullopt;
    size_t close = after;
    if (text[after] == '"') {
      const size_t quote = text.find('"', after + 1);
      if (quote == std::string_view::npos) return std::nullopt;
      close = text.find_first_not_of(" \n", quote + 1);
    }
    if (close == std::string_view::npos || text[close] != ')') return std::nullopt;
    end = begin + close + 1;
    return text.substr(0, size);
  }

  void angle_link() {
    const std::string_view text = rest().substr(1, kLongestAddress);
    const std::string_view address = text.substr(0, text.find_first_of("<> \n"));
    const bool is_mail = address.find('@') != std::string_view::npos && address.find(':') == std::string_view::npos;
    const bool is_link = is_mail || address.substr(0, 7) == "http://" || address.substr(0, 8) == "https://";
    if (!is_link || address.size() == text.size() || text[address.size()] != '>') return add_text(1);
    add_link(address, is_mail ? "mailto:" + std::string(address) : std::string(address));
    at_ += 2;
  }

  void bare_link() {
    const bool is_link = rest().substr(0, 7) == "http://" || rest().substr(0, 8) == "https://";
    const auto is_open = [](const Bracket& bracket) { return !bracket.is_image; };
    if (!is_link || is_alphanumeric(before()) || std::any_of(brackets_.begin(), brackets_.end(), is_open)) {
      return add_text(1);
    }
    std::string_view address = rest().substr(0, rest().find_first_of("<> \n\"'`|"));
    while (std::string_view(".,:;!?)*_~]").find(address.back()) != std::string_view::npos) address.remove_suffix(1);
    if (address.back() == '/' && address.size() <= 8) return add_text(1);
    add_link(address, std::string(address));
  }

  void add_link(std::string_view shown, const std::string& address) {
    std::string content;
    append_escaped(content, shown);
    if (!is_harmless(address)) return add_text(shown.size());
    add_html(link(address, content));
    at_ += shown.size();
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<Piece> pieces_ = {};
  std::vector<Bracket> brackets_ = {};
};

}  // namespace

void append_escaped(std::string& html, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
}

std::string inline_to_html(std::string_view text) {
  return Inlines(text).parse();
}

}  // namespace markdown
