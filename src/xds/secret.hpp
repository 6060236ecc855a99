// What proxies are given by SDS: certificates with their keys, and the authorities whose client
// certificates count, with their revocation lists. Used by build.cpp. The results hold private
// keys: never log them.
#pragma once

#include "xds/keyring.hpp"
#include "xds/snapshot.hpp"

#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"

#include <string>

namespace mp::xds {

// "certificate/7": the same whatever the certificate is replaced by, so that no listener changes.
std::string certificate_secret(std::int64_t certificate);
ResourcePtr make_certificate_secret(const Certificate& certificate);

// The name of the one for all authorities of the manager.
inline constexpr std::string_view authority_secret = "authority";
ResourcePtr make_authority_secret(const Issuers& issuers);

// Makes TLS take the secret of that name from the manager.
void fetch(envoy::extensions::transport_sockets::tls::v3::SdsSecretConfig& config,
           std::string name);

}  // namespace mp::xds
