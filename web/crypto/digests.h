#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string_view>

namespace valor::web::crypto {

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeDigestContext>;

/// A digest by its name in OpenSSL; nullptr when there is none. Looked up once for all threads, never freed.
const EVP_MD* digest_named(std::string_view name);

}  // namespace valor::web::crypto
