// The two variants of the protocol, where they differ: how a delivery becomes responses and how far
// a request reaches. xds/stream does the rest alike for both. One file each: delta.cpp and
// sotw.cpp. Dialects hold no state.
#pragma once

#include "xds/census.hpp"
#include "xds/discovery.hpp"
#include "xds/lane.hpp"

#include <string>
#include <vector>

namespace mp::xds {

// A response without its nonce, and what it means for the lane.
struct Draft {
  std::string version;
  SharedList<ResourcePtr> resources;
  std::vector<std::string> removed;
  SharedList<Sent> sent;
  bool repeats = false;                  // as in Flight
  std::vector<std::string> leaves = {};  // of what repeats
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  // Whether the request's subscription counts. A stale one of state-of-the-world does not.
  virtual bool counts(const Lane& lane, const Request& request) const = 0;
  // Whether what the client claimed to hold in its first request is all of the snapshot that it
  // asks for.
  virtual bool recalls(const Lane& lane, const Snapshot& snapshot) const = 0;
  // Whether each response repeats everything, so that a refusal may mean any change that was not
  // yet acknowledged, and only one part of a refused response can be tried at a time.
  virtual bool repeats_all(Type type) const = 0;

  // The responses, in order; call after the lane has taken the delivery as sent.
  virtual std::vector<Draft> drafts(const Lane& lane, const Delivery& delivery) const = 0;
  // Tells of the names that lane.take_removals() gave; nothing when the variant has no way to say
  // it.
  virtual std::vector<Draft> farewells(const Lane& lane,
                                       const std::vector<std::string>& names) const = 0;
  // A response without content: who asks for everything is told that there is nothing, and who is
  // told versions of all that he holds is told the present one.
  virtual Draft nothing(const Lane& lane) const = 0;
  // Whether the client answers it for certain.
  virtual bool waits_for_answer(Type type, const Draft& draft) const = 0;
};

const Dialect& delta();
const Dialect& state_of_the_world();

// The version of a set of resources: 16 hex digits that depend on the names and versions only.
std::string version_of(const Resources& resources);

}  // namespace mp::xds
