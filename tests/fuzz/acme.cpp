// An ACME server that says anything: replies divided by zero bytes, the first byte of each its
// kind.
#include "crypto/acme.hpp"
#include "base/utf8.hpp"
#include "fuzz.hpp"

#include <array>

using namespace mp;

namespace {

class AnyServer final : public Fetch {
 public:
  explicit AnyServer(std::string_view says) : rest_(says) {}

  FetchReply ask(const FetchRequest& request) override {
    static constexpr std::array<int, 8> statuses{200, 201, 400, 403, 429, 500, 302, 0};
    std::string_view says = fuzz::take_part(rest_);
    const unsigned kind = fuzz::take_byte(says);
    FetchReply reply;
    reply.status = statuses[kind % statuses.size()];
    if (reply.status == 0) reply.failure = "no answer";
    if ((kind & 8) == 0) reply.headers.emplace_back("replay-nonce", "bm9uY2U");
    if ((kind & 16) == 0) reply.headers.emplace_back("location", "https://acme.example/1");
    if ((kind & 32) != 0) reply.headers.emplace_back("retry-after", std::string(says.substr(0, 8)));
    reply.body = request.method == "HEAD" ? "" : std::string(says);
    fuzz::promise(++asked_ < 1000, "the client gives up");
    return reply;
  }
  void stop() override {}

 private:
  std::string_view rest_;
  int asked_ = 0;
};

template <class Work>
void tried(Work work) {
  try {
    work();
  } catch (const AcmeError& error) {
    fuzz::promise(one_line(error.what()) == error.what(), "an error is one line of text");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const AccountKey key = AccountKey::make();
  AnyServer server(fuzz::text_of(data, size));
  AcmeClient client(server, {.directory = "https://acme.example/directory", .ca = ""}, key, "");
  tried([&] { client.enroll("admin@example.com"); });
  tried([&] {
    const auto order = client.order({"shop.example"});
    for (const auto& proof : client.proofs(order, AcmeChallengeType::Http01)) {
      fuzz::promise(!proof.token.empty(), "a proof has a token");
      client.ready(proof);
    }
    client.download(client.finalize(order, "request"));
    client.why_invalid(order);
  });
  return 0;
}
