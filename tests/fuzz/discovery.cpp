// One discovery stream: messages as bytes, divided by zero bytes doubled; the first byte of all
// chooses the variant.
#include "base/error.hpp"
#include "fuzz.hpp"
#include "xds/conversation.hpp"
#include "xds/wire.hpp"

using namespace mp;

namespace {

const xds::SnapshotPtr& content(std::size_t index) {
  static const std::array<xds::SnapshotPtr, 2> snapshots{
      xds::snapshot(1, {{xds::Type::Cluster, {{"a", "1"}, {"b", "1"}}},
                        {xds::Type::Endpoint, {{"a", "1"}}},
                        {xds::Type::Listener, {{"l", "1"}}},
                        {xds::Type::Route, {{"r", "1"}}}}),
      xds::snapshot(2, {{xds::Type::Cluster, {{"a", "2"}}}, {xds::Type::Listener, {{"l", "2"}}}})};
  return snapshots[index % snapshots.size()];
}

std::string_view take_message(std::string_view& rest) {
  const std::string_view end("\0\0", 2);
  const auto place = rest.find(end);
  const auto message = rest.substr(0, place);
  rest.remove_prefix(place == std::string_view::npos ? rest.size() : place + end.size());
  return message;
}

void take(const xds::Stream::Responses& responses, xds::Flavour flavour) {
  static xds::Parcels parcels;
  for (const auto& response : responses)
    fuzz::promise(!xds::flatten(xds::compose(flavour, response, parcels)).empty(),
                  "a response has bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  const auto flavour =
      fuzz::take_byte(rest) % 2 == 0 ? xds::Flavour::Delta : xds::Flavour::StateOfTheWorld;
  xds::Stream stream(flavour, std::make_shared<xds::Differences>());
  Time now{Milliseconds{1'000'000}};
  try {
    for (std::size_t count = 0; !rest.empty(); ++count) {
      take(stream.on_request(xds::parse_request(flavour, take_message(rest)), now), flavour);
      if (count % 2 == 0) take(stream.on_snapshot(content(count / 2), now), flavour);
      now += Milliseconds{700};
      take(stream.on_time(now), flavour);
    }
    take(stream.on_retry(now), flavour);
    stream.held();
  } catch (const Error& error) {
    fuzz::promise(error.code == Code::Validation, "a bad message is a violation");
  }
  return 0;
}
