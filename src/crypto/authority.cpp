#include "crypto/authority.hpp"

#include "base/log.hpp"
#include "crypto/issue.hpp"
#include "crypto/pem.hpp"
#include "crypto/revocation.hpp"
#include "crypto/strength.hpp"
#include "crypto/subject.hpp"

#include <algorithm>

namespace mp {
namespace {

using namespace openssl;
using namespace std::chrono_literals;

constexpr std::string_view first_form = "authority";  // one row of meta, before there were issuers
constexpr std::chrono::hours year{24 * 365 + 6};
// The longest certificate (ten years) fits into what is left when the successor is made.
constexpr auto own_life = 25 * year;
constexpr auto succession = 11 * year;
// Clients refuse everything once a list is over; that must not happen because a manager rests.
constexpr std::chrono::hours list_life{24 * 90};
constexpr std::chrono::hours list_renewal{24 * 60};  // what must be left

const Actor manager{.user_id = std::nullopt, .name = "manager", .address = "", .request_id = ""};

X509Certificate certificate_of(const std::string& pem) {
  auto read = read_certificates(pem);
  if (read.certificates.empty())
    throw internal("the authority's certificate cannot be read: " + read.issue);
  return std::move(read.certificates.front());
}

Key key_of(const Issuer& issuer) {
  auto read = read_key(issuer.key_pem.reveal());
  if (!read.key) throw internal("the authority's key cannot be read: " + read.issue);
  return std::move(read.key);
}

std::vector<Revocation> revocations_of(Reader& db, std::int64_t issuer_id, Time now) {
  // One that has expired stays in one more list (RFC 5280 §3.3).
  const auto rows = db.query(
      "SELECT serial, revoked_at, reason FROM revocations WHERE issuer_id = :issuer AND "
      "expires_at > :gone ORDER BY serial",
      {{"issuer", issuer_id}, {"gone", to_milliseconds(now - list_life)}},
      {Column::Text, Column::Integer, Column::Text});
  std::vector<Revocation> list;
  for (const Row& row : rows) {
    Revocation each{.serial = std::get<std::string>(row[0]),
                    .revoked_at = from_milliseconds(std::get<std::int64_t>(row[1]))};
    ShapeOf<RevocationReason>::from_cell(each.reason, row[2]);
    list.push_back(std::move(each));
  }
  return list;
}

// The next list, signed.
void sign_list(Issuer& issuer, std::vector<Revocation> revoked, Time now) {
  issuer.crl_next_update = std::min(now + list_life, issuer.expires_at);
  ++issuer.crl_number;
  issuer.crl_pem = signed_list({.revoked = std::move(revoked),
                                .number = issuer.crl_number,
                                .this_update = now - backdated,
                                .next_update = issuer.crl_next_update},
                               certificate_of(issuer.certificate_pem).get(), key_of(issuer).get());
}

Issuer issuer_of(X509* certificate, EVP_PKEY* key, Time now) {
  Issuer issuer{.certificate_pem = to_pem(certificate),
                .not_before = begin_of(certificate),
                .expires_at = end_of(certificate),
                .key_pem = Secret(to_pem(key))};
  sign_list(issuer, {}, now);
  return issuer;
}

Issuer make_issuer(Time now) {
  const Key key = new_key(Curve::P384);
  const CertificateRequest request{.purpose = Purpose::Authority,
                                   .common_name = "MarchProxy authority " + random_text(8),
                                   .names = {},
                                   .not_before = now - backdated,
                                   .not_after = now + own_life};
  const auto certificate = issue(request, key.get(), nullptr, key.get());
  return issuer_of(certificate.get(), key.get(), now);
}

// Certificate and key were one text then.
Issuer read_first_form(const std::string& stored, Time now) {
  const auto boundary = stored.find("-----BEGIN PRIVATE KEY");
  const auto certificate = certificate_of(stored.substr(0, boundary));
  const auto key = read_key(std::string_view(stored).substr(std::min(boundary, stored.size())));
  if (!key.key || X509_check_private_key(certificate.get(), key.key.get()) != 1)
    throw internal("the stored authority's key is not its certificate's: " + take_error());
  return issuer_of(certificate.get(), key.key.get(), now);
}

std::vector<Issuer> all_issuers(Reader& db) { return db.select<Issuer>(); }

bool wants_successor(const std::vector<Issuer>& issuers, Time now) {
  return std::ranges::none_of(
      issuers, [&](const Issuer& each) { return each.expires_at > now + succession; });
}

// Whether a list is to be signed anew: in time, and when a clock that went back since signed it for
// a time to come.
bool wants_list(const Issuer& issuer, Time now) {
  const auto left = issuer.crl_next_update - now;
  return left < list_renewal || left > list_life + backdated;
}

std::vector<std::string> without_repeats(const std::vector<std::string>& names) {
  std::vector<std::string> unique;
  for (const std::string& name : names) {
    if (!name.empty() && std::ranges::find(unique, name) == unique.end()) unique.push_back(name);
  }
  return unique;
}

// From the oldest authority that outlasts it, with that one's certificate behind it. Shortens the
// request when none does.
KeyPair sign(const std::vector<Issuer>& all, CertificateRequest& request, EVP_PKEY* key) {
  const auto lasting = std::ranges::find_if(
      all, [&](const Issuer& each) { return each.expires_at >= request.not_after; });
  const Issuer& issuer = lasting == all.end() ? all.back() : *lasting;
  request.not_after = std::min(request.not_after, issuer.expires_at);
  const auto own = certificate_of(issuer.certificate_pem);
  const auto leaf = issue(request, key, own.get(), key_of(issuer).get());
  return {.certificate_pem = to_pem(leaf.get()) + issuer.certificate_pem, .key_pem = Secret()};
}

Key requested_key(const std::string& csr) {
  PemKey read = read_requested_key(csr);
  if (read.issue.empty()) {
    if (const auto weakness = weakness_of_key(read.key.get()); !weakness.empty())
      read.issue = "The request " + weakness;
  }
  if (!read.issue.empty()) throw invalid("csr", read.issue);
  return std::move(read.key);
}

}  // namespace

Authority::Authority(Store& store, const Clock& clock) : store_(store), clock_(clock) {
  import_first();
  maintain();
}

std::shared_ptr<const Authority::Issuers> Authority::issuers() const {
  const std::lock_guard lock(mutex_);
  return issuers_;
}

void Authority::reload() {
  auto read = std::make_shared<Issuers>();
  store_.read([&](Reader& db) { *read = all_issuers(db); });
  std::erase_if(*read, [&](const Issuer& each) { return each.expires_at <= clock_.now(); });
  std::ranges::sort(*read, {}, [](const Issuer& each) { return each.expires_at; });
  const std::lock_guard lock(mutex_);
  issuers_ = std::move(read);
}

void Authority::import_first() {
  const auto stored = [](Reader& db) {
    return db.query("SELECT value FROM meta WHERE key = :key", {{"key", std::string(first_form)}},
                    {Column::Text});
  };
  bool found = false;
  store_.read([&](Reader& db) { found = !stored(db).empty(); });
  if (!found) return;
  store_.write(manager, [&](Writer& db) {
    const auto rows = stored(db);
    if (rows.empty()) return;  // another manager was first
    Issuer issuer =
        read_first_form(store_.unseal(std::get<std::string>(rows.front().front())), db.now());
    db.insert(issuer);
    db.execute("DELETE FROM meta WHERE key = :key", {{"key", std::string(first_form)}});
  });
}

void Authority::make_successor() {
  Issuer made = make_issuer(clock_.now());
  store_.write(manager, [&](Writer& db) {
    made.id = 0;
    if (wants_successor(all_issuers(db), db.now())) db.insert(made);
  });
  if (made.id != 0) log::info("authority made", {{"ends", to_string(made.expires_at)}});
}

void Authority::renew_list(const Issuer& issuer) {
  store_.write(manager, [&](Writer& db) {
    Issuer current = db.get<Issuer>(issuer.id);
    if (!wants_list(current, db.now())) return;
    db.execute("DELETE FROM revocations WHERE expires_at <= :gone",
               {{"gone", to_milliseconds(db.now() - list_life)}});
    sign_list(current, revocations_of(db, current.id, db.now()), db.now());
    db.update(current);
  });
}

void Authority::maintain() {
  reload();
  bool changed = false;
  if (wants_successor(*issuers(), clock_.now())) {
    make_successor();
    reload();
  }
  for (const Issuer& each : *issuers()) {
    const bool lasts = each.crl_next_update >= each.expires_at;
    if (lasts || !wants_list(each, clock_.now())) continue;
    renew_list(each);
    changed = true;
  }
  if (changed) reload();
}

std::string Authority::certificates_pem() const {
  std::string pem;
  for (const Issuer& each : *issuers()) pem += each.certificate_pem;
  return pem;
}

KeyPair Authority::issue_server(const ServerRequest& wanted) const {
  const Key key = new_key(Curve::P256);
  CertificateRequest request{.purpose = Purpose::Server,
                             .common_name = wanted.common_name,
                             .names = without_repeats(wanted.names),
                             .not_before = clock_.now() - backdated,
                             .not_after = wanted.not_after};
  KeyPair pair = sign(*issuers(), request, key.get());
  pair.key_pem = Secret(to_pem(key.get()));
  return pair;
}

IssuedClient Authority::issue_client(const ClientRequest& wanted) const {
  const Key key = wanted.csr.empty() ? new_key(Curve::P256) : requested_key(wanted.csr);
  CertificateRequest request{.purpose = Purpose::Client,
                             .common_name = "",
                             .names = {wanted.identity},
                             .not_before = clock_.now() - backdated,
                             .not_after = wanted.not_after};
  IssuedClient issued{
      .pair = sign(*issuers(), request, key.get()), .serial = "", .expires_at = request.not_after};
  if (wanted.csr.empty()) issued.pair.key_pem = Secret(to_pem(key.get()));
  issued.serial = serial_of(certificate_of(issued.pair.certificate_pem).get());
  return issued;
}

std::optional<Revoked> Authority::revoke(Writer& db, const std::string& certificate_pem,
                                         RevocationReason reason) const {
  const auto read = read_certificates(certificate_pem);
  if (read.certificates.empty()) return std::nullopt;
  const X509Certificate& leaf = read.certificates.front();
  for (Issuer& issuer : all_issuers(db)) {
    if (!is_issued_by(leaf.get(), certificate_of(issuer.certificate_pem).get())) continue;
    std::string serial = serial_of(leaf.get());
    const std::string name(names_of<RevocationReason>[static_cast<std::size_t>(reason)]);
    db.execute(
        "INSERT INTO revocations (issuer_id, serial, revoked_at, reason, expires_at) VALUES "
        "(:issuer, :serial, :revoked_at, :reason, :expires_at) ON CONFLICT DO NOTHING",
        {{"issuer", issuer.id},
         {"serial", serial},
         {"revoked_at", to_milliseconds(db.now())},
         {"reason", name},
         {"expires_at", to_milliseconds(end_of(leaf.get()))}});
    sign_list(issuer, revocations_of(db, issuer.id, db.now()), db.now());
    db.update(issuer);
    return Revoked{std::move(serial), fingerprint_of(leaf.get())};
  }
  return std::nullopt;
}

}  // namespace mp
