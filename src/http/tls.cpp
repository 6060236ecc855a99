#include "http/channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <stdexcept>

#include <sys/socket.h>

namespace mp::http {

namespace {

struct Free {
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

constexpr std::string_view protocol = "http/1.1";
constexpr unsigned char session_context[] = "marchproxy";

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a client that left would end the process.
int send_bytes(BIO* bio, const char* bytes, int count) {
  BIO_clear_retry_flags(bio);
  const int socket = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  const auto sent = ::send(socket, bytes, count, MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int receive_bytes(BIO* bio, char* into, int space) {
  BIO_clear_retry_flags(bio);
  const int socket = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  const auto received = ::recv(socket, into, space, 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(received);
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

// RFC 7301: a client that offers protocols must offer ours.
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

std::string first_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code))
    return std::string(": ") + std::generic_category().message(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "" : std::string(": ") + reason;
}

BIO_METHOD* socket_method() {
  static const std::unique_ptr<BIO_METHOD, Free> method = [] {
    std::unique_ptr<BIO_METHOD, Free> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
    if (!made) throw std::bad_alloc();
    BIO_meth_set_write(made.get(), send_bytes);
    BIO_meth_set_read(made.get(), receive_bytes);
    BIO_meth_set_ctrl(made.get(), control);
    return made;
  }();
  return method.get();
}

class TlsChannel final : public Channel {
 public:
  TlsChannel(SSL_CTX* context, int socket) : session_(SSL_new(context)) {
    BIO* bio = session_ ? BIO_new(socket_method()) : nullptr;
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
    BIO_set_init(bio, 1);
    SSL_set_bio(session_.get(), bio, bio);
    SSL_set_accept_state(session_.get());
  }

  Transfer open() override { return result(SSL_do_handshake(session_.get())); }

  Moved read(std::span<char> into) override {
    std::size_t count = 0;
    const auto done = result(SSL_read_ex(session_.get(), into.data(), into.size(), &count));
    return {done, count};
  }

  Moved write(std::string_view bytes) override {
    std::size_t count = 0;
    const auto done = result(SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &count));
    return {done, count};
  }

  void end_sending() override {
    // After an error OpenSSL must not be asked to say goodbye.
    if (!broken_) SSL_shutdown(session_.get());
    ERR_clear_error();
    ::shutdown(static_cast<int>(
                   reinterpret_cast<std::intptr_t>(BIO_get_data(SSL_get_wbio(session_.get())))),
               SHUT_WR);
  }

  bool holds_input() const override { return SSL_has_pending(session_.get()) == 1; }

 private:
  Transfer result(int returned) {
    if (returned == 1) return Transfer::Done;
    const int error = SSL_get_error(session_.get(), returned);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) return Transfer::WantRead;
    if (error == SSL_ERROR_WANT_WRITE) return Transfer::WantWrite;
    broken_ = error != SSL_ERROR_ZERO_RETURN;
    return Transfer::Lost;
  }

  std::unique_ptr<SSL, Free> session_;
  bool broken_ = false;
};

}  // namespace

struct Tls::Context {
  Context(const std::string& certificate, const std::string& key);
  std::unique_ptr<SSL_CTX, Free> settings{SSL_CTX_new(TLS_server_method())};
};

Tls::Context::Context(const std::string& certificate, const std::string& key) {
  if (!settings) throw std::bad_alloc();
  SSL_CTX* context = settings.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);

  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    throw std::runtime_error("tls.certificate: cannot load " + certificate + first_error());
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("tls.key: cannot load " + key + first_error());
  }
}

Tls::Tls(const std::string& certificate, const std::string& key)
    : certificate_(certificate),
      key_(key),
      context_(std::make_shared<const Context>(certificate, key)) {}

Tls::~Tls() = default;

void Tls::renew() {
  auto next = std::make_shared<const Context>(certificate_, key_);
  const std::lock_guard lock(mutex_);
  context_ = std::move(next);
}

std::unique_ptr<Channel> Tls::channel(int socket) const {
  const std::lock_guard lock(mutex_);
  return std::make_unique<TlsChannel>(context_->settings.get(), socket);
}

}  // namespace mp::http
