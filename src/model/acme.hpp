// What is kept for certificates from an ACME server: our account there, the renewal of each
// certificate, and the proofs that the server looks for over HTTP. No client sees these rows; a
// certificate shows how its renewal stands.
#pragma once

#include "model/shape.hpp"

namespace mp {

struct AcmeAccount {
  std::int64_t id = 0;
  std::string directory;
  std::string url;
  Secret key_pem;
};
inline constexpr std::array acme_account_fields{
    field<&AcmeAccount::id>("id", "Identifier.", {.mode = Mode::Hidden}),
    field<&AcmeAccount::directory>("directory", "URL of the server's directory.",
                                   {.mode = Mode::Hidden}),
    field<&AcmeAccount::url>("url", "URL of the account there.", {.mode = Mode::Hidden}),
    field<&AcmeAccount::key_pem>("key_pem", "The account's private key, sealed.",
                                 {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<AcmeAccount> = resource<AcmeAccount>(
    "acme_account", "acme_accounts", "An account with an ACME server.", acme_account_fields);

struct Renewal {
  std::int64_t id = 0;    // of the certificate
  std::string order_url;  // empty: there is no order yet
  Secret key_pem;         // of the certificate to come
  Time begun_at;          // the attempt, then its order; zero while none is under way
  Time next_at;           // nobody does anything before; so it keeps other managers away too
  int failures = 0;       // since the last success
  std::string error;      // of the last failure
};
inline constexpr std::array renewal_fields{
    field<&Renewal::id>("id", "Identifier of the certificate.", {.mode = Mode::Hidden}),
    field<&Renewal::order_url>("order_url", "URL of the order under way.", {.mode = Mode::Hidden}),
    field<&Renewal::key_pem>("key_pem", "Key of the certificate to come, sealed.",
                             {.mode = Mode::Hidden}),
    field<&Renewal::begun_at>("begun_at", "When the order began.", {.mode = Mode::Hidden}),
    field<&Renewal::next_at>("next_at", "When the next step is due.", {.mode = Mode::Hidden}),
    field<&Renewal::failures>("failures", "Failures in a row.", {.mode = Mode::Hidden}),
    field<&Renewal::error>("error", "Why the last one failed.", {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<Renewal> =
    resource<Renewal>("renewal", "renewals", "The renewal of a certificate.", renewal_fields);

// For as long as the order is under way.
struct KeptProof {
  std::string id;  // the token
  std::int64_t certificate_id = 0;
  std::string name;  // the domain
  std::string key_authorization;
};
inline constexpr std::array kept_proof_fields{
    field<&KeptProof::id>("id", "The token.", {.mode = Mode::Hidden}),
    field<&KeptProof::certificate_id>("certificate_id", "Certificate that is renewed.",
                                      {.mode = Mode::Hidden}),
    field<&KeptProof::name>("name", "The domain.", {.mode = Mode::Hidden}),
    field<&KeptProof::key_authorization>("key_authorization", "What the server wants to read.",
                                         {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<KeptProof> = resource<KeptProof>(
    "acme_proof", "acme_proofs", "A proof that a name is ours.", kept_proof_fields);

}  // namespace mp
