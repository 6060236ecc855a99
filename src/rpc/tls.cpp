#include "rpc/tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include <sys/socket.h>
#include <sys/uio.h>

namespace mp::rpc {
namespace {

struct Free {
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

constexpr unsigned char session_context[] = "marchproxy-xds";
constexpr unsigned char offered_protocols[] = "\x02h2";
constexpr std::string_view protocol = "h2";

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a client that left would end the process.
int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int send_bytes(BIO* bio, const char* bytes, int count) {
  BIO_clear_retry_flags(bio);
  const auto sent = ::send(socket_of(bio), bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int receive_bytes(BIO* bio, char* into, int space) {
  BIO_clear_retry_flags(bio);
  const auto received = ::recv(socket_of(bio), into, static_cast<std::size_t>(space), 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(received);
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* socket_method() {
  static const Owned<BIO_METHOD> method = [] {
    Owned<BIO_METHOD> made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
    if (!made) throw std::bad_alloc();
    BIO_meth_set_write(made.get(), send_bytes);
    BIO_meth_set_read(made.get(), receive_bytes);
    BIO_meth_set_ctrl(made.get(), control);
    return made;
  }();
  return method.get();
}

// RFC 7301: gRPC speaks HTTP/2 only.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length,
                    const unsigned char* offered, unsigned int offered_length, void*) {
  for (std::size_t at = 0; at < offered_length; at += offered[at] + 1U) {
    const std::string_view name(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
    if (name != protocol) continue;
    *chosen = offered + at + 1;
    *length = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

class TlsChannel final : public Channel {
 public:
  TlsChannel(SSL_CTX* context, int socket, const std::string& server_name)
      : session_(SSL_new(context)), socket_(socket) {
    BIO* bio = session_ ? BIO_new(socket_method()) : nullptr;
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
    BIO_set_init(bio, 1);
    SSL_set_bio(session_.get(), bio, bio);
    if (server_name.empty()) {
      SSL_set_accept_state(session_.get());
      return;
    }
    SSL_set_connect_state(session_.get());
    SSL_set_tlsext_host_name(session_.get(), server_name.c_str());
    if (SSL_set1_host(session_.get(), server_name.c_str()) != 1) throw std::bad_alloc();
  }

  // OpenSSL judges by what is in the thread's list of errors: it must be empty before each step.
  Transfer open() override {
    ERR_clear_error();
    const Transfer done = result(SSL_do_handshake(session_.get()));
    if (done != Transfer::Done) return done;
    const unsigned char* name = nullptr;
    unsigned int length = 0;
    SSL_get0_alpn_selected(session_.get(), &name, &length);
    const std::string_view chosen(reinterpret_cast<const char*>(name), length);
    return chosen == protocol ? Transfer::Done : Transfer::Lost;
  }

  Moved read(std::span<char> into) override {
    std::size_t count = 0;
    ERR_clear_error();
    const auto done = result(SSL_read_ex(session_.get(), into.data(), into.size(), &count));
    return {done, count};
  }

  Moved write(std::span<const iovec> parts) override {
    std::size_t count = 0;
    ERR_clear_error();
    const auto done =
        result(SSL_write_ex(session_.get(), parts.front().iov_base, parts.front().iov_len, &count));
    return {done, count};
  }

  void end_sending() override {
    // After an error OpenSSL must not be asked to say goodbye.
    ERR_clear_error();
    if (!broken_) SSL_shutdown(session_.get());
    ::shutdown(socket_, SHUT_WR);
  }

  bool keeps_input() const override { return true; }

 private:
  Transfer result(int returned) {
    if (returned == 1) return Transfer::Done;
    const int error = SSL_get_error(session_.get(), returned);
    if (error == SSL_ERROR_WANT_READ) return Transfer::WantRead;
    if (error == SSL_ERROR_WANT_WRITE) return Transfer::WantWrite;
    broken_ = error != SSL_ERROR_ZERO_RETURN;
    return Transfer::Lost;
  }

  Owned<SSL> session_;
  int socket_;
  bool broken_ = false;
};

Owned<BIO> reader(std::string_view pem) {
  Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) throw std::bad_alloc();
  return bio;
}

[[noreturn]] void refuse(const std::string& what) {
  ERR_clear_error();
  throw std::runtime_error(what + " does not parse, or does not fit");
}

std::shared_ptr<SSL_CTX> make_context(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
  SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  return context;
}

// Every certificate of the text is an authority that is trusted.
void trust(SSL_CTX* context, const std::string& pem, const std::string& what) {
  const auto bio = reader(pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (const Owned<X509> each{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(store, each.get()) != 1) refuse(what);
    if (SSL_CTX_add_client_CA(context, each.get()) != 1) refuse(what);
    ++count;
  }
  if (count == 0) refuse(what);
  ERR_clear_error();  // the end of the text
}

void show_certificate(SSL_CTX* context, const ServerTls& files) {
  const auto chain = reader(files.certificate_pem);
  const Owned<X509> own{PEM_read_bio_X509_AUX(chain.get(), nullptr, nullptr, nullptr)};
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) refuse("the certificate");
  while (X509* issuer = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, issuer) == 1) continue;
    X509_free(issuer);
    refuse("the certificate's chain");
  }
  ERR_clear_error();
  const auto bio = reader(files.key_pem.reveal());
  const Owned<EVP_PKEY> key{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)};
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) refuse("the key");
}

}  // namespace

Tls::Tls(const ServerTls& server) : context_(make_context(TLS_server_method())) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  show_certificate(context, server);
  if (server.client_ca_pem.empty()) return;
  trust(context, server.client_ca_pem, "the clients' authority");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

Tls::Tls(const ClientTls& client)
    : context_(make_context(TLS_client_method())), server_name_(client.server_name) {
  if (server_name_.empty()) throw std::runtime_error("the server's name is missing");
  trust(context_.get(), client.ca_pem, "the server's authority");
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context_.get(), offered_protocols, sizeof offered_protocols - 1);
}

Tls::~Tls() = default;

std::unique_ptr<Channel> Tls::channel(int socket) const {
  return std::make_unique<TlsChannel>(context_.get(), socket, server_name_);
}

}  // namespace mp::rpc
