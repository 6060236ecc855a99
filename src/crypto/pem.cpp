#include "crypto/pem.hpp"

#include "base/utf8.hpp"

#include <openssl/crypto.h>

#include <optional>

namespace mp::openssl {
namespace {

constexpr std::string_view certificate_label = "CERTIFICATE";
constexpr std::size_t longest_label = 40;  // shown of a foreign one
constexpr std::string_view parameters_label = "EC PARAMETERS";

struct Wipe {
  std::size_t length = 0;
  void operator()(unsigned char* bytes) const { OPENSSL_clear_free(bytes, length); }
};

// One block as it stands in the text; its bytes are wiped, they may be a key's.
struct Block {
  std::string label;
  bool encrypted = false;
  std::unique_ptr<unsigned char, Wipe> bytes;
  long length = 0;
};

struct Blocks {
  std::vector<Block> list;
  std::string issue;
};

void free_text(char* text) { OPENSSL_free(text); }

// Reads the next block; nullopt at the end of the text or at one that is broken.
std::optional<Block> next_block(BIO* input) {
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long length = 0;
  if (!PEM_read_bio(input, &label, &header, &bytes, &length)) return std::nullopt;
  const std::unique_ptr<char, void (*)(char*)> owned_label(label, &free_text);
  const std::unique_ptr<char, void (*)(char*)> owned_header(header, &free_text);
  Block block{.label = label,
              .encrypted = std::string_view(header).find("ENCRYPTED") != std::string_view::npos,
              .bytes = {bytes, Wipe{static_cast<std::size_t>(length)}},
              .length = length};
  return block;
}

std::string_view without_space_at_end(std::string_view text) {
  const auto last = text.find_last_not_of(" \t\r\n");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

bool ends_with_block(std::string_view text) {
  text = without_space_at_end(text);
  const std::string_view line = text.substr(text.rfind('\n') + 1);
  return line.starts_with("-----END ") && line.ends_with("-----");
}

Blocks read_blocks(std::string_view text) {
  Blocks blocks;
  if (without_space_at_end(text).empty()) return {{}, "Is empty"};
  ERR_clear_error();
  const auto input = reader(text);
  while (auto block = next_block(input.get())) {
    if (blocks.list.size() > most_certificates) break;
    blocks.list.push_back(*std::move(block));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const bool over = blocks.list.size() > most_certificates;
  ERR_clear_error();
  if (over)
    blocks.issue = "Holds more than " + std::to_string(most_certificates) + " PEM blocks";
  else if (!at_end)
    blocks.issue =
        "Is broken at PEM block " + std::to_string(blocks.list.size() + 1) + ", or cut off there";
  else if (blocks.list.empty())
    blocks.issue = "Is not in PEM form";
  else if (!ends_with_block(text))
    blocks.issue = "Has something after its last PEM block";
  return blocks;
}

bool is_key(const Block& block) {
  return block.label.ends_with("PRIVATE KEY") && block.label != "ANY PRIVATE KEY";
}

std::string number(std::size_t at) { return "PEM block " + std::to_string(at + 1); }

}  // namespace

PemCertificates read_certificates(std::string_view text) {
  Blocks blocks = read_blocks(text);
  if (!blocks.issue.empty()) return {{}, std::move(blocks.issue)};
  PemCertificates read;
  for (std::size_t at = 0; at < blocks.list.size(); ++at) {
    const Block& block = blocks.list[at];
    if (is_key(block)) return {{}, "Holds a private key; only certificates belong here"};
    if (block.label != certificate_label)
      return {{}, number(at) + " is no certificate but a " + one_line(block.label, longest_label)};
    const unsigned char* bytes = block.bytes.get();
    X509Certificate certificate(d2i_X509(nullptr, &bytes, block.length));
    const bool whole = certificate && bytes == block.bytes.get() + block.length &&
                       ASN1_TIME_check(X509_get0_notBefore(certificate.get())) == 1 &&
                       ASN1_TIME_check(X509_get0_notAfter(certificate.get())) == 1;
    ERR_clear_error();
    if (!whole) return {{}, number(at) + " is no X.509 certificate"};
    read.certificates.push_back(std::move(certificate));
  }
  return read;
}

PemKey read_requested_key(std::string_view text) {
  const Blocks blocks = read_blocks(text);
  if (!blocks.issue.empty()) return {nullptr, blocks.issue};
  const Block& block = blocks.list.front();
  const bool labelled =
      block.label == "CERTIFICATE REQUEST" || block.label == "NEW CERTIFICATE REQUEST";
  if (!labelled || blocks.list.size() != 1)
    return {nullptr, "Must hold one certificate request and nothing else"};
  const unsigned char* bytes = block.bytes.get();
  const Owned<X509_REQ> request(d2i_X509_REQ(nullptr, &bytes, block.length));
  ERR_clear_error();
  if (!request || bytes != block.bytes.get() + block.length)
    return {nullptr, "Is no certificate request that can be read"};
  Key key(X509_REQ_get_pubkey(request.get()));
  const bool proven = key && X509_REQ_verify(request.get(), key.get()) == 1;
  ERR_clear_error();
  if (!proven) return {nullptr, "Is not signed with the key that it asks a certificate for"};
  return {std::move(key), ""};
}

PemKey read_key(std::string_view text) {
  Blocks blocks = read_blocks(text);
  if (!blocks.issue.empty()) return {{}, std::move(blocks.issue)};
  std::erase_if(blocks.list, [](const Block& block) { return block.label == parameters_label; });
  if (blocks.list.size() != 1) return {{}, "Must hold one private key and nothing else"};
  const Block& block = blocks.list.front();
  if (block.label == "ENCRYPTED PRIVATE KEY" || block.encrypted)
    return {{}, "Is encrypted; a key without pass phrase is needed"};
  if (!is_key(block))
    return {{}, "Holds no private key but a " + one_line(block.label, longest_label)};
  const unsigned char* bytes = block.bytes.get();
  Key key(d2i_AutoPrivateKey(nullptr, &bytes, block.length));
  ERR_clear_error();
  if (!key || bytes != block.bytes.get() + block.length)
    return {{}, "Is no private key that can be read"};
  return {std::move(key), ""};
}

}  // namespace mp::openssl
