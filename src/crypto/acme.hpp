// The conversation with an ACME server (RFC 8555): an account, orders, their challenges, and the
// certificate in the end. Each call is a few requests and returns; nothing here waits, remembers an
// order or touches the database. Throws AcmeError with the server's own words.
#pragma once

#include "base/fetch.hpp"
#include "crypto/account_key.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mp {

// One line, however the server put it.
class AcmeError : public std::runtime_error {
 public:
  explicit AcmeError(std::string_view words);
};

enum class AcmeChallengeType { Http01, Dns01 };

// What proves that a name is ours.
struct AcmeProof {
  std::string url;    // where the server is told to look
  std::string name;   // the domain, without *.
  std::string token;  // base64url
  std::string key_authorization;
  // The text of the TXT record _acme-challenge.<name> (§8.4).
  std::string dns_value() const;
};

enum class AcmeOrderState { Pending, Ready, Processing, Valid, Invalid };

struct AcmeOrder {
  std::string url;
  AcmeOrderState state = AcmeOrderState::Pending;
  std::string finalize;
  std::string certificate;  // its URL, once valid
  std::vector<std::string> authorizations;
  std::string problem;  // why it is invalid, as far as the order says
  std::chrono::seconds retry_after{2};
};

class AcmeClient {
 public:
  struct Server {
    std::string directory;  // URL
    std::string ca;         // PEM file of the authorities of its certificate; empty: the system's
  };
  // `fetch` and `key` must outlive this. `account`: its URL, empty before enroll().
  AcmeClient(Fetch& fetch, Server server, const AccountKey& key, std::string account);

  // Finds or makes the account of the key; its URL. Agrees to the server's terms.
  std::string enroll(const std::string& email);

  AcmeOrder order(const std::vector<std::string>& names);
  AcmeOrder look_at(const std::string& order_url);
  // The proofs that the order still lacks.
  std::vector<AcmeProof> proofs(const AcmeOrder& order, AcmeChallengeType type);
  void ready(const AcmeProof& proof);
  AcmeOrder finalize(const AcmeOrder& order, const std::string& request_der);
  // The chain, leaf first, PEM.
  std::string download(const AcmeOrder& order);
  // What the server says was wrong with an invalid order.
  std::string why_invalid(const AcmeOrder& order);

 private:
  FetchReply ask(FetchRequest request);
  FetchReply post(const std::string& url, const std::string& payload);
  boost::json::object post_for_object(const std::string& url, const std::string& payload,
                                      FetchReply& reply);
  std::string address(std::string_view name);  // of the directory
  std::string take_nonce();

  Fetch& fetch_;
  const Server server_;
  const AccountKey& key_;
  std::string account_;
  std::string nonce_;
  boost::json::object directory_;
};

}  // namespace mp
