// Rules about where fetch() may go, in a browser: it has its own (CORS, the page's Content-Security-Policy), and a
// plug-in's are kept as they are written. The server says what is wrong with them.
#include "core/net-rules.h"

namespace valor::core {

Result<NetRule> NetRule::parse(std::string_view text) {
  NetRule rule;
  rule.text = text;
  return rule;
}

}  // namespace valor::core
