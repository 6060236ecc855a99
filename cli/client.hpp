// The manager's REST API as marchctl calls it: envelope, token and its renewal, limits and retries.
// Knows nothing of commands and prints nothing. Time, waiting and the network come in as
// parameters.
#pragma once

#include "base/outside.hpp"
#include "base/secret.hpp"
#include "cli/failure.hpp"
#include "cli/http.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <optional>

namespace mp::cli {

// Where to call and as whom. Without a refresh token the access token is used until it is refused.
struct Account {
  std::string server;  // "https://host:8000", no slash at the end
  Secret access_token;
  std::optional<Time> access_until;
  Secret refresh_token;
};

struct Outside {
  Transport& transport;
  const Clock& clock;
  std::function<void(std::chrono::milliseconds)> pause;
  std::function<void(const std::string&)> note;  // a line for the person who waits
  std::function<void(const Account&)> renewed;   // the access token is a new one
};

enum class Expect { Json, Text };

using QueryText = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string path;  // below /api/v1, or with ^ before it from the root
  QueryText query{};
  std::optional<boost::json::value> body{};
  std::string if_match{};  // without quotes
  std::int64_t wait = 0;   // seconds of Prefer: wait
  std::string form{};      // a body that is no JSON, with `form_type`
  std::string form_type{};
  Secret cluster_key{};  // not empty: sent in place of the token
  Expect expects = Expect::Json;
};

struct Answer {
  int status = 0;
  boost::json::value data{};  // of the envelope, or the whole body (a string for Expect::Text)
  std::string message{};
  std::string etag{};           // without quotes
  std::int64_t revision = 0;    // X-Config-Revision, 0 when nothing changed for proxies
  std::string config_status{};  // X-Config-Status
};

class Client {
 public:
  // `patience`: longest time in all that one call waits before it is tried again.
  Client(Outside outside, Account account, std::chrono::seconds patience);

  // Throws Refused for every status from 400 on, Failure (Unreachable) without a sound answer.
  Answer call(Request request);
  Answer get(const std::string& path, QueryText query = {});

  const Account& account() const { return account_; }

 private:
  HttpRequest exchange_of(const Request& request, const std::string& key) const;
  HttpReply send_patiently(const Request& request);
  std::optional<std::chrono::milliseconds> delay_after(const HttpReply& reply,
                                                       const Request& request, int tries) const;
  void renew();

  Outside outside_;
  Account account_;
  std::chrono::seconds patience_;
};

}  // namespace mp::cli
