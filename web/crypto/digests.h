#pragma once

#include <openssl/evp.h>

#include <string_view>

namespace valor::web::crypto {

/// A digest by its name in OpenSSL; nullptr when there is none. Looked up once for all threads, never freed.
const EVP_MD* digest_named(std::string_view name);

}  // namespace valor::web::crypto
