// What a licence server says: two bytes of status, then the body.
#include "access/license_answer.hpp"
#include "fuzz.hpp"

using namespace mp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  FetchReply reply;
  reply.status = fuzz::take_byte(rest) < 128 ? 200 : 100 + static_cast<int>(fuzz::take_byte(rest));
  reply.body = std::string(rest);
  const Secret key("PENG-0000-1111-2222-3333-ABCD");
  const auto answer = read_license_answer(reply, key, *parse_time("2026-03-01T12:00:00Z"));
  fuzz::promise(answer.message.find(key.reveal()) == std::string::npos, "no key in the message");
  if (answer.verdict == LicenseVerdict::Granted) {
    fuzz::promise(reply.status == 200, "only a good answer grants");
    fuzz::promise(answer.max_proxies >= -1 && answer.max_clusters >= -1,
                  "a limit is a number, or -1 for none");
  }
  return 0;
}
