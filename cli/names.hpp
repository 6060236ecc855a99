// From what people call an object to the object: a number is an id, other words are names, which
// are looked up. `name=7` is the name 7, `id=7` the id. Used by every command that is about one
// object.
#pragma once

#include "cli/client.hpp"
#include "cli/resource.hpp"

#include <boost/json/object.hpp>

namespace mp::cli {

// Every object of a list, page by page; `most` 0: all. Where only the default cluster can be seen,
// the list of clusters is that one.
struct Listed {
  std::vector<boost::json::object> objects{};
  std::int64_t total = 0;
};
Listed list_objects(Client& client, const Resource& resource, QueryText query,
                    std::int64_t most = 0);

// The id, as text for a path. `cluster` (a name or a number, or empty) narrows a name.
std::string find_id(Client& client, const Resource& resource, const std::string& reference,
                    const std::string& cluster = "");

// "/services/3"
std::string path_of(const Resource& resource, const std::string& id);

// What an object is called: its key, or its id.
std::string label_of(const Resource& resource, const boost::json::object& object);

// The same for the command line of another command: a name that would be read as an id or as a flag
// there is "name=7".
std::string reference_of(const Resource& resource, const boost::json::object& object);

// Visits each value of a body that references another object. Before, `cluster: default` becomes
// `cluster_id: default`.
void visit_references(const Description& description, boost::json::object& body,
                      const std::function<void(const Resource&, boost::json::value&)>& visit);

// Replaces names in fields that reference other objects by ids.
void resolve_references(Client& client, const Description& description, boost::json::object& body);

// cluster_id of a body without one, when there is exactly one cluster to choose.
void default_cluster(Client& client, const Resource& resource, boost::json::object& body);

}  // namespace mp::cli
