// TLS of the server, with a certificate made on the spot.
#include "net/test_certificate.hpp"
#include "xds/server_fixture.hpp"

namespace mp::xds {
namespace {

struct TlsTest : ServerTest {
  const ServerTls tls = net::self_signed();
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
  const ServerTls next = net::self_signed();
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
