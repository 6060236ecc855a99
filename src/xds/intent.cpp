#include "xds/intent.hpp"

#include "xds/address.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

bool speaks(const Mapping& mapping, Protocol protocol) {
  return std::ranges::find(mapping.protocols, protocol) != mapping.protocols.end();
}

std::string_view why_unsupported(Protocol protocol) {
  switch (protocol) {
    case Protocol::Https: return "https needs certificates, which this version does not deliver";
    case Protocol::Wss: return "wss needs certificates, which this version does not deliver";
    case Protocol::Icmp:
      return "icmp has no form in Envoy; only proxies that read GET /config carry it";
    default: return "";
  }
}

// Writes one plan.
class Planner {
 public:
  Planner(const std::shared_ptr<const Mapping>& mapping, const Directory& directory)
      : mapping_(*mapping),
        plan_(std::make_shared<Plan>()),
        sources_(directory.resolve(mapping->source_services)),
        targets_(directory.resolve(mapping->dest_services)) {
    plan_->mapping = mapping;
  }

  PlanPtr write() && {
    for (const Protocol protocol : mapping_.protocols) {
      if (const auto why = why_unsupported(protocol); !why.empty())
        find(Condition::Unsupported, std::string(why));
    }
    if (sources_.empty() && !has_any(mapping_.source_services)) {
      find(Condition::Warning, "None of the sources exists any more, so that nobody may pass");
    } else if (targets_.empty()) {
      find(Condition::Warning,
           "None of the destinations exists any more, so that nothing is opened");
    } else {
      claim();
    }
    std::ranges::sort(plan_->findings);
    return plan_;
  }

 private:
  void find(Condition condition, std::string message) {
    plan_->findings.push_back({object_of(mapping_), condition, std::move(message)});
  }

  void claim() {
    const std::vector<int> ports = all_ports(mapping_);
    if (speaks(mapping_, Protocol::Http) || speaks(mapping_, Protocol::Ws)) claim_http(ports);
    if (speaks(mapping_, Protocol::Tcp)) claim_streams(Carrier::Tcp, ports);
    if (speaks(mapping_, Protocol::Udp)) claim_streams(Carrier::Udp, ports);
  }

  std::shared_ptr<const Guard> guard_for(const Parties& targets, Carrier carrier) {
    Verdict verdict = judge(mapping_, sources_, targets, carrier);
    const bool denied = verdict.guard.nobody();
    for (std::string& reason : verdict.reasons) {
      if (denied) reason += ": " + std::string(name_of(carrier)) + " is denied";
      Finding finding{object_of(mapping_), denied ? Condition::Unsupported : Condition::Warning,
                      std::move(reason)};
      if (std::ranges::find(plan_->findings, finding) == plan_->findings.end()) {
        plan_->findings.push_back(std::move(finding));
      }
    }
    return std::make_shared<const Guard>(std::move(verdict.guard));
  }

  UpstreamPtr upstream_for(const Parties& targets, int port) {
    const bool single = targets.size() == 1;
    Upstream upstream{
        .port = port,
        .targets = targets,
        .origin = single ? object_of(*targets.front()->service) : object_of(mapping_)};
    upstream.name = upstream.origin.type + "/" + std::to_string(upstream.origin.id) + "/" +
                    std::to_string(port);
    for (const UpstreamPtr& known : plan_->upstreams) {
      if (known->name == upstream.name) return known;
    }
    plan_->upstreams.push_back(std::make_shared<const Upstream>(std::move(upstream)));
    return plan_->upstreams.back();
  }

  void claim_http(const std::vector<int>& ports) {
    // With source `any` and auth_required the credential is the destination's own, so that each has
    // its guard.
    for (const PartyPtr& target : targets_) {
      const Service& service = *target->service;
      const auto guard = guard_for({target}, Carrier::Http);
      const std::string name = domain_of(service.name), address = domain_of(service.ip_fqdn);
      for (const int port : ports) {
        const UpstreamPtr upstream = upstream_for({target}, port);
        claim_domain(name, service.id, port, guard, upstream);
        if (address != name) claim_domain(address, service.id, port, guard, upstream);
      }
    }
    if (mapping_.hosts.empty()) return;
    const auto guard = guard_for(targets_, Carrier::Http);
    for (const int port : ports) {
      const UpstreamPtr upstream = upstream_for(targets_, port);
      for (const std::string& host : mapping_.hosts)
        claim_domain(domain_of(host), 0, port, guard, upstream);
    }
  }

  void claim_domain(const std::string& domain, std::int64_t service, int port,
                    const std::shared_ptr<const Guard>& guard, const UpstreamPtr& upstream) {
    plan_->http.push_back({.rank = {mapping_.priority, mapping_.id, service},
                           .port = port,
                           .domain = domain,
                           .mapping = plan_->mapping,
                           .guard = guard,
                           .upstream = upstream});
  }

  void claim_streams(Carrier carrier, const std::vector<int>& ports) {
    const auto guard = guard_for(targets_, carrier);
    if (guard->nobody()) return;
    for (const int port : ports) {
      plan_->streams.push_back({.rank = {mapping_.priority, mapping_.id, 0},
                                .port = port,
                                .carrier = carrier,
                                .mapping = plan_->mapping,
                                .guard = guard,
                                .upstream = upstream_for(targets_, port)});
    }
  }

  const Mapping& mapping_;
  std::shared_ptr<Plan> plan_;
  Parties sources_;
  Parties targets_;
};

}  // namespace

Object object_of(const Mapping& mapping) {
  return {.type = "mapping", .id = mapping.id, .name = "mapping " + std::to_string(mapping.id)};
}

Object object_of(const Service& service) {
  return {.type = "service", .id = service.id, .name = service.name};
}

bool allows_upgrade(const Mapping& mapping) { return speaks(mapping, Protocol::Ws); }

PlanPtr make_plan(const std::shared_ptr<const Mapping>& mapping, const Directory& directory) {
  return Planner(mapping, directory).write();
}

}  // namespace mp::xds
