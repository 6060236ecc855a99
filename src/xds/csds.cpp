#include "xds/csds.hpp"

#include "base/error.hpp"

#include <envoy/admin/v3/config_dump_shared.pb.h>
#include <envoy/service/status/v3/csds.pb.h>
#include <envoy/type/matcher/v3/node.pb.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace mp::xds {
namespace {

namespace status = envoy::service::status::v3;
using envoy::admin::v3::ClientResourceStatus;
using envoy::type::matcher::v3::StringMatcher;
using GenericXdsConfig = status::ClientConfig::GenericXdsConfig;
using Standing = HeldResource::Standing;

constexpr int most_matchers = 100;

bool equal(char left, char right, bool any_case) {
  const auto lower = [](char each) { return std::tolower(static_cast<unsigned char>(each)); };
  return any_case ? lower(left) == lower(right) : left == right;
}

bool matches_text(const StringMatcher& matcher, std::string_view text) {
  const auto same = [&](char left, char right) {
    return equal(left, right, matcher.ignore_case());
  };
  const auto stands_at = [&](std::size_t at, std::string_view part) {
    return at <= text.size() && part.size() <= text.size() - at &&
           std::ranges::equal(text.substr(at, part.size()), part, same);
  };
  switch (matcher.match_pattern_case()) {
    case StringMatcher::kExact:
      return text.size() == matcher.exact().size() && stands_at(0, matcher.exact());
    case StringMatcher::kPrefix: return stands_at(0, matcher.prefix());
    case StringMatcher::kSuffix:
      return matcher.suffix().size() <= text.size() &&
             stands_at(text.size() - matcher.suffix().size(), matcher.suffix());
    case StringMatcher::kContains:
      return !std::ranges::search(text, matcher.contains(), same).empty() ||
             matcher.contains().empty();
    default: return false;
  }
}

void check(const envoy::type::matcher::v3::NodeMatcher& matcher) {
  if (matcher.node_metadatas_size() > 0)
    throw Error{Code::Validation, "node_matchers: node_metadatas is not served, only node_id"};
  switch (matcher.node_id().match_pattern_case()) {
    case StringMatcher::kExact:
    case StringMatcher::kPrefix:
    case StringMatcher::kSuffix:
    case StringMatcher::kContains: return;
    default:
      throw Error{Code::Validation,
                  "node_matchers: node_id must be exact, prefix, suffix or contains"};
  }
}

void set_time(google::protobuf::Timestamp& target, Time time) {
  const auto milliseconds = to_milliseconds(time);
  target.set_seconds(milliseconds / 1000);
  target.set_nanos(static_cast<int>(milliseconds % 1000) * 1'000'000);
}

status::ConfigStatus config_status(Standing standing) {
  switch (standing) {
    case Standing::Synced: return status::SYNCED;
    case Standing::Sent: return status::STALE;
    case Standing::Unsent: return status::NOT_SENT;
    case Standing::Refused: return status::ERROR;
  }
  return status::UNKNOWN;
}

ClientResourceStatus client_status(const HeldResource& resource) {
  if (resource.standing == Standing::Refused) return ClientResourceStatus::NACKED;
  return resource.held ? ClientResourceStatus::ACKED : ClientResourceStatus::REQUESTED;
}

bool shows_contents(Type type) { return type == Type::Cluster || type == Type::Endpoint; }

void describe(GenericXdsConfig& target, const HeldResource& resource, const StatusQuery& query) {
  target.set_type_url(std::string(type_url(resource.type)));
  target.set_name(resource.name);
  target.set_config_status(config_status(resource.standing));
  target.set_client_status(client_status(resource));
  if (!resource.held) return;
  target.set_version_info(resource.held->version);
  if (resource.answered) set_time(*target.mutable_last_updated(), *resource.answered);
  // What a client brought from before, and is no longer current, is known by its version alone.
  google::protobuf::Any body;
  if (query.with_contents() && shows_contents(resource.type) && !resource.held->body.empty() &&
      body.ParseFromString(resource.held->body))
    *target.mutable_xds_config() = std::move(body);
}

void describe(GenericXdsConfig& target, const Refusal& refusal) {
  target.mutable_error_state()->set_details(refusal.message);
  target.mutable_error_state()->set_version_info(refusal.version);
  set_time(*target.mutable_error_state()->mutable_last_update_attempt(), refusal.since);
}

void set_node(envoy::config::core::v3::Node& target, const ClientReport& report) {
  constexpr std::array kinds{"egress", "ingress", "grpc"};
  target.set_id(report.node.id);
  target.set_cluster(report.cluster);
  target.set_user_agent_version(report.node.version);
  auto& metadata = *target.mutable_metadata()->mutable_fields();
  metadata["proxy_type"].set_string_value(kinds.at(static_cast<std::size_t>(report.type)));
  if (!report.node.listen_address.empty())
    metadata["listen_address"].set_string_value(report.node.listen_address);
}

}  // namespace

struct StatusQuery::Request {
  status::ClientStatusRequest body;
};

StatusQuery::StatusQuery(std::string_view bytes) : request_(std::make_unique<Request>()) {
  if (!request_->body.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    throw Error{Code::Validation, "not a ClientStatusRequest"};
  if (request_->body.node_matchers_size() > most_matchers)
    throw Error{Code::Validation, "more than 100 node_matchers"};
  for (const auto& matcher : request_->body.node_matchers()) check(matcher);
}

StatusQuery::~StatusQuery() = default;
StatusQuery::StatusQuery(StatusQuery&&) noexcept = default;
StatusQuery& StatusQuery::operator=(StatusQuery&&) noexcept = default;

bool StatusQuery::matches(std::string_view node_id) const {
  if (request_->body.node_matchers().empty()) return true;
  return std::ranges::any_of(request_->body.node_matchers(), [&](const auto& matcher) {
    return matches_text(matcher.node_id(), node_id);
  });
}

bool StatusQuery::with_contents() const { return !request_->body.exclude_resource_contents(); }

std::vector<std::string> status_parts(const ClientReport& report, const StatusQuery& query) {
  std::map<std::pair<Type, std::string_view>, const Refusal*> refusals;
  for (const Refusal& refusal : report.refusals)
    refusals[{refusal.type, refusal.resource}] = &refusal;
  std::vector<std::string> parts;
  status::ClientStatusResponse response;
  std::size_t size = 0;
  const auto begin = [&] {
    response.Clear();
    set_node(*response.add_config()->mutable_node(), report);
    size = 0;
  };
  begin();
  for (const HeldResource& resource : report.resources) {
    if (size > status_part_size) {
      parts.push_back(response.SerializeAsString());
      begin();
    }
    GenericXdsConfig& config = *response.mutable_config(0)->add_generic_xds_configs();
    describe(config, resource, query);
    const auto refusal = refusals.find({resource.type, resource.name});
    if (refusal != refusals.end()) describe(config, *refusal->second);
    size += config.ByteSizeLong();
  }
  parts.push_back(response.SerializeAsString());
  return parts;
}

}  // namespace mp::xds
