#include "xds/keyring.hpp"

#include "model/format.hpp"
#include "xds/address.hpp"
#include "xds/calendar.hpp"

#include <algorithm>
#include <cctype>

namespace mp::xds {
namespace {

// "*.example.com" of "api.example.com"; a wildcard stands for one label (RFC 6125 §6.4.3).
std::string parent_wildcard(std::string_view name) {
  const auto dot = name.find('.');
  return dot == std::string_view::npos || is_literal(name) ? std::string()
                                                           : "*" + std::string(name.substr(dot));
}

// The blocks of a PEM text without white space, which tools set as they like.
std::set<std::string> blocks_of(std::string_view pem) {
  constexpr std::string_view begin = "-----BEGIN", end = "-----END";
  std::set<std::string> blocks;
  for (auto at = pem.find(begin); at != pem.npos; at = pem.find(begin, at + 1)) {
    std::string block(pem.substr(at, pem.find(end, at) - at));
    std::erase_if(block, [](unsigned char each) { return std::isspace(each); });
    blocks.insert(std::move(block));
  }
  return blocks;
}

}  // namespace

bool is_below(std::string_view name, std::string_view wildcard) {
  return wildcard == "*" || name.ends_with(wildcard.substr(1));
}

std::vector<std::string> names_of(const Certificate& certificate) {
  static const Format& pattern = find_format("host_pattern");
  std::vector<std::string> names;
  for (std::string name : certificate.subject_alt_names) {
    if (pattern.check(name) && name != "*") names.push_back(std::move(name));
  }
  return names;
}

bool Keyring::Changes::concern(std::string_view domain) const {
  if (names.empty()) return false;
  if (domain.starts_with('*')) {
    return std::ranges::any_of(names, [&](const auto& name) { return is_below(name, domain); });
  }
  return names.contains(domain) || names.contains(parent_wildcard(domain));
}

Keyring::Standing Keyring::standing_at(const Certificate& certificate, Time now) {
  switch (status_at(certificate, now)) {
    case CertificateStatus::Revoked: return Standing::Revoked;
    case CertificateStatus::Expired: return Standing::Expired;
    case CertificateStatus::Active: break;
  }
  return is_delivered_at(certificate, now) ? Standing::InForce : Standing::Future;
}

// What counts more stands first: in force, then the later beginning, then the newer row.
bool Keyring::before(const Entry& left, const Entry& right) {
  if (left.standing != right.standing) return left.standing < right.standing;
  const Certificate &one = *left.certificate, &other = *right.certificate;
  return one.not_before != other.not_before ? one.not_before > other.not_before : one.id > other.id;
}

Keyring::Holders Keyring::hold(const std::vector<Entry>& entries) {
  std::map<std::string, const Entry*> best;
  for (const Entry& entry : entries) {
    for (std::string& name : names_of(*entry.certificate)) {
      const auto [at, is_new] = best.try_emplace(std::move(name), &entry);
      if (!is_new && before(entry, *at->second)) at->second = &entry;
    }
  }
  Holders holders;
  for (const auto& [name, entry] : best)
    holders.emplace_hint(holders.end(), name, Holder{entry->certificate->id, entry->standing});
  return holders;
}

// Notes what `one` has and `other` has not, or has otherwise.
void Keyring::compare(Changes& changes, const Holders& one, const Holders& other) {
  for (const auto& [name, holder] : one) {
    const auto at = other.find(name);
    if (at != other.end() && at->second == holder) continue;
    changes.names.insert(name);
    changes.certificates.insert(holder.certificate);
  }
}

void Keyring::take_issuers(Changes& changes, const ClusterConfig& config, Time now) {
  Issuers issuers;
  for (const auto& issuer : config.issuers) {
    if (issuer->not_before <= now && now < issuer->expires_at) issuers.push_back(issuer);
  }
  changes.issuers = issuers != issuers_;
  issuers_ = std::move(issuers);
}

// Nothing has begun or ended since.
bool Keyring::same(const ClusterConfig& config, Time now) const {
  return config.certificates.is(certificates_) && since_ <= now && now < until_;
}

Keyring::Changes Keyring::update(const ClusterConfig& config, Time now) {
  Changes changes;
  take_issuers(changes, config, now);
  if (same(config, now)) return changes;
  certificates_ = config.certificates;
  since_ = now;
  until_ = Time::max();
  std::vector<Entry> entries;
  entries.reserve(config.certificates.size());
  for (const auto& certificate : config.certificates) {
    entries.push_back({certificate, standing_at(*certificate, now)});
    for (const Time moment : moments_of(*certificate)) {
      if (moment > now) until_ = std::min(until_, moment);
    }
  }
  if (entries == entries_) return changes;
  for (const Entry& entry : entries) {
    const Entry* old = entry_of(entry.certificate->id);
    if (!old || !(*old == entry)) changes.certificates.insert(entry.certificate->id);
  }
  entries_.swap(entries);
  for (const Entry& old : entries) {
    if (!entry_of(old.certificate->id)) changes.certificates.insert(old.certificate->id);
  }
  Holders holders = hold(entries_);
  compare(changes, holders, holders_);
  compare(changes, holders_, holders);
  holders_ = std::move(holders);
  return changes;
}

const Keyring::Entry* Keyring::entry_of(std::int64_t certificate) const {
  const auto at = std::ranges::lower_bound(
      entries_, certificate, {}, [](const Entry& entry) { return entry.certificate->id; });
  return at != entries_.end() && at->certificate->id == certificate ? &*at : nullptr;
}

const Keyring::Holder* Keyring::holder_of(std::string_view name) const {
  const auto exact = holders_.find(name);
  const auto wide = holders_.find(parent_wildcard(name));
  const bool has_exact = exact != holders_.end(), has_wide = wide != holders_.end();
  if (has_exact && exact->second.standing == Standing::InForce) return &exact->second;
  if (has_wide && wide->second.standing == Standing::InForce) return &wide->second;
  if (has_exact) return &exact->second;
  return has_wide ? &wide->second : nullptr;
}

Keyring::Proof Keyring::prove(std::string_view domain) const {
  Proof proof;
  if (!domain.starts_with('*')) {
    const Holder* holder = holder_of(domain);
    if (!holder || holder->standing != Standing::InForce) return proof;
    return {.certificates = {holder->certificate}, .whole = true};
  }
  std::set<std::int64_t> found;
  for (const auto& [name, holder] : holders_) {
    if (holder.standing != Standing::InForce || !is_below(name, domain) || is_literal(name))
      continue;
    found.insert(holder.certificate);
    if (name == domain) proof.whole = true;
  }
  proof.certificates.assign(found.begin(), found.end());
  return proof;
}

std::string Keyring::lapse(std::string_view name) const {
  const Holder* holder = holder_of(name);
  if (!holder) return "";
  const std::string subject =
      "certificate \"" + entry_of(holder->certificate)->certificate->name + "\" ";
  switch (holder->standing) {
    case Standing::InForce: return "";
    case Standing::Future: return subject + "is not valid yet";
    case Standing::Expired: return subject + "has expired";
    case Standing::Revoked: return subject + "is revoked";
  }
  return "";
}

bool Keyring::all_ours(std::string_view certificates) const {
  std::set<std::string> ours;
  for (const auto& issuer : issuers_) ours.merge(blocks_of(issuer->certificate_pem));
  const auto theirs = blocks_of(certificates);
  return !theirs.empty() && std::ranges::includes(ours, theirs);
}

CertificatePtr Keyring::find(std::int64_t certificate) const {
  const Entry* entry = entry_of(certificate);
  return entry && entry->standing == Standing::InForce ? entry->certificate : nullptr;
}

std::vector<std::string> Keyring::server_names(std::int64_t certificate) const {
  std::vector<std::string> names;
  const CertificatePtr row = find(certificate);
  if (!row) return names;
  for (std::string& name : names_of(*row)) {
    const auto holder = holders_.find(name);
    if (holder->second.certificate == certificate && !is_literal(name))
      names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

std::vector<std::pair<CertificatePtr, CertificatePtr>> Keyring::replaced() const {
  std::vector<std::pair<CertificatePtr, CertificatePtr>> pairs;
  for (const Entry& entry : entries_) {
    if (entry.standing != Standing::InForce) continue;
    const auto names = names_of(*entry.certificate);
    const auto winner = [&](const std::string& name) { return holders_.at(name).certificate; };
    const auto lost = [&](const auto& name) { return winner(name) != entry.certificate->id; };
    if (!names.empty() && std::ranges::all_of(names, lost))
      pairs.emplace_back(entry.certificate, entry_of(winner(names.front()))->certificate);
  }
  return pairs;
}

}  // namespace mp::xds
