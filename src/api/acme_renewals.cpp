#include "api/acme_renewals.hpp"

#include "api/wildcard.hpp"
#include "base/due.hpp"
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
constexpr auto longest_wait = longest_pause + 1h;  // no step is ever further away
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

bool is_under_way(const Renewal& renewal) { return renewal.begun_at != Time(); }

// The certificate as it is now; none when it was replaced, revoked or deleted since.
std::optional<Certificate> find_unchanged(Reader& db, const Certificate& certificate) {
  auto current = db.find<Certificate>(certificate.id);
  if (current && (current->revoked_at || current->cert_pem != certificate.cert_pem))
    current.reset();
  return current;
}

std::vector<KeptProof> take_proofs(Writer& db, const Selection& selection) {
  auto proofs = db.select<KeptProof>(selection);
  for (const KeptProof& proof : proofs) db.remove(proof, Logged::No);
  return proofs;
}

}  // namespace

AcmeRenewals::AcmeRenewals(Store& store, const Clock& clock, const AcmeSettings& settings,
                           Fetch& fetch)
    : store_(store), clock_(clock), settings_(settings), fetch_(fetch) {}

void AcmeRenewals::tend() {
  if (settings_.directory.empty()) return;
  withdraw_proofs();
  for (const Certificate& certificate : due()) {
    try {
      step(certificate);
    } catch (const Error& fault) {
      if (fault.code == Code::Unavailable) throw;  // none of the others would get further
      log::warning("a step of a renewal failed",
                   {{"certificate", certificate.name}, {"fault", fault.what()}});
    }
  }
}

