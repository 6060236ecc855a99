// What an ACME server asks for to see that a name is ours (RFC 8555 §8.3).
#include "api/context.hpp"
#include "api/nouns.hpp"
#include "model/acme.hpp"

namespace mp::api {
namespace {

constexpr std::string_view content_type = "application/octet-stream";

Document answer_challenge(Call& call, ChallengeToken token) {
  Document document{std::string(content_type), ""};
  call.read([&](Reader& db) {
    const auto proof = db.find<KeptProof>(token.value);
    if (!proof) throw not_found("challenge");
    document.text = proof->key_authorization;
  });
  return document;
}

}  // namespace

void acme_challenges(Endpoints& endpoints) {
  endpoints.add_document({.id = "answer_acme_challenge",
                          .call = "GET ^/.well-known/acme-challenge/{name}",
                          .summary = "The proof that an ACME server looks for.",
                          .needs = Needs::Nothing,
                          .rate = Rate::Unlimited,
                          .errors = {Code::NotFound},
                          .example = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA."
                                     "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"},
                         std::string(content_type), answer_challenge);
}

}  // namespace mp::api
