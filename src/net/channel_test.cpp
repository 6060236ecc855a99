// Channels over a pair of sockets, stepped by hand.
#include "net/channel.hpp"

#include "net/test_certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace mp::net {
namespace {

struct ChannelTest : testing::Test {
  ChannelTest() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()), 0);
  }
  ~ChannelTest() override {
    for (const int socket : sockets) ::close(socket);
  }

  ClientTls trusting() const { return {.ca_pem = pair.certificate_pem, .server_name = "xds.test"}; }
  void be_plain() {
    server = plain_channel(sockets[0]);
    client = plain_channel(sockets[1]);
  }
  // Whether both ends are open in the end.
  bool shake_hands(const Protocol& ours = http2, const Protocol& theirs = http2) {
    return shake_hands(Tls(pair, ours), theirs);
  }
  bool shake_hands(const Tls& ours, const Protocol& theirs) {
    server = ours.channel(sockets[0]);
    client = Tls(trusting(), theirs).channel(sockets[1]);
    Transfer one = Transfer::WantRead, other = Transfer::WantRead;
    for (int round = 0; round < 20; ++round) {
      if (other == Transfer::WantRead) other = client->open();
      if (one == Transfer::WantRead) one = server->open();
    }
    return one == Transfer::Done && other == Transfer::Done;
  }

  // Anything in OpenSSL, on this thread, may have left it.
  static void leave_an_error() { ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR); }
  static Moved write(Channel& channel, std::string_view bytes) {
    const iovec part{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
    return channel.write({&part, 1});
  }
  Moved read(Channel& channel) { return channel.read(space); }

  // Sends more than the sockets hold, each time from another place, while the other end reads.
  void carry_much() {
    const std::string sent(4u << 20, 'x');
    std::string heard;
    std::string kept;  // so that the next copy lies elsewhere
    bool was_full = false;
    for (std::size_t at = 0; heard.size() < sent.size();) {
      std::string copy = sent.substr(at, 64u << 10);
      const Moved moved = copy.empty() ? Moved{Transfer::WantWrite} : write(*server, copy);
      at += moved.bytes;
      if (moved.result == Transfer::Done) continue;
      ASSERT_EQ(moved.result, Transfer::WantWrite);
      was_full = was_full || !copy.empty();
      for (Moved came = read(*client); came.result == Transfer::Done; came = read(*client))
        heard.append(space.data(), came.bytes);
      kept = std::move(copy);
    }
    EXPECT_TRUE(was_full);
    EXPECT_TRUE(heard == sent);
  }

  const ServerTls pair = self_signed();
  std::array<int, 2> sockets{};
  std::array<char, 32u << 10> space{};
  std::unique_ptr<Channel> server, client;
};

TEST_F(ChannelTest, PlainCarriesWhatTheSocketTakes) {
  be_plain();
  EXPECT_EQ(read(*client).result, Transfer::WantRead);
  carry_much();
}

TEST_F(ChannelTest, TlsCarriesWhatTheSocketTakes) {
  ASSERT_TRUE(shake_hands());
  EXPECT_EQ(read(*client).result, Transfer::WantRead);
  carry_much();
}

TEST_F(ChannelTest, WhoEndsSendingIsStillHeard) {
  for (const bool within_tls : {false, true}) {
    if (within_tls) {
      ASSERT_TRUE(shake_hands());
    } else {
      be_plain();
    }
    ASSERT_EQ(write(*client, "last words").bytes, 10u);
    EXPECT_EQ(read(*server).bytes, 10u);
    EXPECT_EQ(write(*server, "I heard").bytes, 7u);
    server->end_sending();
    EXPECT_EQ(read(*client).bytes, 7u);
    EXPECT_EQ(read(*client).result, Transfer::Lost);
    EXPECT_EQ(write(*client, "and I").bytes, 5u);
    EXPECT_EQ(read(*server).bytes, 5u);
    for (int& socket : sockets) ::close(socket);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()), 0);
  }
}

// The signal SIGPIPE would end the test.
TEST_F(ChannelTest, WhoLeftIsLost) {
  be_plain();
  ::shutdown(sockets[1], SHUT_RDWR);
  EXPECT_EQ(write(*server, "x").result, Transfer::Lost);
}

