#include "crypto/authority.hpp"

#include "crypto/files.hpp"
#include "crypto/issue.hpp"
#include "crypto/pem.hpp"
#include "crypto/server_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <stdlib.h>

namespace mp {
namespace {

using namespace std::chrono_literals;
using namespace openssl;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

const Time start = *parse_time("2026-01-02T03:04:05Z");

X509Certificate first_certificate(const std::string& pem) {
  return X509Certificate(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr));
}

struct FreeChain {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
};

// X509_V_OK when a client that trusts `authority` would accept the server at that moment.
int verify(const std::string& leaf_pem, const std::string& authority_pem, Time when) {
  const auto leaf = first_certificate(leaf_pem);
  const auto authority = first_certificate(authority_pem);
  const std::unique_ptr<X509_STORE, FreeChain> trusted(X509_STORE_new());
  X509_STORE_add_cert(trusted.get(), authority.get());
  const std::unique_ptr<X509_STORE_CTX, FreeChain> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), trusted.get(), leaf.get(), nullptr);
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
  X509_STORE_CTX_set_time(context.get(), 0, static_cast<time_t>(to_milliseconds(when) / 1000));
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

KeyPair server(const Authority& authority, std::vector<std::string> names, Time end) {
  return authority.issue_server(
      {.common_name = "server", .names = std::move(names), .not_after = end});
}

