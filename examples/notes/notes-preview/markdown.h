// Markdown to HTML: the parts of CommonMark and of GitHub's dialect that notes are made of. What comes out can be put
// into a page: HTML in the text is shown as text, and addresses lead only to http, https and mailto. The time it takes
// grows with the text, whatever the text.
#pragma once

#include <string>
#include <string_view>

namespace markdown {

std::string to_html(std::string_view text);

/// What stands in a paragraph, a heading or a cell: emphasis, code, links.
std::string inline_to_html(std::string_view text);

/// As text or in a quoted attribute.
void append_escaped(std::string& html, std::string_view text);

}  // namespace markdown
