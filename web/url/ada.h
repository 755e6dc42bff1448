// The URL parser in the node binary: the C interface of ada (https://github.com/ada-url/ada), as far as it is used
// here. The binary exports these functions, but its package has no header for them. ada 4.0.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

using ada_url = void*;

/// Borrowed from the ada_url until that changes or is freed.
struct ada_string {
  const char* data;
  size_t length;
};

/// Places in the serialised URL; https://url.spec.whatwg.org/#url-serializing. 0xffffffff: that part is absent.
struct ada_url_components {
  uint32_t protocol_end;  ///< behind the ':'
  uint32_t username_end;
  uint32_t host_start;  ///< at the '@' where there are credentials
  uint32_t host_end;
  uint32_t port;  ///< the number itself
  uint32_t pathname_start;
  uint32_t search_start;  ///< at the '?'
  uint32_t hash_start;    ///< at the '#'
};

/// UTF-8. Never null; to be freed also when it is not valid.
ada_url ada_parse(const char* input, size_t length);
ada_url ada_parse_with_base(const char* input, size_t length, const char* base, size_t base_length);
bool ada_is_valid(ada_url url);
void ada_free(ada_url url);

ada_string ada_get_href(ada_url url);
const ada_url_components* ada_get_components(ada_url url);

ada_string ada_get_hostname(ada_url url);
/// 1: a scheme without a meaning of its own, whose hosts are opaque.
uint8_t ada_get_scheme_type(ada_url url);

/// The text is owned by the caller: ada_free_owned_string.
struct ada_owned_string {
  const char* data;
  size_t length;
};
ada_owned_string ada_idna_to_unicode(const char* input, size_t length);
void ada_free_owned_string(ada_owned_string owned);

/// False when the value is refused, which leaves the URL as it was.
bool ada_set_protocol(ada_url url, const char* value, size_t length);
bool ada_set_username(ada_url url, const char* value, size_t length);
bool ada_set_password(ada_url url, const char* value, size_t length);
bool ada_set_host(ada_url url, const char* value, size_t length);
bool ada_set_hostname(ada_url url, const char* value, size_t length);
bool ada_set_port(ada_url url, const char* value, size_t length);
bool ada_set_pathname(ada_url url, const char* value, size_t length);
void ada_set_search(ada_url url, const char* value, size_t length);
void ada_set_hash(ada_url url, const char* value, size_t length);

}  // extern "C"
