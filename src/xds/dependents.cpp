#include "xds/dependents.hpp"

namespace mp::xds {
namespace {

template <class Index, class Key>
void add_all(Dependents::Ids& ids, const Index& index, const Key& key) {
  if (const auto found = index.find(key); found != index.end())
    ids.insert(found->second.begin(), found->second.end());
}

}  // namespace

// Calls `visit` with each index and key under which the plan stands.
template <class Visit>
void Dependents::visit(const Plan& plan, Visit visit) {
  for (const auto* refs : {&plan.mapping->source_services, &plan.mapping->dest_services}) {
    for (const ServiceRef& ref : *refs) {
      if (ref.kind == ServiceRef::Kind::Service) visit(by_service_, ref.service_id);
      if (ref.kind == ServiceRef::Kind::Collection) visit(by_collection_, ref.name);
    }
  }
  for (const std::string& domain : plan.proofs) visit(by_domain_, domain);
}

void Dependents::add(const Plan& plan) {
  const std::int64_t id = plan.mapping->id;
  visit(plan, [&](auto& index, const auto& key) { index[key].insert(id); });
  if (plan.by_issuers) by_issuers_.insert(id);
}

void Dependents::remove(const Plan& plan) {
  const std::int64_t id = plan.mapping->id;
  visit(plan, [&](auto& index, const auto& key) {
    const auto at = index.find(key);
    if (at == index.end()) return;  // it names the same thing twice
    at->second.erase(id);
    if (at->second.empty()) index.erase(at);
  });
  by_issuers_.erase(id);
}

Dependents::Ids Dependents::of(const Directory::Changes& services,
                               const Keyring::Changes& keys) const {
  Ids ids;
  for (const std::int64_t service : services.services) add_all(ids, by_service_, service);
  for (const std::string& collection : services.collections)
    add_all(ids, by_collection_, collection);
  if (keys.issuers) ids.insert(by_issuers_.begin(), by_issuers_.end());
  if (keys.names.empty()) return ids;
  for (const auto& [domain, users] : by_domain_) {
    if (keys.concern(domain)) ids.insert(users.begin(), users.end());
  }
  return ids;
}

}  // namespace mp::xds
