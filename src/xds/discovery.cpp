#include "xds/discovery.hpp"

#include <cstdint>
#include <cstring>

namespace mp::xds {
namespace {

struct Lengths {
  std::uint32_t name = 0;
  std::uint32_t version = 0;
};

Lengths lengths_at(const char* at) {
  Lengths lengths;
  std::memcpy(&lengths, at, sizeof lengths);
  return lengths;
}

}  // namespace

void KnownVersions::add(std::string_view name, std::string_view version) {
  const Lengths lengths{static_cast<std::uint32_t>(name.size()),
                        static_cast<std::uint32_t>(version.size())};
  text_.append(reinterpret_cast<const char*>(&lengths), sizeof lengths);
  text_.append(name).append(version);
  ++count_;
  census_.add(name, version);
}

KnownVersion KnownVersions::Iterator::operator*() const {
  const Lengths lengths = lengths_at(at_);
  const char* const name = at_ + sizeof lengths;
  return {.name = {name, lengths.name}, .version = {name + lengths.name, lengths.version}};
}

KnownVersions::Iterator& KnownVersions::Iterator::operator++() {
  const Lengths lengths = lengths_at(at_);
  at_ += sizeof lengths + lengths.name + lengths.version;
  return *this;
}

}  // namespace mp::xds
