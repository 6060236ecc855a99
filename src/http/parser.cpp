// Beast 1.81 asserts what a client can break: a bare CR behind the last chunk's size, in pieces
// ("0", "\r", "5\r\n"). What it asserts is thrown here, and refused in feed().
#define BOOST_ENABLE_ASSERT_HANDLER

#include "http/parser.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace {

struct BrokenAssertion {};

}  // namespace

namespace boost {

void assertion_failed(const char*, const char*, const char*, long) { throw BrokenAssertion(); }
void assertion_failed_msg(const char*, const char*, const char*, const char*, long) {
  throw BrokenAssertion();
}

}  // namespace boost

namespace mp::http {

namespace beast = boost::beast;
using beast::http::field;
using Fault = beast::http::error;

namespace {

// More is reserved only when it arrives: a header alone must not cost the whole body's memory.
constexpr std::size_t body_reserve = 64 * 1024;
constexpr std::size_t usual_header_count = 12;
constexpr std::size_t field_overhead = 4;  // ": " and the line's end

std::string text(beast::string_view view) { return {view.data(), view.size()}; }

// The letters of RFC 3986 3.2.2 and a port: answers repeat it as an address.
bool is_host(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char letter) {
    return std::isalnum(letter) != 0 ||
           std::string_view("-._~%!$&'()*+,;=:[]").find(static_cast<char>(letter)) !=
               std::string_view::npos;
  });
}

// RFC 9112 3.2.2: "http://host/path" asks for "/path".
beast::string_view origin_form(beast::string_view target) {
  for (const beast::string_view scheme : {"http://", "https://"}) {
    if (!beast::iequals(target.substr(0, scheme.size()), scheme)) continue;
    const auto slash = target.find('/', scheme.size());
    return slash == beast::string_view::npos ? "/" : target.substr(slash);
  }
  return target;
}

// Beast's grammar, filling our Request. Beast bounds only the bytes it has not used yet, so the
// header's total is counted here.
class Message final : public beast::http::basic_parser<true> {
 public:
  explicit Message(Parser::Limits limits) : header_left_(limits.header) {
    eager(true);
    header_limit(static_cast<std::uint32_t>(limits.header));
    body_limit(limits.body);
  }

  Request request;
  int version = 11;
  bool expects_continue = false;
  bool unknown_coding = false;

 private:
  using Error = beast::error_code;

  void count(std::size_t bytes, Error& error) {
    if (bytes > header_left_) {
      error = Fault::header_limit;
      return;
    }
    header_left_ -= bytes;
  }

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int number, Error& error) override {
    count(method.size() + target.size() + field_overhead, error);
    version = number;
    request.method = text(method);
    request.target = text(origin_form(target));
    request.headers.reserve(usual_header_count);
  }

  void on_response_impl(int, beast::string_view, int, Error& error) override {
    error = Fault::bad_version;
  }

  void on_field_impl(field name, beast::string_view name_text, beast::string_view value,
                     Error& error) override {
    count(name_text.size() + value.size() + field_overhead, error);
    // RFC 9112 5.1: nothing stands before the colon, which follows the name in the buffer.
    if (*name_text.end() != ':') error = Fault::bad_field;
    // Trailers are dropped: nothing may add a field after the header was judged.
    if (error || header_seen_) return;
    if (name == field::host) {
      ++hosts_;
      if (!is_host(value)) error = Fault::bad_value;
    }
    if (name == field::expect) expects_continue = beast::iequals(value, "100-continue");
    if (name == field::transfer_encoding && !beast::iequals(value, "chunked"))
      unknown_coding = true;
    request.headers.emplace_back(text(name_text), text(value));
  }

  void on_header_impl(Error& error) override {
    header_seen_ = true;
    const bool host_right = version == 11 ? hosts_ == 1 : hosts_ <= 1;  // RFC 9112 3.2
    const bool old_chunked = version == 10 && chunked();                // RFC 9112 6.1
    if (!host_right || old_chunked) error = Fault::bad_value;
    if (unknown_coding) error = Fault::bad_transfer_encoding;
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, Error&) override {
    if (length) request.body.reserve(std::min<std::uint64_t>(*length, body_reserve));
  }

  std::size_t on_body_impl(beast::string_view bytes, Error&) override {
    request.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t, beast::string_view, Error&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, Error& error) override {
    return on_body_impl(bytes, error);
  }

  void on_finish_impl(Error&) override {}

  std::size_t header_left_;
  int hosts_ = 0;
  bool header_seen_ = false;
};

}  // namespace

struct Parser::Engine {
  std::optional<Message>
      message;  // Beast's parsers serve once, so each request gets a new one here
  beast::error_code error;

  // How many bytes it used.
  std::size_t put(std::string_view bytes) {
    try {
      return message->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    } catch (const BrokenAssertion&) {
      error = Fault::bad_chunk;
      return 0;
    }
  }
};

Parser::Parser(Limits limits) : limits_(limits), engine_(std::make_unique<Engine>()) {
  engine_->message.emplace(limits_);
}

Parser::~Parser() = default;

std::size_t Parser::feed(std::string_view bytes) {
  std::size_t used = 0;
  auto& message = *engine_->message;
  // RFC 9112 2.2: empty lines before a request are skipped.
  while (!message.got_some() && bytes.substr(used).starts_with("\r\n")) used += 2;
  const bool half_line = !message.got_some() && bytes.substr(used) == "\r";
  while (progress_ == Progress::NeedMore && used < bytes.size() && !half_line) {
    const auto rest = bytes.substr(used);
    const auto count = engine_->put(rest);
    used += count;
    judge(rest.size() - count);
    if (engine_->error == Fault::need_more) break;
  }
  return used;
}

void Parser::judge(std::size_t left) {
  const auto& error = engine_->error;
  // Beast calls a message without body done before its header is judged, so errors come first.
  if (error == Fault::need_more ? left >= limits_.header : error.failed()) {
    progress_ = error == Fault::body_limit ? Progress::TooLarge : Progress::Refused;
    refusal_ = {};
    if (error == Fault::header_limit) refusal_ = {431, "Request header too large"};
    if (engine_->message->unknown_coding) refusal_ = {501, "Transfer coding not supported"};
  } else if (engine_->message->is_done()) {
    progress_ = Progress::Complete;
  }
}

bool Parser::header_complete() const { return engine_->message->is_header_done(); }
bool Parser::keep_alive() const { return engine_->message->keep_alive(); }
bool Parser::expects_continue() const {
  return engine_->message->expects_continue && !old_version();
}
bool Parser::old_version() const { return engine_->message->version == 10; }

Request Parser::take() {
  Request request = std::move(engine_->message->request);
  request.body_too_large = progress_ == Progress::TooLarge;
  if (request.body_too_large) request.body.clear();
  engine_->message.emplace(limits_);
  engine_->error = {};
  progress_ = Progress::NeedMore;
  return request;
}

}  // namespace mp::http
