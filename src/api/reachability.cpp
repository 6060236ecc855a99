#include "model/reachability.hpp"

#include "api/context.hpp"
#include "api/nouns.hpp"
#include "api/reach_fleet.hpp"
#include "api/selection.hpp"
#include "xds/load.hpp"
#include "xds/reach.hpp"

#include <algorithm>
#include <charconv>

namespace mp::api {
namespace {

constexpr std::string_view collection_prefix = "collection:";
constexpr std::size_t most_pairs = 100;

// Who is asked about, all of one cluster.
struct Ends {
  std::vector<Service> from;  // empty: whoever it is
  std::vector<Service> to;
};

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<Service> select(Reader& db, const Caller& caller, Selection selection,
                            std::optional<std::int64_t> cluster_id) {
  if (cluster_id) {
    narrow(selection, "cluster_id = :cluster");
    selection.values.emplace_back("cluster", *cluster_id);
  }
  narrow_to_visible(selection, caller);
  selection.limit = most_pairs + 1;
  return db.select<Service>(selection);
}

// Those that the text means and the caller sees.
std::vector<Service> services_of(Reader& db, const Caller& caller, const std::string& text,
                                 std::optional<std::int64_t> cluster_id) {
  if (text.starts_with(collection_prefix)) {
    const std::string name = text.substr(collection_prefix.size());
    return select(db, caller, {.where = "collection = :name", .values = {{"name", name}}},
                  cluster_id);
  }
  if (const auto id = number_of(text)) {
    auto found = select(db, caller, {.where = "id = :id", .values = {{"id", *id}}}, cluster_id);
    if (!found.empty()) return found;
  }
  return select(db, caller, {.where = "name = :name", .values = {{"name", text}}}, cluster_id);
}

Error unknown(const std::string& field, const std::string& text) {
  return invalid(field, "No service of this name or collection", boost::json::value(text));
}

Ends ends_of(Reader& db, const Caller& caller, const ReachabilityQuery& query) {
  if (query.cluster_id) check_cluster(db, caller, *query.cluster_id);
  Ends ends{.from = {}, .to = services_of(db, caller, query.to, query.cluster_id)};
  if (ends.to.empty()) throw unknown("to", query.to);
  const std::int64_t cluster_id = ends.to.front().cluster_id;
  const bool several = std::ranges::any_of(
      ends.to, [&](const Service& each) { return each.cluster_id != cluster_id; });
  if (several)
    throw invalid("cluster_id", "Is required, as several clusters have services of this name");
  if (query.from != "any") {
    ends.from = services_of(db, caller, query.from, cluster_id);
    if (ends.from.empty()) throw unknown("from", query.from);
  }
  if (std::max<std::size_t>(ends.from.size(), 1) * ends.to.size() > most_pairs)
    throw invalid("to",
                  "Is too many services at once: at most 100 pairs of source and destination");
  return ends;
}

NamedObject named(const Service& service) { return {"service", service.id, service.name}; }
NamedObject named(const xds::Object& object) { return {object.type, object.id, object.name}; }

ReachProof told(const xds::Proof& proof) {
  ReachProof told;
  if (proof.of) told.service = proof.of->service->name;
  switch (proof.kind) {
    case xds::Proof::Kind::Nothing: break;
    case xds::Proof::Kind::Address:
      told.kind = ProofKind::SourceAddress;
      told.addresses = proof.addresses;
      break;
    case xds::Proof::Kind::Token:
      told.kind = ProofKind::Jwt;
      told.header = "Authorization";
      break;
    case xds::Proof::Kind::Key:
      told.kind = ProofKind::ApiKey;
      told.header = proof.of->service->auth_config.header.value_or(std::string(usual_key_header));
      break;
    case xds::Proof::Kind::Certificate: told.kind = ProofKind::ClientCertificate; break;
  }
  return told;
}

NamedObject certificate_of(const xds::ClusterConfig& config, std::int64_t id) {
  const auto found = config.certificates.find(id);
  return {"certificate", id, found ? found->name : ""};
}

ReachWay told(const xds::Way& way, const xds::ClusterConfig& config) {
  ReachWay told{.from = {},
                .to = {},
                .mapping = named(xds::object_of(*way.mapping)),
                .names_source = way.names_caller,
                .auth_required = way.mapping->auth_required,
                .domains = way.domains,
                .path_prefix = way.path_prefix,
                .tls = static_cast<WayTls>(way.tls),
                .certificates = {},
                .proofs = {},
                .proxies = {},
                .warnings = way.warnings};
  for (const std::int64_t id : way.certificates)
    told.certificates.push_back(certificate_of(config, id));
  for (const xds::Proof& proof : way.proofs) told.proofs.push_back(mp::api::told(proof));
  return told;
}

// Asks for one pair after the other, of both types of proxies.
class Inquiry {
 public:
  Inquiry(const ReachabilityQuery& query, const ReachFleet& fleet, xds::ClusterConfigPtr config,
          Time now)
      : query_(query),
        fleet_(fleet),
        config_(std::move(config)),
        egress_(config_, {xds::ProxyType::Egress, query.port}, now),
        ingress_(config_, {xds::ProxyType::Ingress, query.port}, now) {}

