// Bytes of a connection, in pieces: the first byte is the size of the pieces.
#include "fuzz.hpp"
#include "http/parser.hpp"

using namespace mp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  const std::size_t step = fuzz::take_byte(rest) + 1;
  http::Parser parser({.header = 2048, .body = 1024});
  std::size_t given = std::min(step, rest.size());
  for (;;) {
    const std::size_t used = parser.feed(rest.substr(0, given));
    fuzz::promise(used <= given, "the parser uses no more than it is given");
    rest.remove_prefix(used);
    given -= used;
    if (parser.progress() == http::Progress::Refused) {
      const auto refusal = parser.refusal();
      fuzz::promise(refusal.status >= 400 && refusal.status < 600, "a refusal is a failure");
      return 0;
    }
    if (parser.progress() == http::Progress::TooLarge) {
      parser.take();
      return 0;
    }
    if (parser.progress() == http::Progress::Complete) {
      const auto request = parser.take();
      fuzz::promise(request.body.size() <= 1024, "the body is within its limit");
      fuzz::promise(!request.method.empty() && !request.target.empty(), "method and target");
    } else {
      if (given == rest.size()) return 0;
      given = std::min(given + step, rest.size());
    }
  }
}
