// What ICU allocates on behalf of an isolate: Intl objects hold tens of KiB each outside of V8's heap, and V8 counts
// none of it.
#pragma once

#include <atomic>
#include <cstdint>

namespace valor::engine {

/// From now on what ICU allocates and frees on this thread is added to `bytes`; nullptr: to nothing. `bytes` is
/// borrowed.
void count_icu_memory_of_this_thread(std::atomic<int64_t>* bytes);

}  // namespace valor::engine
