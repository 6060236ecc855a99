// One of the manager's own certificate authorities as it is kept: certificate, key and list of
// revoked certificates. The newest one issues; all that have not expired are trusted.
#pragma once

#include "model/shape.hpp"

namespace mp {

struct Issuer {
  std::int64_t id = 0;
  std::string certificate_pem;
  Time not_before;
  Time expires_at;
  std::string crl_pem;
  std::int64_t crl_number = 0;
  Time crl_next_update;
  Time created_at;
  Time updated_at;
  std::int64_t revision = 1;
  Secret key_pem;
};

inline constexpr std::array issuer_fields{
    field<&Issuer::id>("id", "Identifier.", {.mode = Mode::Server}),
    field<&Issuer::certificate_pem>("certificate_pem", "Its certificate, PEM.",
                                    {.mode = Mode::Server}),
    field<&Issuer::not_before>("not_before", "When it begins.", {.mode = Mode::Server}),
    field<&Issuer::expires_at>("expires_at", "When it ends.", {.mode = Mode::Server}),
    field<&Issuer::crl_pem>("crl_pem", "Its list of revoked certificates, signed, PEM.",
                            {.mode = Mode::Server}),
    field<&Issuer::crl_number>("crl_number", "Number of that list.", {.mode = Mode::Server}),
    field<&Issuer::crl_next_update>("crl_next_update", "When that list ends.",
                                    {.mode = Mode::Server}),
    field<&Issuer::created_at>("created_at", "When it was made.", {.mode = Mode::Server}),
    field<&Issuer::updated_at>("updated_at", "When it last changed.", {.mode = Mode::Server}),
    field<&Issuer::revision>("revision", "Counts its changes.", {.mode = Mode::Hidden}),
    field<&Issuer::key_pem>("key_pem", "Its private key, sealed.", {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<Issuer> = resource<Issuer>(
    "issuer", "issuers", "One of the manager's own certificate authorities.", issuer_fields);

}  // namespace mp
