// TLS of the server, with a certificate made on the spot.
#include "xds/server_fixture.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <functional>

namespace mp::xds {
namespace {

std::string text(const std::function<int(BIO*)>& write) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio{BIO_new(BIO_s_mem()), BIO_free};
  write(bio.get());
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

ServerTls self_signed() {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> certificate{X509_new(), X509_free};
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  auto* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  auto* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(certificate.get(), names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return {
      .certificate_pem = text([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); }),
      .key_pem = Secret{text([&](BIO* bio) {
        return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
      })},
      .client_ca_pem = {}};
}

struct TlsTest : ServerTest {
  const ServerTls tls = self_signed();
};

TEST_F(TlsTest, ShowsItsCertificate) {
  start(tls);
  TestClient client{
      grpc::CreateChannel(address(), grpc::SslCredentials({.pem_root_certs = tls.certificate_pem,
                                                           .pem_private_key = {},
                                                           .pem_cert_chain = {}})),
      "good"};
  enter(client, "p");
}

TEST_F(TlsTest, AsksForAClientCertificate) {
  ServerTls strict = tls;
  strict.client_ca_pem = tls.certificate_pem;
  start(strict);
  {
    TestClient without{
        grpc::CreateChannel(address(), grpc::SslCredentials({.pem_root_certs = tls.certificate_pem,
                                                             .pem_private_key = {},
                                                             .pem_cert_chain = {}})),
        "good"};
    without.send(ask(Type::Cluster, "p"));
    EXPECT_EQ(without.end().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
  TestClient with{
      grpc::CreateChannel(address(), grpc::SslCredentials({.pem_root_certs = tls.certificate_pem,
                                                           .pem_private_key = tls.key_pem.reveal(),
                                                           .pem_cert_chain = tls.certificate_pem})),
      "good"};
  enter(with, "p");
}

TEST_F(TlsTest, RenewsItsCertificateWhileItRuns) {
  const ServerTls next = self_signed();
  const auto trusting = [&](const ServerTls& trusted) {
    return grpc::CreateChannel(address(),
                               grpc::SslCredentials({.pem_root_certs = trusted.certificate_pem,
                                                     .pem_private_key = {},
                                                     .pem_cert_chain = {}}));
  };
  start(tls);
  TestClient before{trusting(tls), "good"};
  enter(before, "p");
  server->renew(next);
  TestClient after{trusting(next), "good"};
  enter(after, "q");
  TestClient late{trusting(tls), "good"};
  late.send(ask(Type::Cluster, "r"));
  EXPECT_EQ(late.end().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(status.get("p")->connected) << "streams go on";
}

TEST_F(TlsTest, FilesThatDoNotParseAreAnError) {
  EXPECT_THROW(
      start(ServerTls{.certificate_pem = "x", .key_pem = Secret{"y"}, .client_ca_pem = {}}), Error);
}

}  // namespace
}  // namespace mp::xds
