#include "http/connection.hpp"

#include "base/log.hpp"
#include "http/render.hpp"

#include <atomic>
#include <optional>
#include <utility>

#include <sys/uio.h>

namespace mp::http {

namespace {

using net::Transfer;
using SteadyClock = std::chrono::steady_clock;

// How long a client may go on sending after the last answer. Closing at once would reset the
// connection, and the client could lose an answer that it has not read yet (RFC 9112 9.6).
constexpr Milliseconds linger_timeout{2'000};

// Who is told 503 and writes again at once, where that costs less than what he asks for, would take
// the time of all others: his next 503 is held for this long, and up to a tick of the deadlines
// longer.
constexpr Milliseconds overload_hold{1'000};

// Bytes of a body that is sent together with others.
constexpr std::size_t most_together = 32 * 1024;

// Carries one Answer to its connection: at once inside Handler::handle, else through the loop's
// mailbox.
class Reply {
 public:
  Reply(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Connection> connection)
      : mailbox_(std::move(mailbox)), connection_(std::move(connection)) {}
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply() {
    if (!given_.exchange(true)) pass(std::nullopt);
  }

  void give(Response response) {
    if (!given_.exchange(true)) pass(std::move(response));
  }

 private:
  void pass(std::optional<Response> response) {
    if (mailbox_->is_loop_thread()) {
      const auto connection = connection_.lock();
      if (connection && connection->handing_over()) {
        return response ? connection->respond(std::move(*response)) : connection->give_up();
      }
    }
    mailbox_->put(std::move(connection_), std::move(response));
  }

  std::shared_ptr<Mailbox> mailbox_;
  std::weak_ptr<Connection> connection_;
  std::atomic<bool> given_{false};
};

}  // namespace

Response Site::refusal(int status, std::string_view message) const {
  if (options.refuse) return options.refuse(status, message);
  return {.status = status,
          .headers = {{"Content-Type", "text/plain"}},
          .body = std::string(message) + "\n"};
}

Connection::Connection(Loop& loop, const Site& site, Socket socket, std::string peer, Place place)
    : loop_(loop),
      site_(site),
      socket_(std::move(socket)),
      channel_(site.tls ? site.tls->channel(socket_.native_handle())
                        : net::plain_channel(socket_.native_handle())),
      peer_(std::move(peer)),
      place_(place),
      parser_({.header = site.options.header_limit, .body = site.options.body_limit}) {}

void Connection::start() {
  if (loop_.draining()) return close();
  if (place_ != Place::Inside) return turn_away();
  enter(Stage::Opening, site_.options.header_timeout);
  open();
}

void Connection::turn_away() {
  if (site_.tls) return close();  // a handshake is what there is no room for
  refuse({503, "Too many connections"});
}

void Connection::guarded(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    log::error("http: a connection failed", {{"error", error.what()}});
    close();
  }
}

void Connection::enter(Stage stage, Milliseconds timeout) {
  stage_ = stage;
  deadline_ = SteadyClock::now() + timeout;
}

void Connection::expire(SteadyClock::time_point now) {
  if (now < deadline_) return;
  if (stage_ != Stage::Holding) return close();
  guarded([this] { release(); });
}

// A request that is in the socket already, whole, will be answered; what comes later will not.
void Connection::drain() {
  if (stage_ == Stage::Opening) return close();
  if (stage_ == Stage::Holding) return release();
  if ((stage_ == Stage::Idle || stage_ == Stage::Reading) && !has_input()) close();
}

bool Connection::has_input() {
  boost::system::error_code error;
  return socket_.available(error) != 0;
}

void Connection::close() {
  if (stage_ == Stage::Closed) return;
  stage_ = Stage::Closed;
  boost::system::error_code ignored;
  socket_.close(ignored);
  loop_.remove(*this);
}

void Connection::wait(Transfer want) {
  const auto event = want == Transfer::WantWrite ? Socket::wait_write : Socket::wait_read;
  socket_.async_wait(event, [self = shared_from_this()](const boost::system::error_code& error) {
    if (error) return self->close();
    self->guarded([&self] { self->proceed(); });
  });
}

void Connection::proceed() {
  switch (stage_) {
    case Stage::Opening: return open();
    case Stage::Idle:
    case Stage::Reading: return receive();
    case Stage::Writing: return send(std::string_view(output_).substr(sent_));
    case Stage::Lingering: return linger();
    case Stage::Answering:
    case Stage::Holding:
    case Stage::Closed: return;
  }
}

void Connection::open() {
  const auto result = channel_->open();
  if (result == Transfer::Lost) return close();
  if (result != Transfer::Done) return wait(result);
  enter(Stage::Idle, site_.options.header_timeout);
  await_more();
}

void Connection::await_more() {
  if (loop_.draining() && !has_input()) return close();
  wait(Transfer::WantRead);  // the channel has nothing inside: see Channel::read
}

void Connection::receive() {
  const auto space = loop_.input();
  const auto moved = channel_->read(space);
  if (moved.result == Transfer::Lost) return close();
  if (moved.result != Transfer::Done) return loop_.draining() ? close() : wait(moved.result);
  const std::string_view arrived(space.data(), moved.bytes);
  if (!input_.empty()) {
    input_ += arrived;
    return serve_kept();
  }
  const auto rest = serve(arrived);
  if (stage_ == Stage::Closed) return;
  input_.assign(rest);
  go_on();
}

// What came before. A deep pipeline is not copied for each of its requests.
void Connection::serve_kept() {
  auto whole = std::exchange(input_, {});
  const auto rest = serve(std::string_view(whole).substr(used_));
  if (stage_ == Stage::Closed) return;
  used_ = rest.empty() ? 0 : whole.size() - rest.size();
  if (!rest.empty()) input_ = std::move(whole);
  go_on();
}

void Connection::go_on() {
  if (stage_ == Stage::Idle || stage_ == Stage::Reading) await_more();
}

// Reads and answers requests until bytes are missing, or until an answer must be waited for.
// The bytes that are left.
std::string_view Connection::serve(std::string_view bytes) {
  serving_ = true;
  while (serve_next(bytes)) {
  }
  serving_ = false;
  return bytes;
}

bool Connection::serve_next(std::string_view& bytes) {
  if (bytes.empty() || (stage_ != Stage::Idle && stage_ != Stage::Reading)) return false;
  const bool knew_header = parser_.header_complete();
  bytes.remove_prefix(parser_.feed(bytes));
  switch (parser_.progress()) {
    case Progress::NeedMore:
      if (parser_.header_complete() && !knew_header) {
        allow_body();
      } else if (stage_ == Stage::Idle) {
        enter(Stage::Reading, site_.options.header_timeout);
      }
      return false;
    case Progress::Refused: refuse(parser_.refusal()); return false;
    case Progress::TooLarge:
    case Progress::Complete: hand_over(); return true;
  }
  return false;
}

void Connection::allow_body() {
  enter(Stage::Reading, site_.options.body_timeout);
  if (!parser_.expects_continue()) return;
  // So few bytes go out at once, unless the client does not read its earlier answers.
  constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
  const auto moved = put(interim);
  if (moved.result != Transfer::Done || moved.bytes != interim.size()) close();
}

void Connection::hand_over() {
  keep_alive_ = parser_.progress() == Progress::Complete && parser_.keep_alive();
  old_version_ = parser_.old_version();
  Request request = parser_.take();
  without_body_ = request.method == "HEAD";
  reading_ = without_body_ || request.method == "GET";
  request.peer = peer_;
  request.secure = site_.tls != nullptr;
  stage_ = Stage::Answering;
  deadline_ = SteadyClock::time_point::max();  // the Handler's time is the Handler's
  handing_over_ = true;
  try {
    auto reply = std::make_shared<Reply>(loop_.mailbox(), weak_from_this());
    site_.handler.handle(std::move(request), [reply = std::move(reply)](Response response) {
      reply->give(std::move(response));
    });
  } catch (const std::exception& error) {
    log::error("http: a handler failed", {{"error", error.what()}});
    give_up();
  }
  handing_over_ = false;
}

void Connection::refuse(const Refusal& refusal) {
  stage_ = Stage::Answering;
  keep_alive_ = false;
  without_body_ = false;
  reading_ = true;
  respond(site_.refusal(refusal.status, refusal.message));
}

void Connection::give_up() {
  if (stage_ == Stage::Answering) respond(site_.refusal(500, "Internal server error"));
}

void Connection::respond(Response response) {
  if (stage_ != Stage::Answering) return;
  if (!well_formed(response)) {
    log::error("http: an answer with an impossible status or header was withheld",
               {{"status", std::to_string(response.status)}});
    response = Response{};
    response.status = 500;
  }
  if (response.status != 503 || reading_ || loop_.draining()) return write(response);
  const auto now = SteadyClock::now();
  if (now - refused_at_ < overload_hold) return hold(std::move(response));
  refused_at_ = now;
  write(response);
}

// No thread waits for it, nor does the connection read on.
void Connection::hold(Response response) {
  held_ = std::make_unique<Response>(std::move(response));
  enter(Stage::Holding, overload_hold);
}

// Without a deadline for the client to take it: that begins when it does not take all at once.
void Connection::release() {
  const auto response = std::move(held_);
  deadline_ = SteadyClock::time_point::max();
  refused_at_ = SteadyClock::now();
  write(*response);
}

void Connection::write(const Response& response) {
  if (loop_.draining()) keep_alive_ = false;
  const bool alone = response.body.size() > most_together;
  std::string own;
  auto& bytes = alone ? own : loop_.output();
  const auto begin = bytes.size();
  render(bytes, response,
         {.keep_alive = keep_alive_,
          .old_version = old_version_,
          .without_body = without_body_,
          .date = loop_.date()});
  stage_ = Stage::Writing;
  if (alone) return send(bytes);
  loop_.send_soon(shared_from_this(), begin);
}

void Connection::send_answer(std::string_view bytes) {
  if (stage_ == Stage::Writing) send(bytes);
}

void Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto moved = put(bytes);
    if (moved.result == Transfer::Lost) return close();
    if (moved.result != Transfer::Done) {
      keep(bytes);
      return wait(moved.result);
    }
    bytes.remove_prefix(moved.bytes);
  }
  std::string().swap(output_);
  finish();
}

net::Moved Connection::put(std::string_view bytes) {
  const iovec part{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  return channel_->write({&part, 1});
}

void Connection::keep(std::string_view unsent) {
  if (output_.empty()) {
    output_.assign(unsent);
    enter(Stage::Writing, site_.options.write_timeout);
  }
  sent_ = output_.size() - unsent.size();
}

void Connection::finish() {
  if (!keep_alive_) {
    enter(Stage::Lingering, linger_timeout);
    channel_->end_sending();
    return linger();
  }
  enter(Stage::Idle, site_.options.idle_timeout);
  if (serving_) return;  // serve() goes on
  serve_kept();
}

void Connection::linger() {
  const auto moved = channel_->read(loop_.input());
  if (moved.result == Transfer::Lost) return close();
  wait(moved.result == Transfer::Done ? Transfer::WantRead : moved.result);
}

}  // namespace mp::http
