#include "api/service_certificates.hpp"

#include "api/certificate_status.hpp"
#include "api/context.hpp"
#include "api/nouns.hpp"
#include "api/selection.hpp"
#include "model/certificate_upload.hpp"
#include "model/issued_certificate.hpp"
#include "model/service.hpp"
#include "model/service_certificate.hpp"
#include "xds/intent.hpp"

namespace mp::api {
namespace {

constexpr std::chrono::hours shown_after_end{24 * 30};

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
    IssuedCertificate kept{.serial = created.value.serial,
                           .identity = created.value.identity,
                           .service_id = service.id,
                           .cluster_id = service.cluster_id,
                           .issued_by = call.caller.name(),
                           .expires_at = created.value.expires_at,
                           .cert_pem = created.value.certificate};
    db.insert(kept);
    created.value.id = kept.id;
    return created;
  });
}

Page<IssuedCertificate> list_issued(Call& call, Listing<IssuedCertificate> query) {
  const Time now = call.context.clock.now();
  Page<IssuedCertificate> page;
  call.read([&](Reader& db) {
    Selection selection = selection_of(describe<IssuedCertificate>, query);
    narrow_to_status(selection, query, now);
    narrow_to_visible(selection, call.caller);
    page = load_page<IssuedCertificate>(db, query, selection);
  });
  for (IssuedCertificate& each : page.items) each.status = status_at(each, now);
  return page;
}

IssuedCertificate get_issued(Call& call, Id<IssuedCertificate> id) {
  IssuedCertificate issued;
  call.read(
      [&](Reader& db) { issued = get_visible<IssuedCertificate>(db, call.caller, id.value); });
  issued.status = status_at(issued, call.context.clock.now());
  return issued;
}

void mark(Writer& db, IssuedCertificate& issued, RevocationReason reason) {
  issued.revoked_at = db.now();
  issued.revocation_reason = reason;
  db.update(issued);
}

IssuedCertificate revoke_issued(Call& call, Id<IssuedCertificate> id,
                                Late<RevocationRequest> body) {
  return write<IssuedCertificate>(call, [&](Writer& db) {
    auto issued = get_visible<IssuedCertificate>(db, call.caller, id.value);
    const RevocationRequest request = body.read();
    if (issued.revoked_at) throw Error(Code::Conflict, "The certificate is revoked already");
    call.context.authority.revoke(db, issued.cert_pem, request.reason);
    mark(db, issued, request.reason);
    call.revision_cluster = every_cluster;
    issued.status = CertificateStatus::Revoked;
    return issued;
  });
}

// A wildcard certificate that the authority issued for proxies to serve: they serve it no longer.
void mark_served(Writer& db, const Revoked& revoked, RevocationReason reason) {
  auto served =
      db.select<Certificate>({.where = "fingerprint_sha256 = :print AND revoked_at IS NULL",
                              .values = {{"print", revoked.fingerprint_sha256}}});
  for (Certificate& each : served) {
    each.revoked_at = db.now();
    each.revocation_reason = reason;
    db.update(each);
  }
}

// By its text: also one that was issued before they were remembered, or for something else.
Done revoke_by_text(Call& call, New<IssuedRevocation> body) {
  return write<Done>(call, [&](Writer& db) {
    const auto revoked =
        call.context.authority.revoke(db, body.value.certificate, body.value.reason);
    if (!revoked) throw invalid("certificate", "Is not one that the manager's authority issued");
    auto known = db.select<IssuedCertificate>({.where = "serial = :serial AND revoked_at IS NULL",
                                               .values = {{"serial", revoked->serial}}});
    for (IssuedCertificate& issued : known) mark(db, issued, body.value.reason);
    mark_served(db, *revoked, body.value.reason);
    call.revision_cluster = every_cluster;
    return Done{"Certificate revoked"};
  });
}

}  // namespace

void forget_issued_certificates(Store& store, const Clock& clock) {
  const auto before = to_milliseconds(clock.now() - shown_after_end);
  store.write({.user_id = std::nullopt, .name = "manager", .address = "", .request_id = ""},
              [&](Writer& db) {
                db.execute("DELETE FROM issued_certificates WHERE expires_at <= :before",
                           {{"before", before}});
              });
}

void service_certificates(Endpoints& endpoints) {
  endpoints.add({.id = "issue_service_certificate",
                 .call = "POST /services/{id}/certificate",
                 .summary = "Issue a client certificate by which a service proves who it is."},
                issue_service_certificate);
}

void issued_certificates(Endpoints& endpoints) {
  endpoints.add({.id = "list_issued_certificates",
                 .call = "GET /issued-certificates",
                 .summary = "List the client certificates that services were issued, until a month "
                            "after their end."},
                list_issued);
  endpoints.add({.id = "get_issued_certificate",
                 .call = "GET /issued-certificates/{id}",
                 .summary = "Get what is kept of an issued client certificate."},
                get_issued);
  endpoints.add({.id = "revoke_issued_certificate_by_id",
                 .call = "POST /issued-certificates/{id}/revoke",
                 .summary = "Revoke a client certificate; proxies let it in no longer.",
                 .needs = Needs::Admin,
                 .errors = {Code::Conflict}},
                revoke_issued);
  endpoints.add({.id = "revoke_issued_certificate",
                 .call = "POST /certificates/ca/revoke",
                 .summary = "Revoke a certificate that the manager's own authority issued.",
                 .needs = Needs::Admin},
                revoke_by_text);
}

}  // namespace mp::api
