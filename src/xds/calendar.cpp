#include "xds/calendar.hpp"

namespace mp::xds {
namespace {

using xds::moments_of;

std::vector<Time> moments_of(const Service& service) {
  if (!service.previous_secret || !service.previous_secret_until) return {};
  return {*service.previous_secret_until};
}

std::vector<Time> moments_of(const Issuer& issuer) { return {issuer.expires_at}; }

template <class Table>
void update(std::multiset<Time>& moments, Table& last, const Table& next) {
  for (const auto& [before, after] : Table::difference(last, next)) {
    if (before) {
      for (const Time moment : moments_of(*before)) moments.erase(moments.find(moment));
    }
    if (after) {
      for (const Time moment : moments_of(*after)) moments.insert(moment);
    }
  }
  last = next;
}

}  // namespace

std::vector<Time> moments_of(const Certificate& certificate) {
  if (certificate.revoked_at) return {};
  return {certificate.not_before, certificate.expires_at};
}

void Calendar::update(const ClusterConfig& config) {
  xds::update(moments_, config_.services, config.services);
  xds::update(moments_, config_.certificates, config.certificates);
  xds::update(moments_, config_.issuers, config.issuers);
}

std::optional<Time> Calendar::next(Time now) const {
  const auto found = moments_.upper_bound(now);
  return found == moments_.end() ? std::nullopt : std::optional(*found);
}

}  // namespace mp::xds
