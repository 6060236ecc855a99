#include "net/tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <sys/uio.h>

namespace mp::net {
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

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length,
                    const unsigned char* offered, unsigned int offered_length, void* name) {
  const auto* ours = static_cast<const unsigned char*>(name);
  const int outcome = SSL_select_next_proto(const_cast<unsigned char**>(chosen), length, ours,
                                            ours[0] + 1U, offered, offered_length);
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

class TlsChannel final : public Channel {
 public:
  TlsChannel(SSL_CTX* context, int socket, const Protocol& protocol, const std::string& server_name)
      : session_(SSL_new(context)), socket_(socket), protocol_(protocol) {
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
    // An address is no name: it is looked for elsewhere in the certificate, and never asked for.
    X509_VERIFY_PARAM* expected = SSL_get0_param(session_.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(expected, server_name.c_str()) == 1) return;
    SSL_set_tlsext_host_name(session_.get(), server_name.c_str());
    if (SSL_set1_host(session_.get(), server_name.c_str()) != 1) throw std::bad_alloc();
  }

  Transfer open() override {
    const auto done = step([this] { return SSL_do_handshake(session_.get()); });
    if (done != Transfer::Done || protocol_.naming == Protocol::Naming::Optional) return done;
    const unsigned char* name = nullptr;
    unsigned int length = 0;
    SSL_get0_alpn_selected(session_.get(), &name, &length);
    const std::string_view chosen(reinterpret_cast<const char*>(name), length);
    return chosen == protocol_.name + 1 ? Transfer::Done : Transfer::Lost;
  }

  Moved read(std::span<char> into) override {
    std::size_t count = 0;
    const auto done =
        step([&] { return SSL_read_ex(session_.get(), into.data(), into.size(), &count); });
    return {done, count};
  }

  Moved write(std::span<const iovec> parts) override {
    const iovec& first = parts.front();
    std::size_t count = 0;
    const auto done =
        step([&] { return SSL_write_ex(session_.get(), first.iov_base, first.iov_len, &count); });
    return {done, count};
  }

  void end_sending() override {
    // After an error OpenSSL must not be asked to say goodbye.
    if (!broken_) SSL_shutdown(session_.get());
    ERR_clear_error();
    ::shutdown(socket_, SHUT_WR);
  }

  bool may_hold_input() const override { return true; }

 private:
  // OpenSSL judges by what is in the thread's list of errors: it must be empty before each step.
  template <class Step>
  Transfer step(Step take) {
    ERR_clear_error();
    const int returned = take();
    if (returned == 1) return Transfer::Done;
    const int error = SSL_get_error(session_.get(), returned);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) return Transfer::WantRead;
    if (error == SSL_ERROR_WANT_WRITE) return Transfer::WantWrite;
    broken_ = error != SSL_ERROR_ZERO_RETURN;
    return Transfer::Lost;
  }

  Owned<SSL> session_;
  int socket_;
  Protocol protocol_;
  bool broken_ = false;
};

Owned<BIO> reader(std::string_view pem) {
  Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) throw std::bad_alloc();
  return bio;
}

[[noreturn]] void refuse(const std::string& what) {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  throw std::runtime_error(what + ": " + (reason == nullptr ? "it does not fit" : reason));
}

// All of the text, which must have one.
std::vector<Owned<X509>> certificates(std::string_view pem, const std::string& what) {
  ERR_clear_error();
  const auto bio = reader(pem);
  std::vector<Owned<X509>> all;
  while (X509* next = PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr))
    all.emplace_back(next);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (all.empty() || !at_end) refuse(what);
  ERR_clear_error();
  return all;
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

void trust(SSL_CTX* context, std::string_view pem, const std::string& what) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const auto& each : certificates(pem, what)) {
    if (X509_STORE_add_cert(store, each.get()) != 1) refuse(what);
    if (SSL_CTX_add_client_CA(context, each.get()) != 1) refuse(what);
  }
}

void show_certificate(SSL_CTX* context, std::string_view pem, const Secret& key_pem,
                      const Titles& titles) {
  const auto chain = certificates(pem, titles.certificate);
  bool used = SSL_CTX_use_certificate(context, chain.front().get()) == 1;
  for (std::size_t at = 1; used && at < chain.size(); ++at)
    used = SSL_CTX_add1_chain_cert(context, chain[at].get()) == 1;
  if (!used) refuse(titles.certificate);
  const auto bio = reader(key_pem.reveal());
  const Owned<EVP_PKEY> key{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)};
  // The context compares a key only with a certificate of the key's own kind.
  if (!key || X509_check_private_key(chain.front().get(), key.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    refuse(titles.key);
}

std::shared_ptr<SSL_CTX> make_context(const ServerTls& server, const Protocol& protocol,
                                      const Titles& titles) {
  auto made = make_context(TLS_server_method());
  SSL_CTX* context = made.get();
  const auto* name = reinterpret_cast<const unsigned char*>(protocol.name);
  SSL_CTX_set_session_id_context(context, name + 1, name[0]);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, const_cast<char*>(protocol.name));
  show_certificate(context, server.certificate_pem, server.key_pem, titles);
  if (server.client_ca_pem.empty()) return made;
  trust(context, server.client_ca_pem, "the clients' authority");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return made;
}

std::shared_ptr<SSL_CTX> make_context(const ClientTls& client, const Protocol& protocol) {
  if (client.server_name.empty()) throw std::runtime_error("the server's name is missing");
  auto made = make_context(TLS_client_method());
  trust(made.get(), client.ca_pem, "the server's authority");
  if (!client.certificate_pem.empty())
    show_certificate(made.get(), client.certificate_pem, client.key_pem,
                     {"the client's certificate", "the client's key"});
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
  const auto* name = reinterpret_cast<const unsigned char*>(protocol.name);
  SSL_CTX_set_alpn_protos(made.get(), name, name[0] + 1U);
  return made;
}

}  // namespace

Tls::Tls(const ServerTls& server, const Protocol& protocol, Titles titles)
    : protocol_(protocol),
      titles_(std::move(titles)),
      context_(make_context(server, protocol_, titles_)) {}

Tls::Tls(const ClientTls& client, const Protocol& protocol)
    : protocol_(protocol),
      server_name_(client.server_name),
      context_(make_context(client, protocol_)) {}

Tls::~Tls() = default;

void Tls::renew(const ServerTls& server) {
  auto next = make_context(server, protocol_, titles_);
  const std::lock_guard lock(mutex_);
  context_.swap(next);
}

std::unique_ptr<Channel> Tls::channel(int socket) const {
  const auto context = [this] {
    const std::lock_guard lock(mutex_);
    return context_;
  }();
  return std::make_unique<TlsChannel>(context.get(), socket, protocol_, server_name_);
}

}  // namespace mp::net
