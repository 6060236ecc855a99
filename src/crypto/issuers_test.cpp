// Authorities over the years: the successor, the lists of what was revoked, several managers.
#include "crypto/authority.hpp"
#include "crypto/pem.hpp"
#include "crypto/test_certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <stdlib.h>

namespace mp {
namespace {

using namespace std::chrono_literals;
using namespace openssl;
using testing::IsEmpty;
using testing::SizeIs;

const Time start = *parse_time("2026-01-02T03:04:05Z");
constexpr std::chrono::hours day{24};
constexpr std::chrono::hours year = 365 * day;
const Actor somebody{.user_id = 1, .name = "admin", .address = "", .request_id = ""};

struct FreeObjects {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
};

struct IssuersTest : testing::Test {
  IssuersTest() {
    if (!::mkdtemp(path.data())) throw std::runtime_error("mkdtemp");
  }
  ~IssuersTest() override {
    store.reset();
    std::filesystem::remove_all(path);
  }
  void open() { store = std::make_unique<Store>(StoreOptions{"sqlite:", path}, clock); }

  std::vector<Issuer> issuers() {
    std::vector<Issuer> all;
    store->read([&](Reader& db) { all = db.select<Issuer>(); });
    return all;
  }
  std::vector<ChangeEntry> changes() {
    std::vector<ChangeEntry> all;
    store->read([&](Reader& db) { all = db.changes_after(0, 1000); });
    return all;
  }
  KeyPair issue(const Authority& authority, Milliseconds life) {
    return authority.issue_server(
        {.common_name = "shop", .names = {"shop"}, .not_after = clock.now() + life});
  }
  bool revoke(const Authority& authority, const std::string& pem,
              RevocationReason reason = RevocationReason::KeyCompromise) {
    bool ours = false;
    store->write(somebody,
                 [&](Writer& db) { ours = authority.revoke(db, pem, reason).has_value(); });
    return ours;
  }

  std::string path = testing::TempDir() + "issuers-XXXXXX";
  ManualClock clock{start};
  std::unique_ptr<Store> store;
};

Owned<X509_CRL> list_of(const Issuer& issuer) {
  return Owned<X509_CRL>(
      PEM_read_bio_X509_CRL(reader(issuer.crl_pem).get(), nullptr, nullptr, nullptr));
}

// What a client finds that trusts the issuer and looks into its list.
int verify(const std::string& pem, const Issuer& issuer, Time when) {
  const auto chain = read_certificates(pem);
  const auto trusted = read_certificates(issuer.certificate_pem);
  const auto list = list_of(issuer);
  const std::unique_ptr<X509_STORE, FreeObjects> known(X509_STORE_new());
  X509_STORE_add_cert(known.get(), trusted.certificates.front().get());
  X509_STORE_add_crl(known.get(), list.get());
  const std::unique_ptr<X509_STORE_CTX, FreeObjects> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), known.get(), chain.certificates.front().get(), nullptr);
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_X509_STRICT);
  X509_STORE_CTX_set_time(context.get(), 0, static_cast<time_t>(to_milliseconds(when) / 1000));
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

TEST_F(IssuersTest, TheFirstIsThereAtOnceWithAnEmptyList) {
  open();
  const Authority authority(*store, clock);
  const auto all = issuers();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(authority.certificates_pem(), all[0].certificate_pem);
  EXPECT_EQ(all[0].crl_number, 1);
  EXPECT_EQ(verify(issue(authority, day).certificate_pem, all[0], start), X509_V_OK);
  ASSERT_THAT(changes(), SizeIs(1));
  EXPECT_EQ(changes()[0].resource, "issuer");
  EXPECT_EQ(changes()[0].actor.name, "manager");
  EXPECT_EQ(changes()[0].after.find("PRIVATE"), std::string::npos);
}

