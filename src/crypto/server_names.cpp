#include "crypto/server_names.hpp"

#include "model/format.hpp"

#include <algorithm>
#include <array>

#include <unistd.h>

namespace mp {
namespace {

std::string lower(std::string text) {
  for (char& letter : text) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return text;
}

std::string this_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? lower(name.data()) : "";
}

// The host of "host", "host:port", "v6" or "[v6]:port".
std::string host_of(const std::string& advertise) {
  if (normal_address(advertise)) return *normal_address(advertise);
  const auto colon = advertise.rfind(':');
  std::string host = advertise.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return lower(normal_address(host).value_or(host));
}

}  // namespace

std::vector<std::string> server_names(const std::vector<std::string>& advertise) {
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
  const auto add = [&](std::string name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end())
      names.push_back(std::move(name));
  };
  add(this_host());
  for (const std::string& address : advertise) add(host_of(address));
  return names;
}

}  // namespace mp
