// Intent for the tests of the translation: rows from JSON or by hand, ids in the order they are
// given.
#pragma once

#include "xds/build.hpp"
#include "xds/calendar.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mp::xds {

inline const Time test_now = *parse_time("2026-01-01T00:00:00Z");

inline std::optional<Time> next_change(const ClusterConfig& config, Time now) {
  Calendar calendar;
  calendar.update(config);
  return calendar.next(now);
}

class Intent {
 public:
  // Fields as in POST /services; besides "secret", "previous_secret" and "previous_secret_until".
  void service(boost::json::object fields) {
    Service row;
    row.secret = take_secret(fields, "secret");
    row.previous_secret = take_secret(fields, "previous_secret");
    if (const auto* until = fields.if_contains("previous_secret_until")) {
      row.previous_secret_until = parse_time(std::string_view(until->as_string()));
      fields.erase("previous_secret_until");
    }
    read(row, std::move(fields),
         {{"ip_fqdn", "10.0.0." + std::to_string(services_.size() + 1)}, {"collection", "all"}});
    row.id = services_.empty() ? 1 : services_.back()->id + 1;
    services_.push_back(std::make_shared<const Service>(std::move(row)));
  }

  // Fields as in POST /mappings.
  void mapping(boost::json::object fields) {
    Mapping row;
    read(row, std::move(fields),
         {{"source_services", {"any"}}, {"protocols", {"http"}}, {"ports", {80}}});
    row.id = mappings_.empty() ? 1 : mappings_.back()->id + 1;
    resolve(row.source_services);
    resolve(row.dest_services);
    mappings_.push_back(std::make_shared<const Mapping>(std::move(row)));
  }

  // Fields as in an answer of GET /certificates: name, common_name, subject_alt_names, not_before,
  // expires_at, revoked; besides "key".
  void certificate(const boost::json::object& fields) {
    const auto text = [&](const char* name, std::string_view otherwise) {
      const auto* found = fields.if_contains(name);
      return std::string(found ? std::string_view(found->as_string()) : otherwise);
    };
    Certificate row;
    row.id = certificates_.empty() ? 1 : certificates_.back()->id + 1;
    row.name = text("name", "certificate-" + std::to_string(row.id));
    row.common_name = text("common_name", "");
    if (const auto* names = fields.if_contains("subject_alt_names")) {
      for (const auto& name : names->as_array())
        row.subject_alt_names.emplace_back(name.as_string());
    }
    row.not_before = *parse_time(text("not_before", "2025-01-01T00:00:00Z"));
    row.expires_at = *parse_time(text("expires_at", "2027-01-01T00:00:00Z"));
    if (fields.contains("revoked")) row.revoked_at = test_now;
    row.cert_pem = "chain of " + row.name;
    row.key_pem = Secret(text("key", "key of " + row.name));
    certificates_.push_back(std::make_shared<const Certificate>(std::move(row)));
  }

  void issuer() {
    Issuer row;
    row.id = static_cast<std::int64_t>(issuers_.size()) + 1;
    row.certificate_pem = "authority " + std::to_string(row.id) + "\n";
    row.crl_pem = "list " + std::to_string(row.id) + "\n";
    row.not_before = *parse_time("2025-01-01T00:00:00Z");
    row.expires_at = *parse_time("2035-01-01T00:00:00Z");
    issuers_.push_back(std::make_shared<const Issuer>(std::move(row)));
  }

  void log(const Logging& logging) {
    Cluster row = *cluster_;
    row.log_auth = logging.auth;
    row.log_netflow = logging.netflow;
    row.log_debug = logging.debug;
    cluster_ = std::make_shared<const Cluster>(std::move(row));
  }

  void drop_service(std::size_t at) { drop(services_, at); }
  void drop_mapping(std::size_t at) { drop(mappings_, at); }
  void drop_certificate(std::size_t at) { drop(certificates_, at); }
  std::size_t services() const { return services_.size(); }
  std::size_t mappings() const { return mappings_.size(); }
  std::size_t certificates() const { return certificates_.size(); }

  // Puts a changed copy in the place of a row.
  template <class Change>
  void change_service(std::size_t at, Change change) {
    Service row = *services_[at];
    change(row);
    services_[at] = std::make_shared<const Service>(std::move(row));
  }
  template <class Change>
  void change_mapping(std::size_t at, Change change) {
    Mapping row = *mappings_[at];
    change(row);
    mappings_[at] = std::make_shared<const Mapping>(std::move(row));
  }

  template <class Change>
  void change_certificate(std::size_t at, Change change) {
    Certificate row = *certificates_[at];
    change(row);
    certificates_[at] = std::make_shared<const Certificate>(std::move(row));
  }
  template <class Change>
  void change_issuer(std::size_t at, Change change) {
    Issuer row = *issuers_[at];
    change(row);
    issuers_[at] = std::make_shared<const Issuer>(std::move(row));
  }

  ClusterConfig config() const {
    return {.revision = 1,
            .cluster = cluster_,
            .services = services_,
            .mappings = mappings_,
            .certificates = certificates_,
            .issuers = issuers_};
  }

  // Brings an earlier configuration up to date; it shares what did not change, as the hub's do.
  void give(ClusterConfig& config) const {
    const auto bring = []<class Table>(Table& table, const Table& rows) {
      typename Table::Changes changes;
      for (const auto& change : Table::difference(table, rows))
        changes[change.key()] = change.after;
      table.take(changes);
    };
    const ClusterConfig next = this->config();
    config.cluster = next.cluster;
    bring(config.services, next.services);
    bring(config.mappings, next.mappings);
    bring(config.certificates, next.certificates);
    bring(config.issuers, next.issuers);
  }

  SnapshotPtr build(Audience audience = {}, Time now = test_now) const {
    return Builder(audience).build(config(), now);
  }

 private:
  template <class List>
  static void drop(List& list, std::size_t at) {
    if (at < list.size()) list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
  }

  static std::optional<Secret> take_secret(boost::json::object& fields, const char* name) {
    const auto* found = fields.if_contains(name);
    if (!found) return std::nullopt;
    Secret secret{std::string(found->as_string())};
    fields.erase(name);
    return secret;
  }

  template <class Row>
  static void read(Row& row, boost::json::object fields, const boost::json::object& defaults) {
    fields.emplace("cluster_id", 1);
    for (const auto& [name, value] : defaults) fields.emplace(name, value);
    Violations violations;
    read_new(describe<Row>, &row, fields, "", violations);
    for (const Violation& violation : violations)
      ADD_FAILURE() << violation.field << ": " << violation.issue;
  }

  void resolve(std::vector<ServiceRef>& refs) const {
    for (ServiceRef& ref : refs) {
      for (const auto& row : services_) {
        if (ref.kind == ServiceRef::Kind::Service && row->name == ref.name)
          ref.service_id = row->id;
      }
    }
  }

  std::shared_ptr<const Cluster> cluster_ =
      std::make_shared<const Cluster>(Cluster{.id = 1, .name = "main", .log_auth = false});
  std::vector<std::shared_ptr<const Service>> services_;
  std::vector<std::shared_ptr<const Mapping>> mappings_;
  std::vector<std::shared_ptr<const Certificate>> certificates_;
  std::vector<std::shared_ptr<const Issuer>> issuers_;
};

}  // namespace mp::xds
