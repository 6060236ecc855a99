#include "api/acme_renewals.hpp"

#include "api/wildcard.hpp"
#include "base/execute.hpp"
#include "base/log.hpp"
#include "crypto/signing_request.hpp"
#include "crypto/upload.hpp"
#include "model/format.hpp"

#include <algorithm>
#include <set>

namespace mp::api {
namespace {

using namespace std::chrono_literals;

constexpr auto lease = 60s;               // as long nobody else works on the certificate
constexpr auto longest_decision = 15min;  // of the server, from the order on
constexpr auto shortest_pause = 60s;      // after a failure; doubles with each
constexpr auto longest_pause = 12h;
constexpr auto hook_timeout = 120s;
constexpr std::string_view account_is_gone = "accountDoesNotExist";

const Actor manager{.user_id = std::nullopt, .name = "manager", .address = "", .request_id = ""};

std::string record_name(const AcmeProof& proof) { return "_acme-challenge." + proof.name; }

Milliseconds pause_after(int failures) {
  const auto pause = shortest_pause * (1 << std::min(failures, 10));
  return std::min<Milliseconds>(pause, longest_pause);
}

void check_names(const Certificate& certificate, AcmeChallenge challenge) {
  if (certificate.subject_alt_names.empty()) throw AcmeError("the certificate has no names");
  for (const std::string& name : certificate.subject_alt_names) {
    if (normal_address(name)) throw AcmeError(name + " is an address, which cannot be proven");
    if (name.starts_with("*.") && challenge == AcmeChallenge::Http01)
      throw AcmeError(name + " can only be proven in DNS (acme.challenge dns-01)");
  }
}

bool same_names(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  return std::set(left.begin(), left.end()) == std::set(right.begin(), right.end());
}

void forget(Writer& db, std::int64_t certificate_id) {
  db.execute("DELETE FROM acme_proofs WHERE certificate_id = :id", {{"id", certificate_id}});
  db.execute("DELETE FROM renewals WHERE id = :id", {{"id", certificate_id}});
}

}  // namespace

AcmeRenewals::AcmeRenewals(Store& store, const Clock& clock, const AcmeSettings& settings,
                           Fetch& fetch)
    : store_(store), clock_(clock), settings_(settings), fetch_(fetch) {}

void AcmeRenewals::tend() {
  if (settings_.directory.empty()) return;
  for (const Certificate& certificate : due()) step(certificate);
}

// Those with a step that is due, and those whose time has come that have none yet.
std::vector<Certificate> AcmeRenewals::due() {
  const Time now = clock_.now();
  std::vector<Certificate> list;
  store_.read([&](Reader& db) {
    list = db.select<Certificate>(
        {.where = "source_type IN ('file', 'acme') AND revoked_at IS NULL AND (id IN (SELECT id "
                  "FROM renewals WHERE next_at <= :now) OR (auto_renew = 1 AND expires_at <= :soon "
                  "AND id NOT IN (SELECT id FROM renewals)))",
         .values = {{"now", to_milliseconds(now)},
                    {"soon", to_milliseconds(now + longest_renewal_window)}}});
    std::erase_if(list, [&](const Certificate& each) {
      return !db.find<Renewal>(each.id) && !is_renewal_due(each, now);
    });
  });
  return list;
}

void AcmeRenewals::step(const Certificate& certificate) {
  const Time now = clock_.now();
  std::optional<Renewal> renewal;
  store_.write(manager, [&](Writer& db) {
    renewal = db.find<Renewal>(certificate.id);
    if (renewal && renewal->next_at > now) return renewal.reset();  // another manager was here
    const bool is_new = !renewal;
    if (is_new) renewal = Renewal{.id = certificate.id};
    renewal->next_at = now + lease;
    if (is_new)
      db.insert(*renewal, Logged::No);
    else
      db.update(*renewal, Logged::No);
  });
  if (!renewal) return;
  try {
    advance(certificate, *renewal);
  } catch (const AcmeError& error) {
    fail(certificate, *renewal, error.what());
  }
}

void AcmeRenewals::advance(const Certificate& certificate, Renewal& renewal) {
  const AcmeAccount ours = account();
  const AccountKey key(ours.key_pem);
  AcmeClient client(fetch_, {.directory = settings_.directory, .ca = settings_.ca}, key, ours.url);
  if (renewal.order_url.empty()) return begin(client, certificate, renewal);
  const AcmeOrder order = client.look_at(renewal.order_url);
  switch (order.state) {
    case AcmeOrderState::Ready: return finalize(client, order, certificate, renewal);
    case AcmeOrderState::Valid: return install(client.download(order), certificate, renewal);
    case AcmeOrderState::Invalid: throw AcmeError(client.why_invalid(order));
    case AcmeOrderState::Pending:
    case AcmeOrderState::Processing: break;
  }
  if (clock_.now() - renewal.begun_at > longest_decision)
    throw AcmeError("the server has not decided in time");
  renewal.next_at = clock_.now() + order.retry_after;
  save(renewal);
}

void AcmeRenewals::begin(AcmeClient& client, const Certificate& certificate, Renewal& renewal) {
  check_names(certificate, settings_.challenge);
  const AcmeOrder order = client.order(certificate.subject_alt_names);
  const auto type = settings_.challenge == AcmeChallenge::Http01 ? AcmeChallengeType::Http01
                                                                 : AcmeChallengeType::Dns01;
  const auto proofs = client.proofs(order, type);
  present(certificate, proofs);
  for (const AcmeProof& proof : proofs) client.ready(proof);
  renewal.order_url = order.url;
  renewal.begun_at = clock_.now();
  renewal.next_at = clock_.now() + 1s;
  save(renewal);
}

// The key is kept before the server hears of it: a certificate without its key is lost.
void AcmeRenewals::finalize(AcmeClient& client, const AcmeOrder& order,
                            const Certificate& certificate, Renewal& renewal) {
  const SigningRequest request = make_signing_request(certificate.subject_alt_names);
  renewal.key_pem = request.key_pem;
  save(renewal);
  const AcmeOrder finalized = client.finalize(order, request.der);
  renewal.next_at =
      clock_.now() +
      (finalized.state == AcmeOrderState::Valid ? std::chrono::seconds(0) : finalized.retry_after);
  save(renewal);
}

void AcmeRenewals::install(const std::string& chain, const Certificate& certificate,
                           const Renewal& renewal) {
  Violations violations;
  const CertificateFacts facts = judge_upload(
      {.certificate = chain, .key = renewal.key_pem, .authority = ""}, clock_.now(), violations);
  if (!violations.empty())
    throw AcmeError("the server's certificate cannot be served: " + violations.front().issue);
  if (!same_names(facts.names, certificate.subject_alt_names))
    throw AcmeError("the server's certificate has other names");
  withdraw_proofs(certificate);
  store_.write(manager, [&](Writer& db) {
    forget(db, certificate.id);
    auto current = db.find<Certificate>(certificate.id);
    // Replaced, revoked or deleted meanwhile: that stays.
    if (!current || current->revoked_at || current->cert_pem != certificate.cert_pem) return;
    take_content(*current, facts, CertificateSource::Acme);
    db.update(*current);
  });
  log::info("certificate renewed", {{"certificate", certificate.name}, {"by", "acme"}});
}

void AcmeRenewals::fail(const Certificate& certificate, Renewal& renewal, const std::string& why) {
  log::warning("a certificate was not renewed", {{"certificate", certificate.name}, {"why", why}});
  withdraw_proofs(certificate);
  renewal.order_url.clear();
  renewal.key_pem = Secret();
  renewal.error = why;
  renewal.next_at = clock_.now() + pause_after(renewal.failures);
  ++renewal.failures;
  store_.write(manager, [&](Writer& db) {
    if (why.find(account_is_gone) != std::string::npos) {
      db.execute("DELETE FROM acme_accounts WHERE directory = :directory",
                 {{"directory", settings_.directory}});
    }
    db.execute("DELETE FROM acme_proofs WHERE certificate_id = :id", {{"id", renewal.id}});
    if (!db.find<Certificate>(renewal.id)) return forget(db, renewal.id);
    if (db.find<Renewal>(renewal.id)) db.update(renewal, Logged::No);
  });
}

void AcmeRenewals::save(Renewal& renewal) {
  store_.write(manager, [&](Writer& db) { db.update(renewal, Logged::No); });
}

void AcmeRenewals::present(const Certificate& certificate, const std::vector<AcmeProof>& proofs) {
  store_.write(manager, [&](Writer& db) {
    db.execute("DELETE FROM acme_proofs WHERE certificate_id = :id", {{"id", certificate.id}});
    for (const AcmeProof& proof : proofs) {
      KeptProof kept{.id = proof.token,
                     .certificate_id = certificate.id,
                     .name = proof.name,
                     .key_authorization = proof.key_authorization};
      db.insert(kept, Logged::No);
    }
  });
  for (const AcmeProof& proof : proofs) call_hook("present", proof);
}

void AcmeRenewals::withdraw_proofs(const Certificate& certificate) {
  std::vector<KeptProof> proofs;
  store_.read([&](Reader& db) {
    proofs =
        db.select<KeptProof>({.where = "certificate_id = :id", .values = {{"id", certificate.id}}});
  });
  for (const KeptProof& kept : proofs) {
    try {
      call_hook("cleanup", {.url = "",
                            .name = kept.name,
                            .token = kept.id,
                            .key_authorization = kept.key_authorization});
    } catch (const AcmeError& error) {
      log::warning("a DNS record was not removed",
                   {{"certificate", certificate.name}, {"why", error.what()}});
    }
  }
}

void AcmeRenewals::call_hook(std::string_view action, const AcmeProof& proof) {
  if (settings_.challenge != AcmeChallenge::Dns01) return;
  const std::string failure =
      execute({settings_.dns_hook, std::string(action), record_name(proof), proof.dns_value()},
              hook_timeout);
  if (!failure.empty()) throw AcmeError("hook " + failure);
}

// Ours at the server of the settings; made on first use, and kept before anything is asked with it.
AcmeAccount AcmeRenewals::account() {
  const auto find = [&](Reader& db) -> std::optional<AcmeAccount> {
    auto found = db.select<AcmeAccount>(
        {.where = "directory = :directory", .values = {{"directory", settings_.directory}}});
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
  };
  std::optional<AcmeAccount> known;
  store_.read([&](Reader& db) { known = find(db); });
  if (known) return *std::move(known);
  const AccountKey key = AccountKey::make();
  AcmeClient client(fetch_, {.directory = settings_.directory, .ca = settings_.ca}, key, "");
  AcmeAccount made{.directory = settings_.directory,
                   .url = client.enroll(settings_.email),
                   .key_pem = key.pem()};
  store_.write(manager, [&](Writer& db) {
    if (auto other = find(db))
      made = *std::move(other);  // another manager was faster
    else
      db.insert(made, Logged::No);
  });
  return made;
}

void ask_for_renewal(Writer& db, const Certificate& certificate) {
  auto renewal = db.find<Renewal>(certificate.id);
  if (renewal && !renewal->order_url.empty()) return;  // under way
  const bool is_new = !renewal;
  if (is_new) renewal = Renewal{.id = certificate.id};
  renewal->next_at = db.now();
  renewal->failures = 0;
  if (is_new)
    db.insert(*renewal, Logged::No);
  else
    db.update(*renewal, Logged::No);
}

void show_renewals(Reader& db, const std::vector<Certificate*>& certificates) {
  for (Certificate* each : certificates) {
    if (each->source_type == CertificateSource::Auto) continue;
    const auto renewal = db.find<Renewal>(each->id);
    if (!renewal) continue;
    each->renewal = CertificateRenewal{.is_under_way = !renewal->order_url.empty(),
                                       .next_attempt_at = renewal->next_at,
                                       .failures = renewal->failures,
                                       .error = renewal->error};
  }
}

}  // namespace mp::api
