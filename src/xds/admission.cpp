#include "xds/admission.hpp"

#include "xds/access_log.hpp"
#include "xds/address.hpp"
#include "xds/encode.hpp"
#include "xds/mark.hpp"

#include "envoy/extensions/common/matching/v3/extension_matcher.pb.h"
#include "envoy/extensions/filters/http/composite/v3/composite.pb.h"
#include "envoy/extensions/filters/http/jwt_authn/v3/config.pb.h"
#include "envoy/extensions/filters/http/rbac/v3/rbac.pb.h"

#include <algorithm>
#include <set>

namespace mp::xds {
namespace {

namespace rbac = envoy::config::rbac::v3;
using envoy::config::route::v3::Route;
using envoy::extensions::common::matching::v3::ExtensionWithMatcher;
using envoy::extensions::common::matching::v3::ExtensionWithMatcherPerRoute;
using envoy::extensions::filters::http::composite::v3::Composite;
using envoy::extensions::filters::http::composite::v3::ExecuteFilterAction;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

constexpr std::string_view token_filter = "marchproxy.token";
constexpr std::string_view decision_filter = decision_metadata;

std::string key_header(const Service& service) {
  return service.auth_config.header.value_or(std::string(usual_key_header));
}

void permit_address(rbac::Policy& policy, const std::string& address) {
  auto& range = *policy.add_principals()->mutable_direct_remote_ip();
  range.set_address_prefix(address);
  range.mutable_prefix_len()->set_value(prefix_length(address));
}

void permit_key(rbac::Policy& policy, const Service& service, const Secret& key) {
  auto& header = *policy.add_principals()->mutable_header();
  header.set_name(key_header(service));
  header.mutable_string_match()->set_exact(key.reveal());
}

// The claim service_id of a token that was verified with the secret of that very service; as a
// number, or as text from libraries that write all claims so.
void permit_token(rbac::Policy& policy, const Service& service) {
  const auto add = [&]() -> envoy::type::matcher::v3::ValueMatcher& {
    auto& matcher =
        *policy.add_principals()->mutable_sourced_metadata()->mutable_metadata_matcher();
    matcher.set_filter(std::string(token_metadata));
    matcher.add_path()->set_key(token_payload(service));
    matcher.add_path()->set_key("service_id");
    return *matcher.mutable_value();
  };
  add().mutable_double_match()->set_exact(static_cast<double>(service.id));
  add().mutable_string_match()->set_exact(std::to_string(service.id));
}

void set_permission(rbac::Policy& policy, bool upgrade_too) {
  auto& permission = *policy.add_permissions();
  if (upgrade_too) {
    permission.set_any(true);
    return;
  }
  auto& header = *permission.mutable_not_rule()->mutable_header();
  header.set_name("upgrade");
  header.set_present_match(true);
}

// The policies of a route: one a mapping, or, where decisions are logged, one for each way by which
// callers of a mapping may prove who they are. The policy that admits is named in the record.
class Policies {
 public:
  Policies(rbac::RBAC& rules, bool upgrades, const Logging& logging)
      : rules_(rules), upgrades_(upgrades), logging_(logging) {}

  void add(const HttpClaim& claim) {
    const Guard& guard = *claim.guard;
    permission_.Clear();
    set_permission(permission_, !upgrades_ || allows_upgrade(claim));
    const std::int64_t mapping = claim.mapping->id;
    if (guard.open()) policy({.mapping = mapping}).add_principals()->set_any(true);
    for (const std::string& address : guard.addresses)
      permit_address(policy({mapping, Mark::Proof::Address}), address);
    for (const PartyPtr& party : guard.tokens)
      permit_token(policy({mapping, Mark::Proof::Token, party->service->id}), *party->service);
    for (const PartyPtr& party : guard.keys) {
      auto& by_key = policy({mapping, Mark::Proof::Key, party->service->id});
      permit_key(by_key, *party->service, *party->service->secret);
      if (party->previous_counts)
        permit_key(by_key, *party->service, *party->service->previous_secret);
    }
    for (const std::string& name : fresh_)
      (*rules_.mutable_policies())[name].MergeFrom(permission_);
    fresh_.clear();
  }

 private:
  rbac::Policy& policy(Mark mark) {
    if (!logging_.auth) mark = {.mapping = mark.mapping};
    const std::string name = to_text(mark);
    fresh_.insert(name);
    return (*rules_.mutable_policies())[name];
  }

