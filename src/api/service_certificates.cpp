#include "api/context.hpp"
#include "api/nouns.hpp"
#include "api/selection.hpp"
#include "model/service.hpp"
#include "model/service_certificate.hpp"
#include "xds/intent.hpp"

namespace mp::api {
namespace {

ServiceCertificate issue(const Authority& authority, const ServiceCertificateRequest& request,
                         std::string identity, Time now) {
  const IssuedClient issued =
      authority.issue_client({.identity = identity,
                              .csr = request.csr,
                              .not_after = now + std::chrono::seconds(request.ttl)});
  return {.certificate = issued.pair.certificate_pem,
          .private_key = request.csr.empty() ? std::optional(issued.pair.key_pem) : std::nullopt,
          .ca = authority.certificates_pem(),
          .identity = std::move(identity),
          .serial = issued.serial,
          .expires_at = issued.expires_at};
}

Created<ServiceCertificate> issue_service_certificate(Call& call, Id<Service> id,
                                                      Late<ServiceCertificateRequest> body) {
  return write<Created<ServiceCertificate>>(call, [&](Writer& db) {
    const Service service = get_visible<Service>(db, call.caller, id.value);
    const Cluster cluster = db.get<Cluster>(service.cluster_id);
    Created<ServiceCertificate> created{issue(call.context.authority, body.read(),
                                              xds::spiffe_id(cluster.name, service), db.now())};
    db.log("service_certificate", created.value.serial, Action::Create, service.cluster_id,
           {{"service_id", service.id},
            {"identity", created.value.identity},
            {"expires_at", to_string(created.value.expires_at)}});
    return created;
  });
}

}  // namespace

void service_certificates(Endpoints& endpoints) {
  endpoints.add({.id = "issue_service_certificate",
                 .call = "POST /services/{id}/certificate",
                 .summary = "Issue a client certificate by which a service proves who it is."},
                issue_service_certificate);
}

}  // namespace mp::api
