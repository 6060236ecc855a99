// Turns Envoy messages into bytes that are the same in every process, and bytes into resources.
// Used by the translation in xds/. Knows no message by name.
#pragma once

#include "xds/snapshot.hpp"

#include <google/protobuf/any.pb.h>

#include <string>
#include <string_view>

namespace mp::xds {

// The wire form, maps in the order of their keys.
std::string deterministic(const google::protobuf::Message& message);

// The message as an `Any`, deterministic inside.
google::protobuf::Any pack(const google::protobuf::Message& message);

// The same, when the wire form of the message is at hand already.
google::protobuf::Any pack(std::string_view type_url, std::string value);

// A resource whose version is the hash of its body.
ResourcePtr make_resource(std::string name, const google::protobuf::Any& body,
                          std::vector<Object> origins);

// `next`, or `last` when that says the same: an equal resource keeps its address.
ResourcePtr keep_equal(const ResourcePtr& last, ResourcePtr next);

}  // namespace mp::xds