// Those with a step that is due, and those whose time has come that have none yet.
std::vector<Certificate> AcmeRenewals::due() {
  const Time now = clock_.now();
  std::vector<Certificate> list;
  store_.read([&](Reader& db) {
    list = db.select<Certificate>(
        {.where = "source_type IN ('file', 'acme') AND revoked_at IS NULL AND (id IN (SELECT id "
                  "FROM renewals WHERE next_at <= :now OR next_at > :never) OR (auto_renew = 1 AND "
                  "expires_at <= :soon "
                  "AND id NOT IN (SELECT id FROM renewals)))",
         .values = {{"now", to_milliseconds(now)},
                    {"never", to_milliseconds(now + longest_wait)},
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
    const bool is_new = !renewal;
    const bool is_late = renewal && !is_due(renewal->next_at, now, longest_wait);
    // Another manager was here, or somebody who needs none any more.
    if (is_late || !find_unchanged(db, certificate)) return renewal.reset();
    if (is_new) renewal = Renewal{.id = certificate.id};
    renewal->next_at = now + lease;
    if (renewal->order_url.empty()) renewal->begun_at = now;
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
  const auto number = static_cast<int>(order.authorizations.size());
  hold(renewal, number * FetchRequest{}.timeout);
  const auto proofs = client.proofs(order, type);
  present(renewal, proofs);
  hold(renewal, number * FetchRequest{}.timeout);
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
  bool is_installed = false;
  store_.write(manager, [&](Writer& db) {
    auto current = find_unchanged(db, certificate);
    // What was given up, or is another one, stays as it is.
    is_installed = current && db.find<Renewal>(certificate.id);
    if (!is_installed) return;
    give_up_renewal(db, certificate.id);
    take_content(*current, facts, CertificateSource::Acme);
    db.update(*current);
  });
  if (is_installed)
    log::info("certificate renewed", {{"certificate", certificate.name}, {"by", "acme"}});
}

void AcmeRenewals::fail(const Certificate& certificate, Renewal& renewal, const std::string& why) {
  log::warning("a certificate was not renewed", {{"certificate", certificate.name}, {"why", why}});
  renewal.order_url.clear();
  renewal.key_pem = Secret();
  renewal.begun_at = Time();
  renewal.error = why;
  renewal.next_at = clock_.now() + pause_after(renewal.failures);
  ++renewal.failures;
  store_.write(manager, [&](Writer& db) {
    if (why.find(account_is_gone) != std::string::npos) {
      db.execute("DELETE FROM acme_accounts WHERE directory = :directory",
                 {{"directory", settings_.directory}});
    }
    if (db.find<Renewal>(renewal.id)) db.update(renewal, Logged::No);
  });
}

void AcmeRenewals::save(Renewal& renewal) {
  store_.write(manager, [&](Writer& db) { db.update(renewal, Logged::No); });
}

// Keeps other managers away for as long as what comes next may take.
void AcmeRenewals::hold(Renewal& renewal, Milliseconds time) {
  renewal.next_at = clock_.now() + time + lease;
  save(renewal);
}

void AcmeRenewals::present(Renewal& renewal, const std::vector<AcmeProof>& proofs) {
  std::vector<KeptProof> cut_off;  // of an attempt that a crash has ended
  store_.write(manager, [&](Writer& db) {
    cut_off = take_proofs(db, {.where = "certificate_id = :id", .values = {{"id", renewal.id}}});
    for (const AcmeProof& proof : proofs) {
      KeptProof kept{.id = proof.token,
                     .certificate_id = renewal.id,
                     .name = proof.name,
                     .key_authorization = proof.key_authorization};
      db.insert(kept, Logged::No);
    }
  });
  for (const KeptProof& proof : cut_off) {
    hold(renewal, hook_timeout);
    clean_up(proof);
  }
  for (const AcmeProof& proof : proofs) {
    hold(renewal, hook_timeout);
    call_hook("present", proof);
  }
}

// Those of orders that are no longer under way, however they ended. Whoever takes them out of the
// database cleans up.
void AcmeRenewals::withdraw_proofs() {
  const Selection ended{
      .where = "certificate_id NOT IN (SELECT id FROM renewals WHERE begun_at > 0)", .values = {}};
  std::vector<KeptProof> proofs;
  store_.read([&](Reader& db) { proofs = db.select<KeptProof>(ended); });
  if (proofs.empty()) return;
  store_.write(manager, [&](Writer& db) { proofs = take_proofs(db, ended); });
  for (const KeptProof& proof : proofs) clean_up(proof);
}

void AcmeRenewals::clean_up(const KeptProof& proof) {
  try {
    call_hook("cleanup", {.url = "",
                          .name = proof.name,
                          .token = proof.id,
                          .key_authorization = proof.key_authorization});
  } catch (const AcmeError& error) {
    log::warning("a DNS record was not removed", {{"name", proof.name}, {"why", error.what()}});
  }
}

void AcmeRenewals::call_hook(std::string_view action, const AcmeProof& proof) {
  if (settings_.challenge != AcmeChallenge::Dns01) return;
  if (stopping_) throw unavailable("The server is stopping", "");
  const std::string failure =
      execute({settings_.dns_hook, std::string(action), record_name(proof), proof.dns_value()},
              hook_timeout, stopping_);
  if (!failure.empty() && stopping_) throw unavailable("The server is stopping", failure);
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
  if (renewal && is_under_way(*renewal)) return;
  const bool is_new = !renewal;
  if (is_new) renewal = Renewal{.id = certificate.id};
  renewal->next_at = db.now();
  renewal->failures = 0;
  if (is_new)
    db.insert(*renewal, Logged::No);
  else
    db.update(*renewal, Logged::No);
}

void give_up_renewal(Writer& db, std::int64_t certificate_id) {
  db.execute("DELETE FROM renewals WHERE id = :id", {{"id", certificate_id}});
}

void show_renewals(Reader& db, const std::vector<Certificate*>& certificates) {
  for (Certificate* each : certificates) {
    if (each->source_type == CertificateSource::Auto) continue;
    const auto renewal = db.find<Renewal>(each->id);
    if (!renewal) continue;
    each->renewal = CertificateRenewal{.is_under_way = is_under_way(*renewal),
                                       .next_attempt_at = renewal->next_at,
                                       .failures = renewal->failures,
                                       .error = renewal->error};
  }
}

}  // namespace mp::api
