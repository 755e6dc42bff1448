// The functions that native plug-ins call: valor_host of abi/valor.h.
#pragma once

#include "abi/valor.h"

namespace valor::plugins::native {

/// Valid for ever. Any thread.
const valor_host& host_table();

}  // namespace valor::plugins::native
