// One text for everything that reads a short one: named formats, addresses, networks, times.
#include "access/client.hpp"
#include "base/time.hpp"
#include "fuzz.hpp"
#include "model/format.hpp"
#include "model/network.hpp"

#include <array>
#include <string>

using namespace mp;

namespace {

void formats(std::string_view text) {
  for (const Format& format : all_formats()) {
    std::string stored(text);
    if (!format.check(stored)) continue;
    std::string again = stored;
    fuzz::promise(format.check(again) && again == stored, "the stored form keeps its form");
  }
}

void addresses(std::string_view text) {
  const auto normal = normal_address(text);
  const auto bytes = address_bytes(text);
  fuzz::promise(normal.has_value() == bytes.has_value(), "two readers of addresses agree");
  if (normal) fuzz::promise(address_bytes(*normal) == bytes, "the normal form is the same address");
  if (const auto network = Network::parse(text); network && bytes)
    fuzz::promise(network->contains(*bytes), "an address is in its own network");
  static const TrustedProxies trusted({"10.0.0.0/8", "2001:db8::/32"});
  const std::array<std::string_view, 2> hops{text, "10.1.2.3"};
  const std::string client = trusted.client("10.0.0.1", hops);
  fuzz::promise(address_bytes(client).has_value(), "a client is an address");
  client_network(client);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  formats(text);
  addresses(text);
  if (const auto time = parse_time(text))
    fuzz::promise(parse_time(to_string(*time)).has_value(), "a printed time can be read");
  return 0;
}
