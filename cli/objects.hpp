// Objects as their declarations know them: what a body makes of one, whether it differs, and how it
// stands in a file for apply. Pure.
#pragma once

#include "cli/resource.hpp"

#include <boost/json/object.hpp>

#include <functional>

namespace mp::cli {

// What creating with this body would make. Breaches of the declared rules are added.
boost::json::object created(const Description& noun, const boost::json::object& body,
                            Violations& violations);

// What PUT with this body would make of `current`.
boost::json::object changed(const Description& noun, const boost::json::object& current,
                            const boost::json::object& body, Violations& violations);

// The fields that a client sets and that differ, as `after` has them.
boost::json::object difference_of(const Description& noun, const boost::json::object& before,
                                  const boost::json::object& after);

// Without what only the server sets, so that the output of `get` can be handed back.
boost::json::object without_server_fields(const Description& noun, boost::json::object body);

// An object as files hold it: kind, the cluster by name, then every field that a client sets;
// nested objects without what is the default there.
using ClusterName = std::function<boost::json::value(const boost::json::value& id)>;
boost::json::object file_form(const Resource& resource, const boost::json::object& object,
                              const ClusterName& cluster_name);

}  // namespace mp::cli
