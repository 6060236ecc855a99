// Certificates that the manager's own authority issues for proxies, and their renewal.
#pragma once

#include "crypto/authority.hpp"
#include "crypto/upload.hpp"
#include "model/certificate_upload.hpp"

namespace mp::api {

// What a certificate is, from its facts; a new content is not revoked.
void take_content(Certificate& certificate, const CertificateFacts& facts,
                  CertificateSource source);

// A new certificate for *.domain and domain, to be inserted.
Certificate issue_wildcard(const Authority& authority, const WildcardRequest& request, Time now);

// The same names and life anew, under the same id.
void reissue(Certificate& certificate, const Authority& authority, Time now);

inline constexpr std::chrono::hours longest_renewal_window{24 * 45};

// Whether it shall be renewed, and a third of its life is left or less, and 45 days or less: before
// anybody warns of it.
bool is_renewal_due(const Certificate& certificate, Time now);

// Reissues certificates of our own that end soon and shall be renewed, with the same names and life
// and under the same id. From a background loop; several managers on one database do it once.
void renew_certificates(Store& store, const Authority& authority, Time now);

}  // namespace mp::api