TEST_F(ChannelTest, WhoLeftWithinTlsIsLost) {
  ASSERT_TRUE(shake_hands());
  ::shutdown(sockets[1], SHUT_RDWR);
  EXPECT_EQ(write(*server, "x").result, Transfer::Lost);
  server->end_sending();
}

TEST_F(ChannelTest, ErrorsOfOthersAreNotItsOwn) {
  server = Tls(pair, http1).channel(sockets[0]);
  leave_an_error();
  EXPECT_EQ(server->open(), Transfer::WantRead);
  ASSERT_TRUE(shake_hands());
  leave_an_error();
  EXPECT_EQ(read(*server).result, Transfer::WantRead);
  Moved moved{Transfer::Done};
  const std::string much(16u << 10, 'x');
  while (moved.result == Transfer::Done) {
    leave_an_error();
    moved = write(*server, much);
  }
  EXPECT_EQ(moved.result, Transfer::WantWrite);
}

TEST_F(ChannelTest, LeavesNoErrorsToOthers) {
  ASSERT_TRUE(shake_hands());
  ASSERT_EQ(::send(sockets[1], "this is no record", 17, 0), 17);
  EXPECT_EQ(read(*server).result, Transfer::Lost);
  EXPECT_EQ(ERR_peek_error(), 0u);
  server->end_sending();
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_F(ChannelTest, ReadsARecordWhole) {
  ASSERT_TRUE(shake_hands());
  const std::string whole(16u << 10, 'x');
  ASSERT_EQ(write(*client, whole).bytes, whole.size());
  ASSERT_EQ(write(*client, "next").bytes, 4u);
  EXPECT_EQ(read(*server).bytes, whole.size());
  char byte = 0;
  EXPECT_EQ(::recv(sockets[0], &byte, 1, MSG_PEEK), 1) << "the next one is left in the socket";
  EXPECT_EQ(read(*server).bytes, 4u);
}

TEST_F(ChannelTest, TheSameProtocolIsTaken) { EXPECT_TRUE(shake_hands(http1, http1)); }

TEST_F(ChannelTest, AnotherProtocolIsRefused) { EXPECT_FALSE(shake_hands(http2, http1)); }

// As a pair of files is for a moment while both are replaced by a pair of another kind.
TEST_F(ChannelTest, AKeyOfAnotherKindIsRefusedAndChangesNothing) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
      EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free};
  ServerTls mixed = pair;
  mixed.key_pem = Secret{pem_text([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  })};
  EXPECT_THROW(Tls(mixed, http2), std::runtime_error);
  ClientTls shown = trusting();
  shown.certificate_pem = mixed.certificate_pem;
  shown.key_pem = mixed.key_pem;
  EXPECT_THROW(Tls(shown, http2), std::runtime_error);
  Tls tls(pair, http2);
  EXPECT_THROW(tls.renew(mixed), std::runtime_error);
  EXPECT_TRUE(shake_hands(tls, http2));
}

TEST_F(ChannelTest, NothingOfAChainIsLeftOut) {
  const auto fault = [](const ServerTls& broken, const Titles& titles = {}) -> std::string {
    try {
      const Tls tls(broken, http1, titles);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  const ServerTls other = self_signed();
  ServerTls chain = pair;
  chain.certificate_pem += other.certificate_pem + "and a word\n";
  EXPECT_EQ(fault(chain), "");
  chain.certificate_pem += "-----BEGIN CERTIFICATE-----\nAAAA\n";
  EXPECT_EQ(fault(chain), "the certificate: bad end line");
  EXPECT_EQ(fault(chain, {.certificate = "chain.pem"}), "chain.pem: bad end line");
  ServerTls mixed = pair;
  mixed.key_pem = other.key_pem;
  EXPECT_EQ(fault(mixed), "the key: key values mismatch");
  ServerTls without = pair;
  without.client_ca_pem = "none";
  EXPECT_EQ(fault(without), "the clients' authority: no start line");
}

}  // namespace
}  // namespace mp::net
