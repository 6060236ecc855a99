// Reads a resource's bytes for what consistent.cpp needs to know. Knows nothing of other resources.
#pragma once

#include "xds/consistent.hpp"

namespace mp::xds {

ResourceFacts facts_of(Type type, const Resource& resource);

}  // namespace mp::xds
