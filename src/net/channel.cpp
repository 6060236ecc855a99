#include "net/channel.hpp"

#include <cerrno>

#include <sys/socket.h>
#include <sys/uio.h>

namespace mp::net {
namespace {

Moved outcome(ssize_t bytes, Transfer when_busy) {
  if (bytes > 0) return {Transfer::Done, static_cast<std::size_t>(bytes)};
  if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return {when_busy};
  return {Transfer::Lost};
}

class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(int socket) : socket_(socket) {}

  Transfer open() override { return Transfer::Done; }
  Moved read(std::span<char> into) override {
    return outcome(::recv(socket_, into.data(), into.size(), 0), Transfer::WantRead);
  }
  Moved write(std::span<const iovec> parts) override {
    if (parts.size() == 1)  // of most
      return outcome(::send(socket_, parts.front().iov_base, parts.front().iov_len, MSG_NOSIGNAL),
                     Transfer::WantWrite);
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());  // sendmsg writes to none of it
    message.msg_iovlen = parts.size();
    return outcome(::sendmsg(socket_, &message, MSG_NOSIGNAL), Transfer::WantWrite);
  }
  void end_sending() override { ::shutdown(socket_, SHUT_WR); }
  bool may_hold_input() const override { return false; }

 private:
  int socket_;
};

}  // namespace

std::unique_ptr<Channel> plain_channel(int socket) {
  return std::make_unique<PlainChannel>(socket);
}

}  // namespace mp::net