  Reachability answer(const Ends& ends) && {
    answer_.cluster_id = config_->cluster->id;
    answer_.revision = fleet_.revision();
    answer_.passes = answer_.configured = true;
    for (const Service& to : ends.to) {
      if (ends.from.empty()) ask({.to = named(to)}, std::nullopt);
      for (const Service& from : ends.from) ask({named(from), named(to)}, from.id);
    }
    return std::move(answer_);
  }

 private:
  struct Pair {
    NamedObject from{"any", 0, "any"};
    NamedObject to;
  };

  void ask(const Pair& pair, std::optional<std::int64_t> from) {
    const xds::Journey journey{
        .from = from, .to = pair.to.id, .port = query_.port, .protocol = query_.protocol};
    passes_ = configured_ = false;
    std::vector<ReachObstacle> missing;
    for (const ProxyKind kind : {ProxyKind::Egress, ProxyKind::Ingress})
      ask(pair, kind, journey, missing);
    answer_.passes = answer_.passes && passes_;
    answer_.configured = answer_.configured && configured_;
    if (!passes_) std::ranges::move(missing, std::back_inserter(answer_.missing));
  }

  void ask(const Pair& pair, ProxyKind kind, const xds::Journey& journey,
           std::vector<ReachObstacle>& missing) {
    const auto& reach = kind == ProxyKind::Ingress ? ingress_ : egress_;
    const xds::Reach::Outlook outlook = reach.look(journey);
    const auto add = [&](ObstacleKind what, std::optional<std::int64_t> mapping,
                         std::string message) {
      missing.push_back({pair.from, pair.to, kind, what, mapping, std::move(message)});
    };
    for (const xds::Way& way : outlook.ways) {
      ReachWay shown = told(way, *config_);
      shown.from = pair.from;
      shown.to = pair.to;
      shown.proxy_type = kind;
      shown.proxies = fleet_.on_the_way(shown, way.upstream);
      configured_ = true;
      if (const auto lack = ReachFleet::lack_of(shown))
        add(lack->kind, way.mapping->id, lack->message);
      else
        passes_ = true;
      answer_.ways.push_back(std::move(shown));
    }
    // What proxies would lack that nobody has is nothing to tell.
    if (!fleet_.has(kind) && (fleet_.has_any() || kind == ProxyKind::Ingress)) return;
    for (const xds::Obstacle& obstacle : outlook.obstacles) {
      add(static_cast<ObstacleKind>(obstacle.kind),
          obstacle.object ? std::optional(obstacle.object->id) : std::nullopt, obstacle.message);
    }
  }

  const ReachabilityQuery& query_;
  const ReachFleet& fleet_;
  xds::ClusterConfigPtr config_;
  xds::Reach egress_;
  xds::Reach ingress_;
  bool passes_ = false;
  bool configured_ = false;
  Reachability answer_;
};

Reachability tell(Call& call, Query<ReachabilityQuery> query) {
  Ends ends;
  xds::ClusterConfigPtr config;
  ReachFleet fleet;
  call.read([&](Reader& db) {
    ends = ends_of(db, call.caller, query.value);
    config = xds::load_config(db, ends.to.front().cluster_id);
    fleet = ReachFleet(db, call.context.hub, config->cluster->id);
  });
  return Inquiry(query.value, fleet, std::move(config), call.context.clock.now()).answer(ends);
}

}  // namespace

void reachability(Endpoints& endpoints) {
  endpoints.add({.id = "get_reachability",
                 .call = "GET /reachability",
                 .summary = "Whether and how traffic gets from one service to another, or what is "
                            "missing."},
                tell);
}

}  // namespace mp::api
