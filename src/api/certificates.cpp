#include "api/acme_renewals.hpp"
#include "api/certificate_status.hpp"
#include "api/certificate_use.hpp"
#include "api/context.hpp"
#include "api/draft.hpp"
#include "api/nouns.hpp"
#include "api/references.hpp"
#include "api/selection.hpp"
#include "api/upload.hpp"
#include "api/wildcard.hpp"
#include "crypto/upload.hpp"
#include "model/certificate_upload.hpp"

#include <algorithm>

namespace mp::api {
namespace {

constexpr std::string_view pem_type = "application/x-pem-file";

// Those for all clusters are everybody's to see.
void narrow_to_visible_or_common(Selection& selection, const Caller& caller) {
  Selection theirs;
  narrow_to_visible(theirs, caller);
  if (!theirs.where.empty()) narrow(selection, "(" + theirs.where + " OR cluster_id IS NULL)");
}

Certificate load_visible(Reader& db, const Caller& caller, std::int64_t id) {
  auto certificate = db.find<Certificate>(id);
  const bool seen =
      certificate && (!certificate->cluster_id || may_see(caller, *certificate->cluster_id));
  if (!seen) throw not_found("certificate");
  return *std::move(certificate);
}

void note_cluster(Call& call, const Certificate& certificate) {
  call.revision_cluster = certificate.cluster_id.value_or(every_cluster);
}

void show(Call& call, const std::vector<Certificate*>& certificates) {
  const Time now = call.context.clock.now();
  StatusReader statuses(call, certificates);
  statuses.see_unpublished(call);
  for (Certificate* each : certificates) {
    each->status = status_at(*each, now);
    if (is_delivered_at(*each, now))
      each->delivery = statuses.of(describe<Certificate>, each->id, each->cluster_id);
  }
}

void show_written(Call& call, Certificate& certificate) {
  certificate.status = status_at(certificate, call.context.clock.now());
  if (is_delivered_at(certificate, call.context.clock.now()))
    certificate.delivery =
        StatusReader(call, std::vector{&certificate}).of_written(certificate.cluster_id);
}

CertificateFiles files_of(const CertificateUpload& parts) {
  return {.certificate = parts.cert_file, .key = parts.key_file, .authority = parts.ca_file};
}

// Files that are not there, or no files, are not judged.
CertificateFacts judged(const Call& call, const CertificateUpload& parts, Violations& violations) {
  for (const auto* file : {"cert_file", "key_file", "ca_file"}) {
    if (is_broken(violations, file)) return {};
  }
  return judge_upload(files_of(parts), call.context.clock.now(), violations);
}

Page<Certificate> list_certificates(Call& call, Listing<Certificate> query) {
  Page<Certificate> page;
  call.read([&](Reader& db) {
    Selection selection = selection_of(describe<Certificate>, query);
    narrow_to_status(selection, query, call.context.clock.now());
    narrow_to_visible_or_common(selection, call.caller);
    page = load_page<Certificate>(db, query, selection);
    show_renewals(db, pointers(page.items));
  });
  show(call, pointers(page.items));
  return page;
}

Created<Certificate> upload_certificate(Call& call, Upload<CertificateUpload> body) {
  const CertificateUpload& parts = body.value;
  const CertificateFacts facts = judged(call, parts, body.violations);
  refuse_breaches(call, body.violations, [&](Reader& db, Violations& violations) {
    look_for_cluster(db, call.caller, parts.cluster_id, violations);
  });
  return write<Created<Certificate>>(call, [&](Writer& db) {
    Created<Certificate> created;
    Certificate& certificate = created.value;
    if (parts.cluster_id) check_cluster(db, call.caller, *parts.cluster_id);
    certificate.name = parts.name;
    certificate.auto_renew = parts.auto_renew;
    certificate.cluster_id = parts.cluster_id;
    take_content(certificate, facts, CertificateSource::File);
    db.insert(certificate);
    note_cluster(call, certificate);
    show_written(call, certificate);
    return created;
  });
}

Certificate get_certificate(Call& call, Id<Certificate> id) {
  Certificate certificate;
  call.read([&](Reader& db) {
    certificate = load_visible(db, call.caller, id.value);
    show_renewals(db, {&certificate});
  });
  show(call, {&certificate});
  return certificate;
}

struct Replacement {
  Certificate certificate;
  bool gives_up_renewal = false;
};

Replacement replacement_of(Call& call, Certificate certificate,
                           const UploadChange<CertificateUpload>& change) {
  check_match(call, describe<Certificate>, &certificate);
  CertificateUpload parts{.name = certificate.name,
                          .cert_file = certificate.cert_pem,
                          .key_file = certificate.key_pem,
                          .ca_file = certificate.ca_pem,
                          .auto_renew = certificate.auto_renew,
                          .cluster_id = certificate.cluster_id};
  Violations violations = change.read(parts);
  const bool same = parts.cert_file == certificate.cert_pem &&
                    parts.key_file == certificate.key_pem && parts.ca_file == certificate.ca_pem;
  const CertificateFacts facts = same ? CertificateFacts{} : judged(call, parts, violations);
  refuse(std::move(violations));
  if (!same) take_content(certificate, facts, CertificateSource::File);
  const bool gives_up = !same || (certificate.auto_renew && !parts.auto_renew);
  certificate.name = parts.name;
  certificate.auto_renew = parts.auto_renew;
  return {.certificate = std::move(certificate), .gives_up_renewal = gives_up};
}

// The files are judged before the write: that takes its time. Once more within it when somebody was
// faster, such as a renewal.
Certificate replace_certificate(Call& call, Id<Certificate> id,
                                UploadChange<CertificateUpload> change) {
  Certificate before;
  call.read([&](Reader& db) { before = load_visible(db, call.caller, id.value); });
  const std::int64_t revision = before.revision;
  Replacement replacement = replacement_of(call, std::move(before), change);
  return write<Certificate>(call, [&](Writer& db) {
    Certificate current = load_visible(db, call.caller, id.value);
    if (current.revision != revision)
      replacement = replacement_of(call, std::move(current), change);
    Certificate written = replacement.certificate;
    const bool changed = db.update(written);
    if (replacement.gives_up_renewal) give_up_renewal(db, written.id);
    show_renewals(db, {&written});
    note_cluster(call, written);
    if (changed)
      show_written(call, written);
    else
      show(call, {&written});
    return written;
  });
}

// What comes back may be a status that is over by now, but none that is yet to come: nobody revokes
// a certificate by a PATCH.
void check_status(Call& call, const Certificate& certificate) {
  const auto* sent = call.body().as_object().if_contains("status");
  if (!sent) return;
  const auto& names = names_of<CertificateStatus>;
  const std::string_view name = sent->as_string();
  if (std::ranges::find(names, name) - names.begin() >
      static_cast<std::ptrdiff_t>(certificate.status))
    throw invalid({{"status", "Is set by the server", *sent}});
}

Certificate patch_certificate(Call& call, Id<Certificate> id, Change<Certificate> change) {
  return write<Certificate>(call, [&](Writer& db) {
    Certificate certificate = load_visible(db, call.caller, id.value);
    certificate.status = status_at(certificate, db.now());
    const bool was_renewed = certificate.auto_renew;
    change.apply(certificate);
    check_status(call, certificate);
    const bool changed = db.update(certificate);
    if (was_renewed && !certificate.auto_renew) give_up_renewal(db, certificate.id);
    show_renewals(db, {&certificate});
    note_cluster(call, certificate);
    if (changed)
      show_written(call, certificate);
    else
      show(call, {&certificate});
    return certificate;
  });
}

Error still_needed(const std::vector<std::int64_t>& mappings) {
  Error error(Code::Conflict, "Mappings need it; ?force=true deletes it all the same");
  boost::json::array ids;
  for (const std::int64_t id : mappings) ids.emplace_back(id);
  error.details["mappings"] = std::move(ids);
  return error;
}

Done delete_certificate(Call& call, Id<Certificate> id, Query<CertificateDeletion> query) {
  return write<Done>(call, [&](Writer& db) {
    const Certificate certificate = load_visible(db, call.caller, id.value);
    check_match(call, describe<Certificate>, &certificate);
    const auto needing = query.value.force ? std::vector<std::int64_t>()
                                           : mappings_that_need(db, certificate, db.now());
    if (!needing.empty()) throw still_needed(needing);
    db.remove(certificate);
    give_up_renewal(db, certificate.id);
    note_cluster(call, certificate);
    return Done{"Certificate deleted"};
  });
}

Created<Certificate> generate_wildcard(Call& call, Draft<WildcardRequest> body) {
  refuse_breaches(call, body.violations, [&](Reader& db, Violations& violations) {
    look_for_cluster(db, call.caller, body.value.cluster_id, violations);
  });
  return write<Created<Certificate>>(call, [&](Writer& db) {
    const WildcardRequest& request = body.value;
    if (request.cluster_id) check_cluster(db, call.caller, *request.cluster_id);
    Created<Certificate> created{issue_wildcard(call.context.authority, request, db.now())};
    db.insert(created.value);
    note_cluster(call, created.value);
    show_written(call, created.value);
    return created;
  });
}

// One of our own authority at once; another one as soon as the ACME server has decided.
Certificate renew_certificate(Call& call, Id<Certificate> id) {
  return write<Certificate>(call, [&](Writer& db) {
    Certificate certificate = load_visible(db, call.caller, id.value);
    if (certificate.revoked_at) throw Error(Code::Conflict, "The certificate is revoked");
    if (certificate.source_type == CertificateSource::Auto) {
      reissue(certificate, call.context.authority, db.now());
      db.update(certificate);
      note_cluster(call, certificate);
    } else if (call.context.settings.acme.directory.empty()) {
      throw Error(Code::Conflict, "No ACME server is configured (setting acme.directory)");
    } else {
      ask_for_renewal(db, certificate);
    }
    show_renewals(db, {&certificate});
    show_written(call, certificate);
    return certificate;
  });
}

Certificate revoke_certificate(Call& call, Id<Certificate> id, Late<RevocationRequest> body) {
  return write<Certificate>(call, [&](Writer& db) {
    Certificate certificate = load_visible(db, call.caller, id.value);
    const RevocationRequest request = body.read();
    if (certificate.revoked_at) throw Error(Code::Conflict, "The certificate is revoked already");
    certificate.revoked_at = db.now();
    certificate.revocation_reason = request.reason;
    call.context.authority.revoke(db, certificate.cert_pem, request.reason);
    db.update(certificate);
    give_up_renewal(db, certificate.id);
    note_cluster(call, certificate);
    show_written(call, certificate);
    return certificate;
  });
}

Document authority_certificate(Call& call) {
  refuse_query(call);
  return {std::string(pem_type), call.context.authority.certificates_pem()};
}

Document revocation_list(Call& call) {
  refuse_query(call);
  Document document{std::string(pem_type), ""};
  call.read([&](Reader& db) {
    const Selection current{.where = "expires_at > :now",
                            .values = {{"now", to_milliseconds(call.context.clock.now())}}};
    for (const Issuer& issuer : db.select<Issuer>(current)) document.text += issuer.crl_pem;
  });
  return document;
}

void add_reads(Endpoints& endpoints) {
  endpoints.add(
      {.id = "list_certificates", .call = "GET /certificates", .summary = "List TLS certificates."},
      list_certificates);
  endpoints.add({.id = "get_certificate",
                 .call = "GET /certificates/{id}",
                 .summary = "Get a certificate, never its key.",
                 .effort = Effort::Quick},
                get_certificate);
}

// What the manager's own authority does.
void add_authority(Endpoints& endpoints) {
  endpoints.add_document({.id = "get_authority_certificate",
                          .call = "GET /certificates/ca",
                          .summary = "The certificates of the manager's own authority.",
                          .example = "-----BEGIN CERTIFICATE-----\nMIICITCCAaegAwIBAgIU\n"
                                     "-----END CERTIFICATE-----\n"},
                         std::string(pem_type), authority_certificate);
  endpoints.add_document({.id = "get_revocation_list",
                          .call = "GET /certificates/ca/crl",
                          .summary = "What the manager's own authority has revoked.",
                          .example = "-----BEGIN X509 CRL-----\nMIIBFTCBnQIBATAKBggq\n"
                                     "-----END X509 CRL-----\n"},
                         std::string(pem_type), revocation_list);
  endpoints.add({.id = "generate_wildcard_certificate",
                 .call = "POST /certificates/generate-wildcard",
                 .summary = "Have the manager's own authority issue a wildcard certificate.",
                 .needs = Needs::Admin,
                 .feature = "wildcard_certificates"},
                generate_wildcard);
}

}  // namespace

void certificates(Endpoints& endpoints) {
  add_reads(endpoints);
  endpoints.add({.id = "upload_certificate",
                 .call = "POST /certificates",
                 .summary = "Upload a certificate and its private key.",
                 .needs = Needs::Admin,
                 .errors = {Code::Conflict}},
                upload_certificate);
  endpoints.add({.id = "replace_certificate",
                 .call = "PUT /certificates/{id}",
                 .summary = "Replace the parts that are sent, under the same id.",
                 .needs = Needs::Admin,
                 .errors = {Code::Conflict}},
                replace_certificate);
  endpoints.add({.id = "patch_certificate",
                 .call = "PATCH /certificates/{id}",
                 .summary = "Change its name or its renewal by JSON merge patch.",
                 .needs = Needs::Admin,
                 .errors = {Code::Conflict}},
                patch_certificate);
  endpoints.add({.id = "delete_certificate",
                 .call = "DELETE /certificates/{id}",
                 .summary = "Delete a certificate that no mapping needs.",
                 .needs = Needs::Admin,
                 .errors = {Code::Conflict}},
                delete_certificate);
  endpoints.add({.id = "renew_certificate",
                 .call = "POST /certificates/{id}/renew",
                 .summary = "Renew a certificate now, whatever is left of it.",
                 .needs = Needs::Admin,
                 .errors = {Code::Conflict}},
                renew_certificate);
  endpoints.add({.id = "revoke_certificate",
                 .call = "POST /certificates/{id}/revoke",
                 .summary = "Revoke a certificate; proxies serve it no longer.",
                 .needs = Needs::Admin,
                 .errors = {Code::Conflict}},
                revoke_certificate);
  add_authority(endpoints);
}

}  // namespace mp::api
