// What services and mappings share: the status that the fleet gives them, and the rows by which
// mappings hold services.
#pragma once

#include "api/call.hpp"
#include "model/certificate.hpp"
#include "model/mapping.hpp"
#include "model/service.hpp"
#include "xds/hub.hpp"

#include <map>
#include <vector>

namespace mp::api {

template <class T>
std::vector<T*> pointers(std::vector<T>& objects) {
  std::vector<T*> all;
  all.reserve(objects.size());
  for (T& object : objects) all.push_back(&object);
  return all;
}

// Looks once at each cluster that the objects are of, then tells every object's status.
class StatusReader {
 public:
  template <class T>
  StatusReader(Call& call, const std::vector<T*>& objects) {
    std::map<std::int64_t, std::vector<std::pair<std::string, std::int64_t>>> wanted;
    for (const T* object : objects) {
      for (const std::int64_t cluster_id : clusters_of(call, object->cluster_id))
        wanted[cluster_id].emplace_back(describe<T>.name, object->id);
    }
    read(call, wanted);
  }
  // Counts what is committed but not yet on its way to the proxies as well. Not within a read or
  // write.
  void see_unpublished(Call& call);
  Status of(const Description& noun, std::int64_t id, std::int64_t cluster_id) const;
  // Without a cluster it is an object of all of them.
  Status of(const Description& noun, std::int64_t id, std::optional<std::int64_t> cluster_id) const;
  // An object as a change left it; without a cluster it is an object of all of them.
  struct Written {
    const Description& noun;
    std::int64_t id = 0;
    std::optional<std::int64_t> cluster_id{};
    std::int64_t revision = 0;
  };
  // Once the proxies have settled, or the wait for them is over.
  static Status settled(const xds::Hub& hub, const Written& written);
  // Of an object that is being written: no proxy can hold it yet.
  Status of_written(std::optional<std::int64_t> cluster_id) const;

 private:
  StatusReader() = default;
  // The cluster, or all that have proxies.
  static std::vector<std::int64_t> clusters_of(const Call& call,
                                               std::optional<std::int64_t> cluster_id);
  void read(
      Call& call,
      const std::map<std::int64_t, std::vector<std::pair<std::string, std::int64_t>>>& wanted);
  std::map<std::int64_t, xds::ClusterView> views_;
  std::int64_t published_ = 0;  // the views know everything up to here
};

// Finds the services that the mapping names; a name or collection that does not exist is a
// violation, unless the mapping had that collection `before`: it may have emptied since. What is
// among the violations already is not looked for.
void resolve_references(Reader& db, Mapping& mapping, const Mapping& before,
                        Violations& violations);
// Replaces the rows that hold the mapping's services.
void keep_references(Writer& db, const Mapping& mapping);
// Before a service goes: its mappings lose it, or go when it was the last name on a side.
void take_from_mappings(Writer& db, const Service& service);

}  // namespace mp::api
