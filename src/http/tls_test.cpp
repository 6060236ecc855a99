// The server behind TLS, asked by OpenSSL's client.
#include "http/server.hpp"

#include "http/test_client.hpp"
#include "net/test_certificate.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>

namespace mp::http {
namespace {

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};
template <class Type>
using Owned = std::unique_ptr<Type, Free>;

// A fresh self-signed certificate in files of its own.
class TlsServer : public testing::Test {
 protected:
  TlsServer() {
    std::string pattern = testing::TempDir() + "tlsXXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    options_.certificate = folder_ / "certificate.pem";
    options_.key = folder_ / "key.pem";
    write_pair();
  }
  ~TlsServer() override { std::filesystem::remove_all(folder_); }

  void write_pair() const {
    const net::ServerTls pair = net::self_signed();
    std::ofstream(options_.certificate) << pair.certificate_pem;
    std::ofstream(options_.key) << pair.key_pem.reveal();
  }

  std::string start_failure() {
    TestHandler handler;
    Server server(TestServer::local(options_), handler);
    try {
      server.start();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it starts";
  }

  std::filesystem::path folder_;
  ServerOptions options_;
};

class TlsClient final : public Client {
 public:
  explicit TlsClient(std::uint16_t port) : Client(port) {}
  ~TlsClient() override {
    if (session_) SSL_shutdown(session_.get());
  }