TEST_F(IssuersTest, ASuccessorIsMadeElevenYearsBeforeTheEnd) {
  open();
  Authority authority(*store, clock);
  Authority another(*store, clock);
  clock.advance(13 * year);
  authority.maintain();
  EXPECT_THAT(issuers(), SizeIs(1));
  clock.advance(year + 10 * day);
  authority.maintain();
  another.maintain();
  const auto all = issuers();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(authority.certificates_pem(), all[0].certificate_pem + all[1].certificate_pem);
  EXPECT_EQ(another.certificates_pem(), authority.certificates_pem());
  // What is short comes from the one that clients know longest, what is long from the new one.
  EXPECT_EQ(verify(issue(authority, 90 * day).certificate_pem, all[0], clock.now()), X509_V_OK);
  EXPECT_EQ(verify(issue(authority, 10 * year).certificate_pem, all[0], clock.now()), X509_V_OK);
  EXPECT_EQ(verify(issue(authority, 12 * year).certificate_pem, all[1], clock.now()), X509_V_OK);
  clock.advance(11 * year);
  authority.maintain();
  EXPECT_EQ(authority.certificates_pem(), all[1].certificate_pem) << "the first is over";
}

TEST_F(IssuersTest, ARevokedCertificateIsInTheList) {
  open();
  const Authority authority(*store, clock);
  const auto bad = issue(authority, 90 * day).certificate_pem;
  const auto good = issue(authority, 90 * day).certificate_pem;
  EXPECT_TRUE(revoke(authority, bad));
  const auto issuer = issuers().front();
  EXPECT_EQ(issuer.crl_number, 2);
  EXPECT_EQ(verify(bad, issuer, start), X509_V_ERR_CERT_REVOKED);
  EXPECT_EQ(verify(good, issuer, start), X509_V_OK);
  const auto list = list_of(issuer);
  X509_REVOKED* entry = nullptr;
  ASSERT_EQ(X509_CRL_get0_by_serial(
                list.get(), &entry,
                X509_get_serialNumber(read_certificates(bad).certificates.front().get())),
            1);
  const Owned<ASN1_ENUMERATED> reason(static_cast<ASN1_ENUMERATED*>(
      X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr)));
  EXPECT_EQ(ASN1_ENUMERATED_get(reason.get()), 1);
  EXPECT_EQ(X509_CRL_get_version(list.get()), 1);
  EXPECT_TRUE(revoke(authority, bad)) << "twice is once";
  EXPECT_EQ(issuers().front().crl_number, 3);
}

TEST_F(IssuersTest, CertificatesOfOthersAreNotItsToRevoke) {
  open();
  const Authority authority(*store, clock);
  const Issuer before = issuers().front();
  const std::string other = test::make_certificate({.begin = start, .end = start + day}).pem();
  EXPECT_FALSE(revoke(authority, other));
  EXPECT_EQ(issuers().front().crl_number, before.crl_number);
}

std::string request_text(EVP_PKEY* key, EVP_PKEY* signer) {
  const Owned<X509_REQ> request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), key);
  X509_REQ_sign(request.get(), signer, EVP_sha256());
  const Owned<BIO> buffer(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(buffer.get(), request.get());
  return text_of(buffer.get());
}

TEST_F(IssuersTest, ServicesGetClientCertificates) {
  open();
  const Authority authority(*store, clock);
  const std::string identity = "spiffe://marchproxy/main/client";
  const Key own = new_key(Curve::P256);
  for (const std::string& csr : {std::string(), request_text(own.get(), own.get())}) {
    const IssuedClient issued =
        authority.issue_client({.identity = identity, .csr = csr, .not_after = start + day});
    EXPECT_EQ(verify(issued.pair.certificate_pem, issuers().front(), start), X509_V_OK);
    EXPECT_EQ(issued.pair.key_pem.empty(), !csr.empty());
    EXPECT_EQ(issued.expires_at, start + day);
    const auto leaf = std::move(read_certificates(issued.pair.certificate_pem).certificates[0]);
    EXPECT_EQ(X509_get_extended_key_usage(leaf.get()), static_cast<unsigned>(XKU_SSL_CLIENT));
    const Owned<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(leaf.get(), NID_subject_alt_name, nullptr, nullptr)));
    ASSERT_EQ(sk_GENERAL_NAME_num(names.get()), 1);
    int kind = 0;
    const auto* name = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), 0), &kind));
    EXPECT_EQ(kind, GEN_URI);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name))), identity);
    const bool its_own = EVP_PKEY_eq(X509_get0_pubkey(leaf.get()), own.get()) == 1;
    EXPECT_EQ(its_own, !csr.empty());
  }
}

