#include "xds/census.hpp"

#include <array>
#include <cstdio>

namespace mp::xds {
namespace {

constexpr std::uint64_t start = 14695981039346656037U;  // FNV-1a

std::uint64_t add_bytes(std::uint64_t hash, std::string_view bytes) {
  for (const unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211U;
  return hash;
}

// FNV mixes its high bits badly; the finaliser of MurmurHash3 does it well.
std::uint64_t finish(std::uint64_t hash) {
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdU;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53U;
  return hash ^ (hash >> 33);
}

// `name`: the bytes of the name, added but not finished.
std::uint64_t version_hash(std::uint64_t name, std::string_view version) {
  return finish(add_bytes(add_bytes(name, "\n"), version));
}

std::uint64_t version_hash(std::string_view name, std::string_view version) {
  return version_hash(add_bytes(start, name), version);
}

}  // namespace

std::uint64_t name_hash(std::string_view name) { return finish(add_bytes(start, name)); }

void VersionSum::add(std::string_view name, std::string_view version) {
  sum_ += version_hash(name, version);
}

void VersionSum::remove(std::string_view name, std::string_view version) {
  sum_ -= version_hash(name, version);
}

void Census::add(std::string_view name, std::string_view version) {
  const std::uint64_t bytes = add_bytes(start, name);
  names.add(finish(bytes));
  versions.add(version_hash(bytes, version));
}

std::string VersionSum::text() const {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(sum_));
  return text.data();
}

}  // namespace mp::xds