  rbac::RBAC& rules_;
  const bool upgrades_;
  const Logging& logging_;
  rbac::Policy permission_;
  std::set<std::string> fresh_;  // policies that the present claim added to
};

void decide(Route& target, const HttpRoute& route, bool upgrades, const Logging& logging) {
  envoy::extensions::filters::http::rbac::v3::RBACPerRoute per_route;
  auto& rules = *per_route.mutable_rbac()->mutable_rules();
  rules.set_action(rbac::RBAC::ALLOW);
  Policies policies(rules, upgrades, logging);
  for (const HttpClaim* claim : route.claims) policies.add(*claim);
  (*target.mutable_typed_per_filter_config())[std::string(decision_filter)] = pack(per_route);
}

// jwt_authn takes its keys from the filter's configuration only; the composite filter makes such a
// filter from the configuration that stands here.
void check_tokens(Route& target, const TokenCheck& check) {
  ExecuteFilterAction execute;
  execute.mutable_typed_config()->set_name("envoy.filters.http.jwt_authn");
  *execute.mutable_typed_config()->mutable_typed_config() = encode(check);
  ExtensionWithMatcherPerRoute per_route;
  auto& action = *per_route.mutable_xds_matcher()->mutable_on_no_match()->mutable_action();
  action.set_name("check");
  *action.mutable_typed_config() = pack(execute);
  (*target.mutable_typed_per_filter_config())[std::string(token_filter)] = pack(per_route);
}

// The check of that name stands in the listener's filter.
void name_check(Route& target, const TokenCheck& check) {
  envoy::extensions::filters::http::jwt_authn::v3::PerRouteConfig per_route;
  per_route.set_requirement_name(check_name(check));
  (*target.mutable_typed_per_filter_config())[std::string(token_filter)] = pack(per_route);
}

void add_decision_filter(HttpConnectionManager& manager) {
  auto& decision = *manager.add_http_filters();
  decision.set_name(std::string(decision_filter));
  *decision.mutable_typed_config() = pack(envoy::extensions::filters::http::rbac::v3::RBAC());
}

void take_keys_off(Route& target, const HttpRoute& route) {
  std::set<std::string> headers;
  for (const HttpClaim* claim : route.claims) {
    for (const PartyPtr& party : claim->guard->keys) headers.insert(key_header(*party->service));
  }
  for (const std::string& header : headers) target.add_request_headers_to_remove(header);
}

}  // namespace

TokenCheck token_check(const HttpRoute& route, const Logging& logging) {
  std::map<std::int64_t, PartyPtr> parties;
  TokenCheck check{.need = TokenCheck::Need::Required};
  if (logging.auth) check.refusal = refused_token;
  for (const HttpClaim* claim : route.claims) {
    const Guard& guard = *claim->guard;
    for (const PartyPtr& party : guard.tokens) parties.emplace(party->service->id, party);
    if (guard.open() || !guard.addresses.empty() || !guard.keys.empty())
      check.need = TokenCheck::Need::Optional;
  }
  for (auto& [id, party] : parties) check.parties.push_back(std::move(party));
  return check;
}

void add_admission_filters(HttpConnectionManager& manager) {
  ExtensionWithMatcher matched;
  matched.mutable_xds_matcher();
  matched.mutable_extension_config()->set_name("envoy.filters.http.composite");
  *matched.mutable_extension_config()->mutable_typed_config() = pack(Composite());
  auto& token = *manager.add_http_filters();
  token.set_name(std::string(token_filter));
  *token.mutable_typed_config() = pack(matched);
  add_decision_filter(manager);
}

void add_admission_filters(HttpConnectionManager& manager, const std::string& tokens) {
  if (!tokens.empty()) {
    auto& token = *manager.add_http_filters();
    token.set_name(std::string(token_filter));
    token.mutable_typed_config()->ParseFromString(tokens);
  }
  add_decision_filter(manager);
}

void admit(Route& target, const HttpRoute& route, const RouteForm& form) {
  take_keys_off(target, route);
  const bool upgrades = std::ranges::any_of(
      route.claims, [](const HttpClaim* claim) { return allows_upgrade(*claim); });
  const bool unconditional = std::ranges::any_of(route.claims, [&](const HttpClaim* claim) {
    return claim->guard->open() && (!upgrades || allows_upgrade(*claim));
  });
  const TokenCheck check = token_check(route, form.logging);
  const auto set_check = form.flavour == Flavour::Delta ? check_tokens : name_check;
  if (!check.parties.empty()) set_check(target, check);
  if (!unconditional) decide(target, route, upgrades, form.logging);
}

}  // namespace mp::xds
