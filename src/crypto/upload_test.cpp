// What may be uploaded, and what is wrong with which file otherwise.
#include "crypto/upload.hpp"

#include "crypto/test_certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace mp {
namespace {

using namespace std::chrono_literals;
using test::MadeCertificate;
using test::MakeCertificate;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Time now = *parse_time("2026-03-01T10:00:00Z");

MakeCertificate usual() { return {.begin = now - 1h, .end = now + 24h * 90}; }
MakeCertificate authority() {
  MakeCertificate wanted = usual();
  wanted.names = {"Root"};
  wanted.purpose = openssl::Purpose::Authority;
  return wanted;
}
MadeCertificate signed_by(const MadeCertificate& issuer, MakeCertificate wanted = usual()) {
  wanted.issuer = &issuer;
  return test::make_certificate(wanted);
}

// "file: issue" of each violation.
std::vector<std::string> issues(const CertificateFiles& files) {
  Violations violations;
  judge_upload(files, now, violations);
  std::vector<std::string> list;
  for (const Violation& each : violations) {
    EXPECT_FALSE(each.provided);
    list.push_back(each.field + ": " + each.issue);
  }
  return list;
}

std::vector<std::string> issues_of(const MadeCertificate& made) {
  return issues({.certificate = made.pem(), .key = Secret(made.key_pem()), .authority = ""});
}

std::vector<std::string> issues_of(const MakeCertificate& wanted) {
  return issues_of(test::make_certificate(wanted));
}

struct UploadTest : testing::Test {
  MadeCertificate root = test::make_certificate(authority());
  MadeCertificate middle = signed_by(root, authority());
  MadeCertificate leaf = signed_by(middle);
  CertificateFiles good{.certificate = leaf.pem() + middle.pem(),
                        .key = Secret(leaf.key_pem()),
                        .authority = root.pem()};
};

TEST_F(UploadTest, SaysWhatACertificateIs) {
  MakeCertificate wanted = usual();
  wanted.names = {"Shop.Example", "*.shop.example", "10.0.0.7", "2001:db8::1", "shop.example"};
  const MadeCertificate made = test::make_certificate(wanted);
  Violations violations;
  const CertificateFacts facts =
      judge_upload({.certificate = "Bag Attributes\n" + made.pem() + "\n \n",
                    .key = Secret(made.key_pem()),
                    .authority = ""},
                   now, violations);
  ASSERT_TRUE(violations.empty());
  EXPECT_EQ(facts.common_name, "Shop.Example");
  EXPECT_THAT(facts.names,
              ElementsAre("shop.example", "*.shop.example", "10.0.0.7", "2001:db8::1"));
  EXPECT_EQ(facts.not_before, now - 1h);
  EXPECT_EQ(facts.expires_at, now + 24h * 90);
  EXPECT_EQ(facts.fingerprint_sha256.size(), 64U);
  EXPECT_EQ(facts.files.certificate, made.pem());
  EXPECT_EQ(facts.files.key.reveal(), made.key_pem());
  EXPECT_EQ(facts.files.authority, "");
  EXPECT_EQ(facts_of(facts.files).fingerprint_sha256, facts.fingerprint_sha256);
}

TEST_F(UploadTest, TakesChainsAndTheirAuthority) {
  EXPECT_THAT(issues(good), IsEmpty());
  CertificateFiles files = good;
  files.authority = middle.pem() + root.pem();  // the authority may repeat the chain's end
  EXPECT_THAT(issues(files), IsEmpty());
  files.certificate = leaf.pem();
  EXPECT_THAT(issues(files), IsEmpty());
}

TEST_F(UploadTest, TakesWhatProxiesServe) {
  for (const char* key : {"P-256", "P-384", "P-521", "rsa:2048", "rsa:3072", "ed25519"}) {
    MakeCertificate wanted = usual();
    wanted.key = key;
    EXPECT_THAT(issues_of(wanted), IsEmpty()) << key;
  }
  MakeCertificate later = usual();
  later.begin = now + 24h;
  EXPECT_THAT(issues_of(later), IsEmpty()) << "it is delivered once it begins";
}

TEST_F(UploadTest, RefusesWeakAndUnservableKeys) {
  const std::vector<std::pair<std::string, std::string>> refused{
      {"rsa:1024", "has an RSA key of 1024 bits; 2048 are needed"},
      {"secp256k1", "has an ECDSA key on a curve that is not P-256, P-384 or P-521"},
      {"P-224", "has an ECDSA key on a curve that is not P-256, P-384 or P-521"},
      {"ed448", "has a key that is neither RSA nor ECDSA nor Ed25519; proxies serve no other"}};
  for (const auto& [key, issue] : refused) {
    MakeCertificate wanted = usual();
    wanted.key = key;
    EXPECT_THAT(issues_of(wanted), testing::Contains("cert_file: Certificate 1 " + issue));
  }
}

TEST_F(UploadTest, RefusesWeakSignatures) {
  for (const auto& [digest, name] :
       {std::pair(EVP_sha1(), "SHA1"), std::pair(EVP_sha224(), "SHA224")}) {
    MakeCertificate wanted = usual();
    wanted.digest = digest;
    EXPECT_THAT(issues_of(wanted),
                ElementsAre(std::string("cert_file: Certificate 1 is signed with ") + name +
                            "; SHA-256 or stronger is needed"));
  }
  MakeCertificate old_root = authority();
  old_root.digest = EVP_sha1();  // nobody looks at how a root signed itself
  const MadeCertificate sha1_root = test::make_certificate(old_root);
  const MadeCertificate below = signed_by(sha1_root);
  EXPECT_THAT(issues({.certificate = below.pem(),
                      .key = Secret(below.key_pem()),
                      .authority = sha1_root.pem()}),
              IsEmpty());
}

TEST_F(UploadTest, RefusesWhatIsNotForServers) {
  MakeCertificate nameless = usual();
  nameless.names = {};
  EXPECT_THAT(issues_of(nameless),
              ElementsAre("cert_file: Certificate 1 names no server in subjectAltName; clients do "
                          "not look at the common name"));
  MakeCertificate client = usual();
  client.purpose = openssl::Purpose::Client;
  EXPECT_THAT(
      issues_of(client),
      ElementsAre("cert_file: Certificate 1 may not be used by servers (extendedKeyUsage)"));
  MakeCertificate strange = usual();
  for (const auto* name : {"no host name", "with.a.dot.", "*.with.a.dot.", "*", "*.*.example"}) {
    strange.names = {"shop.example", name};
    EXPECT_THAT(issues_of(strange),
                ElementsAre("cert_file: Certificate 1 has a DNS name in subjectAltName that is no "
                            "host name"))
        << name;
  }
}

TEST_F(UploadTest, RefusesWrongDates) {
  MakeCertificate over = usual();
  over.end = now;
  EXPECT_THAT(issues_of(over),
              ElementsAre("cert_file: Certificate 1 expired at 2026-03-01T10:00:00Z"));
  MakeCertificate turned = usual();
  std::swap(turned.begin, turned.end);
  EXPECT_THAT(issues_of(turned), ElementsAre("cert_file: Certificate 1 ends before it begins"));
  MakeCertificate old_middle = authority();
  old_middle.end = now - 1min;
  const MadeCertificate expired = signed_by(root, old_middle);
  const MadeCertificate below = signed_by(expired);
  EXPECT_THAT(issues({.certificate = below.pem() + expired.pem(),
                      .key = Secret(below.key_pem()),
                      .authority = ""}),
              ElementsAre("cert_file: Certificate 2 expired at 2026-03-01T09:59:00Z"));
}

TEST_F(UploadTest, RefusesKeysOfOthers) {
  CertificateFiles files = good;
  files.key = Secret(root.key_pem());
  EXPECT_THAT(issues(files),
              ElementsAre("key_file: Does not belong to the certificate in cert_file"));
  files.key = Secret(middle.key_pem());
  EXPECT_THAT(issues(files), ElementsAre("cert_file: Certificate 2 is the one that key_file "
                                         "belongs to; it must come first"));
}

TEST_F(UploadTest, RefusesChainsOutOfOrder) {
  const std::string order =
      "did not issue the one before it: the server's certificate comes "
      "first, each followed by its issuer";
  CertificateFiles files = good;
  files.certificate = leaf.pem() + root.pem() + middle.pem();
  EXPECT_THAT(issues(files), testing::Contains("cert_file: Certificate 2 " + order));
  files.certificate = leaf.pem() + leaf.pem();
  EXPECT_THAT(issues(files), testing::Contains("cert_file: Certificate 2 " + order));
  // Named as the issuer, but it did not sign.
  const MadeCertificate namesake = signed_by(root, authority());
  files = {
      .certificate = leaf.pem() + namesake.pem(), .key = Secret(leaf.key_pem()), .authority = ""};
  EXPECT_THAT(issues(files), ElementsAre("cert_file: Certificate 2 " + order));
  const MadeCertificate below_leaf = signed_by(leaf);
  EXPECT_THAT(issues({.certificate = below_leaf.pem() + leaf.pem(),
                      .key = Secret(below_leaf.key_pem()),
                      .authority = ""}),
              testing::SizeIs(1));
}

TEST_F(UploadTest, RefusesAuthoritiesThatAreNone) {
  CertificateFiles files = good;
  files.authority = leaf.pem();
  EXPECT_THAT(issues(files),
              ElementsAre("ca_file: Certificate 1 is not an authority's (CA)",
                          "ca_file: Did not issue the last certificate in cert_file"));
  files.authority = test::make_certificate(authority()).pem();
  EXPECT_THAT(issues(files),
              ElementsAre("ca_file: Did not issue the last certificate in cert_file"));
}

TEST_F(UploadTest, SaysWhatIsWrongWithTheText) {
  const auto with = [&](const std::string& certificate, const std::string& key) {
    const auto list = issues({.certificate = certificate, .key = Secret(key), .authority = ""});
    return list.empty() ? "(accepted)" : list.front();
  };
  const std::string pem = leaf.pem(), key = leaf.key_pem();
  const std::string junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(with(" \n", key), "cert_file: Is empty");
  EXPECT_EQ(with("hello", key), "cert_file: Is not in PEM form");
  EXPECT_EQ(with(junk, key), "cert_file: PEM block 1 is no X.509 certificate");
  EXPECT_EQ(with(pem + junk, key), "cert_file: PEM block 2 is no X.509 certificate");
  EXPECT_EQ(with(pem + key, key), "cert_file: Holds a private key; only certificates belong here");
  EXPECT_EQ(with(pem + "more", key), "cert_file: Has something after its last PEM block");
  EXPECT_EQ(with(pem + pem.substr(0, 60), key),
            "cert_file: Is broken at PEM block 2, or cut off "
            "there");
  std::string many;
  for (int count = 0; count < 11; ++count) many += pem;
  EXPECT_EQ(with(many, key), "cert_file: Holds more than 10 PEM blocks");
  EXPECT_EQ(with(pem, "hello"), "key_file: Is not in PEM form");
  EXPECT_EQ(with(pem, pem), "key_file: Holds no private key but a CERTIFICATE");
  const auto labelled = [](const std::string& label) {
    return "-----BEGIN " + label + "-----\nAAAA\n-----END " + label + "-----\n";
  };
  EXPECT_EQ(with(labelled("A\xFF\tB"), key), "cert_file: PEM block 1 is no certificate but a A? B");
  std::string long_label = "a";
  for (int count = 0; count < 30; ++count) long_label += "é";
  EXPECT_EQ(with(pem, labelled(long_label)),
            "key_file: Holds no private key but a " + long_label.substr(0, 39));
  EXPECT_EQ(with(pem, key + key), "key_file: Must hold one private key and nothing else");
  EXPECT_EQ(with(pem, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            "key_file: Is no private key that can be read");
}

TEST_F(UploadTest, RefusesEncryptedKeysWithoutAsking) {
  const auto encrypted = [&](auto write) {
    const auto buffer = openssl::Owned<BIO>(BIO_new(BIO_s_mem()));
    write(buffer.get(), leaf.key.get(), EVP_aes_256_cbc());
    return openssl::text_of(buffer.get());
  };
  const auto pkcs8 = [](BIO* to, EVP_PKEY* key, const EVP_CIPHER* cipher) {
    PEM_write_bio_PKCS8PrivateKey(to, key, cipher, "secret", 6, nullptr, nullptr);
  };
  const auto traditional = [](BIO* to, EVP_PKEY* key, const EVP_CIPHER* cipher) {
    PEM_write_bio_PrivateKey_traditional(to, key, cipher, nullptr, 0, nullptr,
                                         const_cast<char*>("secret"));
  };
  for (const std::string& key : {encrypted(pkcs8), encrypted(traditional)}) {
    CertificateFiles files = good;
    files.key = Secret(key);
    EXPECT_THAT(issues(files),
                ElementsAre("key_file: Is encrypted; a key without pass phrase is needed"));
  }
}

TEST_F(UploadTest, TakesKeysInTheirOlderForms) {
  const auto buffer = openssl::Owned<BIO>(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey_traditional(buffer.get(), leaf.key.get(), nullptr, nullptr, 0, nullptr,
                                       nullptr);
  const std::string parameters =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  CertificateFiles files = good;
  files.key = Secret(parameters + openssl::text_of(buffer.get()));
  EXPECT_THAT(issues(files), IsEmpty());
}

TEST_F(UploadTest, NoTruncationIsTaken) {
  for (std::size_t length = 0; length + 2 < good.certificate.size(); length += 7) {
    CertificateFiles files = good;
    files.certificate.resize(length);
    EXPECT_THAT(issues(files), testing::Not(IsEmpty())) << length;
  }
  const std::string key = good.key.reveal();
  for (std::size_t length = 0; length + 2 < key.size(); length += 3) {
    CertificateFiles files = good;
    files.key = Secret(key.substr(0, length));
    EXPECT_THAT(issues(files), testing::Not(IsEmpty())) << length;
  }
}

TEST_F(UploadTest, NoMutationIsMoreThanRefused) {
  std::mt19937 random(4711);  // the same at every run
  const auto mutated = [&](std::string text) {
    const auto at = random() % text.size();
    if (random() % 2)
      text[at] = "+/AQz=-\n"[random() % 8];
    else
      text.erase(at, random() % 70);
    return text;
  };
  int refused = 0;
  for (int round = 0; round < 600; ++round) {
    CertificateFiles files = good;
    if (round % 3 == 0) files.certificate = mutated(files.certificate);
    if (round % 3 == 1) files.key = Secret(mutated(files.key.reveal()));
    if (round % 3 == 2) files.authority = mutated(files.authority);
    if (!issues(files).empty()) ++refused;
  }
  EXPECT_GT(refused, 500);  // a few touch what nobody reads
}

}  // namespace
}  // namespace mp