class Directory {
 public:
  Directory() : path_(testing::TempDir() + "crypto-XXXXXX") {
    if (!::mkdtemp(path_.data())) throw std::runtime_error("mkdtemp");
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct AuthorityTest : testing::Test {
  Directory directory;
  ManualClock clock{start};
  Store store{{.url = "sqlite:", .data_dir = directory.path()}, clock};
  Authority authority{store, clock};
};

TEST_F(AuthorityTest, CertifiesServersThatClientsAccept) {
  const KeyPair pair = server(
      authority, {"manager.example.com", "10.0.0.7", "2001:db8::1", "10.0.0.7", ""}, start + 24h);
  EXPECT_EQ(verify(pair.certificate_pem, authority.certificates_pem(), start), X509_V_OK);
  const auto leaf = first_certificate(pair.certificate_pem);
  EXPECT_EQ(X509_check_host(leaf.get(), "manager.example.com", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "10.0.0.7", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "2001:db8::1", 0), 1);
  EXPECT_EQ(X509_check_host(leaf.get(), "other.example.com", 0, 0, nullptr), 0);
  EXPECT_THAT(pair.certificate_pem, HasSubstr(authority.certificates_pem()))
      << "the chain goes along";
}

TEST_F(AuthorityTest, ServersAreGoodForTheirTimeOnly) {
  const KeyPair pair = server(authority, {"m"}, start + 24h);
  const auto at = [&](auto offset) {
    return verify(pair.certificate_pem, authority.certificates_pem(), start + offset);
  };
  EXPECT_EQ(at(-4min), X509_V_OK);
  EXPECT_EQ(at(-6min), X509_V_ERR_CERT_NOT_YET_VALID);
  EXPECT_EQ(at(24h - 1s), X509_V_OK);
  EXPECT_EQ(at(24h + 1s), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_F(AuthorityTest, ServersDoNotOutliveIt) {
  const auto end = end_of(first_certificate(authority.certificates_pem()).get());
  EXPECT_GT(end, start + 24h * 3650);
  const KeyPair pair = server(authority, {"m"}, start + std::chrono::hours(24 * 36500));
  EXPECT_EQ(end_of(first_certificate(pair.certificate_pem).get()), end);
}

TEST_F(AuthorityTest, FollowsTheRulesForCertificates) {
  const auto own = first_certificate(authority.certificates_pem());
  const KeyPair pair = server(authority, {"m"}, start + 24h);
  const auto leaf = first_certificate(pair.certificate_pem);
  EXPECT_EQ(X509_check_ca(own.get()), 1);
  EXPECT_EQ(X509_check_ca(leaf.get()), 0);
  EXPECT_EQ(X509_get_pathlen(own.get()), 0);
  EXPECT_EQ(X509_get_key_usage(own.get()), static_cast<unsigned>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  EXPECT_EQ(X509_get_key_usage(leaf.get()), static_cast<unsigned>(KU_DIGITAL_SIGNATURE));
  EXPECT_EQ(X509_get_extended_key_usage(leaf.get()), static_cast<unsigned>(XKU_SSL_SERVER));
  EXPECT_EQ(ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(own.get()),
                                  X509_get0_authority_key_id(leaf.get())),
            0);
  EXPECT_EQ(EVP_PKEY_get_bits(X509_get0_pubkey(own.get())), 384);
  const KeyPair other = server(authority, {"m"}, start + 24h);
  const auto next = first_certificate(other.certificate_pem);
  EXPECT_NE(
      ASN1_INTEGER_cmp(X509_get0_serialNumber(leaf.get()), X509_get0_serialNumber(next.get())), 0);
  EXPECT_LE(ASN1_STRING_length(X509_get0_serialNumber(leaf.get())), 20);
  EXPECT_FALSE(pair.key_pem == other.key_pem);
}

TEST_F(AuthorityTest, IsTheSameForAllManagersAndAfterARestart) {
  const Authority again(store, clock);
  EXPECT_EQ(again.certificates_pem(), authority.certificates_pem());
  const KeyPair pair = server(again, {"m"}, start + 24h);
  EXPECT_EQ(verify(pair.certificate_pem, authority.certificates_pem(), start), X509_V_OK);
}

TEST_F(AuthorityTest, ItsKeyIsNotStoredInTheClear) {
  std::string stored;
  store.read([&](Reader& db) {
    stored = std::get<std::string>(
        db.query("SELECT key_pem FROM issuers", {}, {Column::Text}).at(0).at(0));
  });
  EXPECT_EQ(stored.find("PRIVATE"), std::string::npos);
}

TEST_F(AuthorityTest, OthersDoNotPassForIt) {
  const Directory elsewhere;
  Store other_store({.url = "sqlite:", .data_dir = elsewhere.path()}, clock);
  const Authority other(other_store, clock);
  const KeyPair pair = server(other, {"m"}, start + 24h);
  EXPECT_NE(verify(pair.certificate_pem, authority.certificates_pem(), start), X509_V_OK);
}

TEST(ServerNames, ArePlacesWhereTheManagerIsReached) {
  EXPECT_THAT(server_names({}), testing::IsSupersetOf({"localhost", "127.0.0.1", "::1"}));
  EXPECT_THAT(server_names({"Manager.Example.com:443"}), Contains("manager.example.com"));
  EXPECT_THAT(server_names({"manager.example.com"}), Contains("manager.example.com"));
  EXPECT_THAT(server_names({"10.0.0.7:18000"}), Contains("10.0.0.7"));
  EXPECT_THAT(server_names({"[2001:DB8:0::1]:18000"}), Contains("2001:db8::1"));
  EXPECT_THAT(server_names({"2001:db8::1"}), Contains("2001:db8::1"));
  const auto names = server_names({"localhost:1"});
  EXPECT_EQ(std::ranges::count(names, "localhost"), 1);
}

struct FilesTest : AuthorityTest {
  KeyPair pair = server(authority, {"m"}, start + 24h);
  std::string certificate = directory.write("c.pem", pair.certificate_pem);
  std::string key = directory.write("k.pem", pair.key_pem.reveal());

  KeyPair read(const std::string& certificate_path, const std::string& key_path, Time now = start) {
    return read_pair({certificate_path, key_path, "xds.certificate", "xds.key"}, now);
  }
  std::string refusal(const std::string& certificate_path, const std::string& key_path,
                      Time now = start) {
    try {
      read(certificate_path, key_path, now);
    } catch (const Error& error) {
      return error.message;
    }
    return "(accepted)";
  }
};

TEST_F(FilesTest, AGoodPairIsRead) {
  const KeyPair read_back = read(certificate, key);
  EXPECT_EQ(read_back.certificate_pem, pair.certificate_pem);
  EXPECT_TRUE(read_back.key_pem == pair.key_pem);
}

TEST_F(FilesTest, WrongFilesAreNamed) {
  const std::string junk = directory.write("junk", "hello");
  const std::string broken =
      directory.write("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const std::string big = directory.write("big", std::string(1024 * 1024 + 1, 'x'));
  const std::string other =
      directory.write("o.pem", server(authority, {"m"}, start + 24h).key_pem.reveal());
  EXPECT_EQ(refusal("/nowhere/c.pem", key), "xds.certificate: /nowhere/c.pem cannot be read");
  EXPECT_EQ(refusal(certificate, "/nowhere/k.pem"), "xds.key: /nowhere/k.pem cannot be read");
  EXPECT_EQ(refusal(certificate, directory.path()),
            "xds.key: " + directory.path() + " cannot be read");
  EXPECT_EQ(refusal(junk, key), "xds.certificate: " + junk + " holds no certificate in PEM form");
  EXPECT_THAT(refusal(broken, key),
              HasSubstr("xds.certificate: " + broken + " holds a broken certificate"));
  EXPECT_EQ(refusal(big, key), "xds.certificate: " + big + " is longer than 1 MiB");
  EXPECT_EQ(refusal(certificate, junk), "xds.key: " + junk + " holds no private key in PEM form");
  EXPECT_EQ(refusal(certificate, other),
            "xds.key: " + other + " is not the key of the first certificate in " + certificate);
  EXPECT_EQ(refusal(certificate, key, start + 25h),
            "xds.certificate: " + certificate + " expired at " + to_string(start + 24h));
}

TEST_F(FilesTest, EncryptedKeysAreRefusedWithoutAsking) {
  const auto plain =
      Key(PEM_read_bio_PrivateKey(reader(pair.key_pem.reveal()).get(), nullptr, nullptr, nullptr));
  const auto buffer = Owned<BIO>(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(buffer.get(), plain.get(), EVP_aes_256_cbc(), "secret", 6, nullptr,
                                nullptr);
  const std::string encrypted = directory.write("e.pem", text_of(buffer.get()));
  EXPECT_EQ(refusal(certificate, encrypted),
            "xds.key: " + encrypted + " is encrypted; a key without pass phrase is needed");
}

TEST_F(FilesTest, AuthoritiesAreRead) {
  const std::string two =
      directory.write("ca.pem", "words\n" + authority.certificates_pem() + pair.certificate_pem);
  EXPECT_EQ(read_authorities(two, "xds.client_ca"),
            authority.certificates_pem() + pair.certificate_pem);
  EXPECT_THROW(read_authorities(key, "xds.client_ca"), Error);
}

}  // namespace
}  // namespace mp
