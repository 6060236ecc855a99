#include "app/port_certificate.hpp"

#include "api/bootstrap.hpp"
#include "base/due.hpp"
#include "crypto/files.hpp"
#include "crypto/server_names.hpp"

namespace mp {
namespace {

constexpr std::chrono::hours life{24 * 90};
constexpr std::chrono::hours renewal{24 * 30};  // what is left then

bool same(const xds::ServerTls& left, const xds::ServerTls& right) {
  return left.certificate_pem == right.certificate_pem && left.key_pem == right.key_pem &&
         left.client_ca_pem == right.client_ca_pem;
}

}  // namespace

PortCertificate::PortCertificate(const Settings& settings, const Authority& authority,
                                 const Clock& clock)
    : settings_(settings), authority_(authority), clock_(clock), tls_(make()) {}

std::optional<xds::ServerTls> PortCertificate::make() {
  const auto& xds = settings_.xds;
  if (xds.tls == XdsTls::Off) return std::nullopt;
  KeyPair pair;
  if (xds.tls == XdsTls::Files) {
    pair = read_pair({xds.certificate, xds.key, "xds.certificate", "xds.key"}, clock_.now());
  } else {
    auto names = server_names(xds.advertise);
    names.emplace_back(api::xds_server_name);
    pair = authority_.issue_server({.common_name = "MarchProxy manager",
                                    .names = std::move(names),
                                    .not_after = clock_.now() + life});
    due_ = clock_.now() + life - renewal;
  }
  return xds::ServerTls{.certificate_pem = std::move(pair.certificate_pem),
                        .key_pem = std::move(pair.key_pem),
                        .client_ca_pem = xds.client_ca.empty()
                                             ? ""
                                             : read_authorities(xds.client_ca, "xds.client_ca")};
}

std::optional<xds::ServerTls> PortCertificate::renewed() {
  const bool issued = settings_.xds.tls == XdsTls::Auto;
  // A clock that has gone back further than that stands before the certificate begins.
  const bool is_good = !is_due(due_, clock_.now(), life - renewal + backdated);
  if (!tls_ || (issued && is_good)) return std::nullopt;
  auto next = make();
  if (same(*tls_, *next)) return std::nullopt;
  return tls_ = std::move(next);
}

}  // namespace mp