  void allow_up_to(int version) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
  }
  void offer(std::string_view protocols) {
    SSL_CTX_set_alpn_protos(context_.get(),
                            reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
  }
  bool shake_hands() {
    session_.reset(SSL_new(context_.get()));
    SSL_set_fd(session_.get(), socket());
    return SSL_connect(session_.get()) == 1;
  }
  std::string_view protocol() const {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(session_.get(), &name, &length);
    return {reinterpret_cast<const char*>(name), length};
  }
  // The server's certificate, DER.
  std::string certificate() const {
    const Owned<X509> peer(SSL_get1_peer_certificate(session_.get()));
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(peer.get(), &bytes);
    std::string text(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(std::max(size, 0)));
    OPENSSL_free(bytes);
    return text;
  }
  // Whether the server said goodbye, so that nobody can cut an answer unseen.
  bool was_ended() const { return (SSL_get_shutdown(session_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

 private:
  ssize_t put(std::string_view bytes) override {
    return SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
  }
  ssize_t get(char* into, std::size_t space) override {
    return SSL_read(session_.get(), into, static_cast<int>(space));
  }

  Owned<SSL_CTX> context_{SSL_CTX_new(TLS_client_method())};
  Owned<SSL> session_;
};

TEST_F(TlsServer, answers_and_keeps_the_connection) {
  TestServer test(options_);
  bool secure = false;
  test.handler.action = [&](Request request, Answer answer) {
    secure = request.secure;
    answer({.status = 200, .headers = {}, .body = request.target});
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(test.server.port());
    client.allow_up_to(version);
    ASSERT_TRUE(client.shake_hands());
    EXPECT_EQ(client.ask(get("/1")).body, "/1");
    EXPECT_TRUE(secure);
    client.send(get("/2") + get("/3", "Connection: close\r\n"));
    EXPECT_EQ(client.read_reply().body, "/2");
    EXPECT_EQ(client.read_reply().body, "/3");
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(client.was_ended());
  }
}

TEST_F(TlsServer, answers_all_records_that_came_together) {
  TestServer test(options_);
  std::promise<void> sent;
  test.handler.action = [all = sent.get_future().share()](Request request, Answer answer) {
    all.wait_for(patience);  // no other thread could read what comes meanwhile
    answer({.status = 200, .headers = {}, .body = request.target});
  };
  TlsClient client(test.server.port());
  ASSERT_TRUE(client.shake_hands());
  for (const char* target : {"/1", "/2", "/3", "/4"}) client.send(get(target));
  sent.set_value();
  for (const char* target : {"/1", "/2", "/3", "/4"}) EXPECT_EQ(client.read_reply().body, target);
}

TEST_F(TlsServer, moves_large_bodies_both_ways) {
  TestServer test(options_);
  const std::string large(3 * 1024 * 1024, 'x');
  TlsClient client(test.server.port());
  ASSERT_TRUE(client.shake_hands());
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(client.ask(post(large)).body.size(), large.size() + std::string_view("POST ").size());
  }
}

TEST_F(TlsServer, speaks_http_1_1_and_says_so) {
  TestServer test(options_);
  using namespace std::string_view_literals;
  TlsClient both(test.server.port());
  both.offer("\x02h2\x08http/1.1"sv);
  ASSERT_TRUE(both.shake_hands());
  EXPECT_EQ(both.protocol(), "http/1.1");
  TlsClient other(test.server.port());
  other.offer("\x02h2"sv);
  EXPECT_FALSE(other.shake_hands());
}

TEST_F(TlsServer, refuses_versions_before_1_2) {
  TestServer test(options_);
  TlsClient client(test.server.port());
  client.allow_up_to(TLS1_1_VERSION);
  EXPECT_FALSE(client.shake_hands());
}

TEST_F(TlsServer, cuts_who_does_not_shake_hands) {
  options_.header_timeout = Milliseconds{60};
  TestServer test(options_);
  EXPECT_EQ(Client(test.server.port()).read_to_end(), "");
  Client plain(test.server.port());
  plain.send(get("/"));
  EXPECT_EQ(plain.read_to_end().find("HTTP/1.1 200"), std::string::npos);
}

TEST_F(TlsServer, answers_a_body_that_is_too_large_while_it_still_comes) {
  options_.body_limit = 1000;
  TestServer test(options_);
  TlsClient client(test.server.port());
  ASSERT_TRUE(client.shake_hands());
  EXPECT_TRUE(client.send(post(std::string(16 * 1024 * 1024, 'x'))));
  EXPECT_EQ(client.read_reply().body, "POST ");
}

TEST_F(TlsServer, stops_without_waiting_for_the_rest_of_a_request) {
  TestServer test(options_);
  TlsClient idle(test.server.port()), request(test.server.port()), record(test.server.port());
  for (TlsClient* client : {&idle, &request, &record}) {
    ASSERT_TRUE(client->shake_hands());
    ASSERT_EQ(client->ask(get("/")).status, 200);
  }
  request.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
  ASSERT_EQ(::send(record.socket(), "\x17\x03\x03\x01\x00half", 9, 0), 9);
  const auto begin = std::chrono::steady_clock::now();
  test.server.stop(patience);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, patience / 2);
}

TEST_F(TlsServer, says_what_is_wrong_with_its_files) {
  const auto certificate = options_.certificate;
  const auto key = options_.key;
  options_.key = "";
  EXPECT_EQ(start_failure(), "tls.certificate and tls.key: one is set without the other");
  options_.key = folder_ / "none.pem";
  EXPECT_EQ(start_failure(),
            "tls.key: cannot load " + options_.key + ": No such file or directory");
  options_.key = key;
  options_.certificate = folder_ / "none.pem";
  EXPECT_EQ(start_failure(),
            "tls.certificate: cannot load " + options_.certificate + ": No such file or directory");
  options_.certificate = certificate;
  std::filesystem::copy(certificate, folder_ / "other.pem");
  write_pair();
  options_.certificate = folder_ / "other.pem";
  EXPECT_EQ(start_failure(), "tls.key: cannot load " + key + ": key values mismatch");
}

TEST_F(TlsServer, takes_new_files_for_the_connections_that_come) {
  TestServer test(options_);
  test.handler.action = [](Request request, Answer answer) { answer({.body = request.target}); };
  TlsClient old(test.server.port());
  ASSERT_TRUE(old.shake_hands());
  const std::string first = old.certificate();
  write_pair();
  test.server.renew_certificate();
  TlsClient next(test.server.port());
  ASSERT_TRUE(next.shake_hands());
  const std::string second = next.certificate();
  EXPECT_NE(second, first);
  EXPECT_EQ(old.ask(get("/old")).body, "/old");
  std::filesystem::remove(options_.key);
  EXPECT_THROW(test.server.renew_certificate(), std::runtime_error);
  TlsClient last(test.server.port());
  ASSERT_TRUE(last.shake_hands());
  EXPECT_EQ(last.certificate(), second);
}

}  // namespace
}  // namespace mp::http