TEST_F(IssuersTest, RequestsMustBeSoundAndStrong) {
  open();
  const Authority authority(*store, clock);
  const auto refusal = [&](const std::string& csr) {
    try {
      authority.issue_client({.identity = "spiffe://a/b", .csr = csr, .not_after = start + day});
    } catch (const Error& error) {
      return error.violations.at(0).field + ": " + error.violations.at(0).issue;
    }
    return std::string("(accepted)");
  };
  const Key one = new_key(Curve::P256), other = new_key(Curve::P256);
  const Key weak = test::make_key("rsa:1024");
  EXPECT_EQ(refusal("hello"), "csr: Is not in PEM form");
  EXPECT_EQ(refusal(to_pem(one.get())), "csr: Must hold one certificate request and nothing else");
  EXPECT_EQ(refusal(request_text(one.get(), other.get())),
            "csr: Is not signed with the key that it asks a certificate for");
  EXPECT_EQ(refusal(request_text(weak.get(), weak.get())),
            "csr: The request has an RSA key of 1024 bits; 2048 are needed");
}

TEST_F(IssuersTest, ListsAreRenewedLongBeforeTheyEndAndOnce) {
  open();
  Authority authority(*store, clock);
  Authority another(*store, clock);
  revoke(authority, issue(authority, 20 * day).certificate_pem);
  const auto lasting = issue(authority, year).certificate_pem;
  revoke(authority, lasting);
  const Issuer first = issuers().front();
  clock.advance(29 * day);
  authority.maintain();
  EXPECT_EQ(issuers().front().crl_number, first.crl_number);
  clock.advance(2 * day);
  authority.maintain();
  another.maintain();
  const Issuer second = issuers().front();
  EXPECT_EQ(second.crl_number, first.crl_number + 1);
  EXPECT_EQ(second.crl_next_update, clock.now() + 90 * day);
  EXPECT_EQ(verify(lasting, second, second.crl_next_update - 1s), X509_V_ERR_CERT_REVOKED);
  EXPECT_EQ(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list_of(second).get())), 2);
  clock.advance(110 * day);  // the first one expired more than a list's life ago
  authority.maintain();
  EXPECT_EQ(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list_of(issuers().front()).get())), 1);
}

// Clients refuse a list that is still to begin, and with it everybody.
TEST_F(IssuersTest, AListOfAClockThatWentBackIsSignedAnew) {
  open();
  Authority authority(*store, clock);
  clock.advance(20 * day);
  revoke(authority, issue(authority, 90 * day).certificate_pem);
  const Issuer ahead = issuers().front();
  clock.advance(-std::chrono::minutes(4));
  authority.maintain();
  EXPECT_EQ(issuers().front().crl_number, ahead.crl_number) << "it has begun";
  clock.advance(-20 * day);
  authority.maintain();
  const Issuer today = issuers().front();
  EXPECT_EQ(today.crl_number, ahead.crl_number + 1);
  EXPECT_EQ(today.crl_next_update, clock.now() + 90 * day);
  EXPECT_EQ(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list_of(today).get())), 1);
}

TEST_F(IssuersTest, TheFormBeforeIsTakenOver) {
  open();
  const Key key = new_key(Curve::P384);
  const auto certificate = openssl::issue({.purpose = Purpose::Authority,
                                           .common_name = "MarchProxy authority old",
                                           .names = {},
                                           .not_before = start,
                                           .not_after = start + 10 * year},
                                          key.get(), nullptr, key.get());
  const std::string sealed = store->seal(to_pem(certificate.get()) + to_pem(key.get()));
  store->write(somebody, [&](Writer& db) {
    db.execute("INSERT INTO meta (key, value) VALUES ('authority', :value)", {{"value", sealed}});
  });
  const Authority authority(*store, clock);
  const auto all = issuers();
  ASSERT_THAT(all, SizeIs(2)) << "it has too little time left to issue for ten years";
  EXPECT_EQ(all[0].certificate_pem, to_pem(certificate.get()));
  EXPECT_EQ(verify(issue(authority, day).certificate_pem, all[0], start), X509_V_OK);
  store->read([&](Reader& db) {
    EXPECT_THAT(db.query("SELECT 1 FROM meta WHERE key = 'authority'", {}, {Column::Integer}),
                IsEmpty());
  });
}

}  // namespace
}  // namespace mp
