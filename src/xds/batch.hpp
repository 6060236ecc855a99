// What is sent to a client, cut into responses. Used by xds/lane, difference and the dialects.
#pragma once

#include "xds/shared_list.hpp"
#include "xds/snapshot.hpp"

#include <vector>

namespace mp::xds {

struct Sent {
  ResourcePtr resource;
  ResourcePtr before;  // what the client held; null: nothing
};

// The content of one response.
struct Batch {
  SharedList<Sent> sent;
  SharedList<ResourcePtr> resources;  // of `sent`
};
using Batches = std::vector<Batch>;

// Secrets go one a response, those other types whose refusals name nothing while there are few; all
// others, and initial loads, in responses of bounded size.
Batches batches(Type type, const SharedList<Sent>& sends);

}  // namespace mp::xds
