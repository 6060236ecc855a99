// What the API must do, as plain code over maps: services and mappings of several clusters, who
// sees them, what refuses a change, what a change takes with it. The random traffic test holds the
// product against it. It knows neither SQL nor HTTP, and nothing of the product's code.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mp::test {

struct ModelService {
  std::int64_t cluster = 0;
  std::string name;
  std::string address;
  std::string collection;
  std::optional<int> port;
  std::int64_t created = 0;  // milliseconds since 1970, as `updated`
  std::int64_t updated = 0;
  std::int64_t revision = 1;
};

// A member of a side: a service by id, a collection by name, or anybody.
struct ModelEnd {
  std::int64_t service = 0;
  std::string collection;
  bool operator==(const ModelEnd&) const = default;
};

struct ModelMapping {
  std::int64_t cluster = 0;
  std::vector<ModelEnd> sources;
  std::vector<ModelEnd> destinations;
  int port = 80;
  int priority = 100;
  bool enabled = true;
  std::string comments;
  std::int64_t created = 0;
  std::int64_t updated = 0;
  std::int64_t revision = 1;
};

struct ModelUser {
  bool is_admin = false;
  std::set<std::int64_t> clusters;
  bool sees(std::int64_t cluster) const { return is_admin || clusters.contains(cluster); }
};

// What a change sends; what is not there is not sent.
struct ServiceChange {
  std::optional<std::string> name;
  std::optional<std::string> address;
  std::optional<std::string> collection;
  std::optional<int> port;
};
struct MappingChange {
  std::optional<std::vector<std::string>> sources;  // as the API writes them
  std::optional<std::vector<std::string>> destinations;
  std::optional<int> priority;
  std::optional<bool> enabled;
  std::optional<std::string> comments;
};

struct ModelQuery {
  std::optional<std::int64_t> cluster;
  std::string collection;  // services
  std::string source;      // mappings: a service's name
  std::string search;
  std::string sort = "id";  // with - in front descending
};

class ReferenceModel {
 public:
  static constexpr int conflict = 409, invalid = 400, unknown = 404, stale = 412, done = 200,
                       made = 201;

  std::set<std::int64_t> clusters;  // all that there are
  std::map<std::int64_t, ModelService> services;
  std::map<std::int64_t, ModelMapping> mappings;

  // Each says the status; `created` and `changed` are what the API then answers. `match`: the
  // revision that If-Match names.
  int create(const ModelUser& user, ModelService& service) const;
  int create(const ModelUser& user, ModelMapping& mapping, const MappingChange& sides) const;
  int change(const ModelUser& user, std::int64_t id, const ServiceChange& change,
             std::optional<std::int64_t> match, std::int64_t now);
  int change(const ModelUser& user, std::int64_t id, const MappingChange& change,
             std::optional<std::int64_t> match, std::int64_t now);
  int remove_service(const ModelUser& user, std::int64_t id, std::int64_t now);
  int remove_mapping(const ModelUser& user, std::int64_t id);

  // The ids of the whole list, in order.
  std::vector<std::int64_t> list_services(const ModelUser& user, const ModelQuery& query) const;
  std::vector<std::int64_t> list_mappings(const ModelUser& user, const ModelQuery& query) const;

  // A side as the API writes it: names follow their services.
  std::vector<std::string> written(const std::vector<ModelEnd>& side) const;

 private:
  bool is_taken(const ModelService& service, std::int64_t but) const;
  std::optional<std::vector<ModelEnd>> resolve(std::int64_t cluster,
                                               const std::vector<std::string>& side,
                                               const std::vector<ModelEnd>& before) const;
};

}  // namespace mp::test
