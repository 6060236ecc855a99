#include "tests/simulation/keys.hpp"

#include <utility>

namespace mp::xds {
namespace {

std::string text_of(std::int64_t cluster, int key) {
  return "cluster " + std::to_string(cluster) + " key " + std::to_string(key);
}

}  // namespace

std::string Keys::current(std::int64_t cluster) const {
  return text_of(cluster, clusters_.at(cluster).key);
}

std::string Keys::former(std::int64_t cluster) const {
  return text_of(cluster, clusters_.at(cluster).key - 1);
}

std::optional<Time> Keys::overlap_end(std::int64_t cluster) const {
  const auto& until = clusters_.at(cluster).previous_until;
  return until && *until > clock_.now() ? until : std::nullopt;
}

void Keys::add(std::int64_t cluster) {
  clusters_[cluster];
  issued_[current(cluster)] = {cluster, 1};
}

void Keys::rotate(std::int64_t cluster) {
  Cluster& found = clusters_.at(cluster);
  ++found.key;
  issued_[current(cluster)] = {cluster, found.key};
  found.previous_until = clock_.now() + key_overlap;
}

void Keys::toggle(std::int64_t cluster) {
  Cluster& found = clusters_.at(cluster);
  found.active = !found.active;
}

std::optional<std::int64_t> Keys::find(std::string_view key, std::optional<Time>& until) const {
  const auto issued = issued_.find(key);
  if (issued == issued_.end()) return std::nullopt;
  const auto id = issued->second.cluster;
  const Cluster& cluster = clusters_.at(id);
  if (!cluster.active) return std::nullopt;
  if (issued->second.key == cluster.key) return id;
  until = overlap_end(id);
  return until && issued->second.key == cluster.key - 1 ? std::optional(id) : std::nullopt;
}

Admission Keys::admit(std::string_view key, const std::string& node) const {
  std::optional<Time> until;
  const auto cluster = find(key, until);
  if (!cluster) throw Error{Code::Authentication, ""};
  if (removed_.contains(node)) throw Error{Code::Permission, "The proxy was deleted"};
  return {.cluster_id = *cluster,
          .cluster_name = std::to_string(*cluster),
          .proxy_id = node,
          .hostname = node,
          .key_valid_until = until};
}

std::optional<Time> Keys::check(std::string_view key, std::int64_t cluster) const {
  std::optional<Time> until;
  const auto found = find(key, until);
  if (!found) throw Error{Code::Authentication, ""};
  if (*found != cluster) throw Error{Code::Permission, ""};
  return until;
}

bool Keys::lets_in(std::string_view key, const std::string& node) const {
  std::optional<Time> until;
  return find(key, until) && !removed_.contains(node);
}

Admission KeyGate::admit(std::string_view key, const NodeInfo& node) {
  if (away) {
    turned_away.insert(node.id);
    throw Error{Code::Unavailable, ""};
  }
  Admission answer = keys_.admit(key, node.id);
  meanwhile_();
  return answer;
}

std::optional<Time> KeyGate::check(std::string_view key, std::int64_t cluster) {
  if (away) throw Error{Code::Unavailable, ""};
  const auto answer = keys_.check(key, cluster);
  meanwhile_();
  return answer;
}

}  // namespace mp::xds
