// The files of an upload, divided by zero bytes, and the same text as a signing request.
#include "crypto/pem.hpp"
#include "crypto/upload.hpp"
#include "fuzz.hpp"

using namespace mp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  openssl::read_requested_key(rest);
  CertificateFiles files;
  files.certificate = std::string(fuzz::take_part(rest));
  files.key = Secret(std::string(fuzz::take_part(rest)));
  files.authority = std::string(fuzz::take_part(rest));
  Violations violations;
  const auto facts = judge_upload(files, *parse_time("2026-03-01T12:00:00Z"), violations);
  for (const auto& violation : violations)
    fuzz::promise(!violation.provided || violation.field != "key_file",
                  "no text of a key comes out");
  if (!violations.empty()) return 0;
  fuzz::promise(facts.fingerprint_sha256.size() >= 64, "a good certificate has its fingerprint");
  Violations again;
  judge_upload(facts.files, *parse_time("2026-03-01T12:00:00Z"), again);
  fuzz::promise(again.empty(), "what is kept would be taken again");
  return 0;
}
