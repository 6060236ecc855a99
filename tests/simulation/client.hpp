// A simulated client of one stream after another: requests leave by `outgoing`, responses come in
// by receive(). EnvoyClient does what Envoy does and complains when the server lets it down;
// UnrulyClient says anything. Used by run.cpp; neither sees the stream's inside.
#pragma once

#include "base/time.hpp"
#include "tests/simulation/content.hpp"
#include "tests/simulation/random.hpp"
#include "xds/discovery.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

namespace mp::xds {

// An invariant does not hold.
struct Complaint : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string show(Type type, const std::string& name);

class Client {
 public:
  Client(Flavour flavour, Random& random) : flavour_(flavour), random_(random) {}
  virtual ~Client() = default;

  Flavour flavour() const { return flavour_; }
  virtual void connect() = 0;  // a new stream: what was on its way is lost
  virtual void receive(const Response& response, Time now) = 0;
  virtual void act() = 0;     // anything that it does by itself
  virtual void settle() = 0;  // answers what it owes, and does what it is slow to do

  std::deque<Request> outgoing;

 protected:
  Flavour flavour_;
  Random& random_;
};

class EnvoyClient final : public Client {
 public:
  EnvoyClient(Flavour flavour, Random& random);

  void connect() override;
  void receive(const Response& response, Time now) override;
  void act() override;
  void settle() override;

  // The answer of this client to that form, at this time.
  bool refuses(Type type, const Resource& resource, Time now) const;
  // The version held, or "".
  std::string held(Type type, const std::string& name) const;
  Resources all_held(Type type) const;
  // Asked for and not dropped, so that it counts what the server has for the name.
  bool wants(Type type, const std::string& name) const;
  // The name was dropped on this stream: what is held may not be what the server thinks.
  bool forgot(Type type, const std::string& name) const {
    return of(type).forgotten.contains(name);
  }
  // It began this stream with a version that is not the one of what it holds: with its last
  // accepted one after a refused response of which a part is active, or with one that crossed a
  // refusal. The state of the world has one version for all of a type, so no server can know.
  bool misleads(Type type) const { return of(type).misleads; }
  bool misleads() const { return std::ranges::any_of(kinds_, &Kind::misleads); }
  // It was in a response of this stream that was refused.
  bool disputes(Type type, const std::string& name) const {
    return of(type).disputed.contains(name);
  }
  // Held since the stream before, of which a server of the state-of-the-world variant knows
  // nothing.
  bool inherits(Type type, const std::string& name) const;
  // Asked for nothing by name when the stream began, which the server takes for everything.
  bool began_with_all(Type type) const { return of(type).began_with_all; }
  // What it says of itself when it comes back is still on its way: the server cannot wait for ever.
  bool is_returning() const;
  void come_too_late() { too_late_ = true; }
  std::size_t received() const { return received_; }  // resources, on this stream

 private:
  struct Held {
    ResourcePtr resource;
    bool inherited = false;  // from the stream before
  };
  struct Answer {
    std::string nonce;
    std::string version;
    std::optional<std::string> error;
  };
  // What Envoy knows of one type.
  struct Kind {
    bool requested = false;
    bool wildcard = false;
    bool began_with_all = false;
    bool misleads = false;
    std::set<std::string> names;
    std::map<std::string, Held> held;
    std::string nonce;
    std::string version;
    std::deque<Answer> late;
    std::set<std::string> forgotten;  // on this stream
    std::set<std::string> renewed;    // endpoints whose cluster has come again
    std::set<std::string> disputed;   // was in a response that was refused, on this stream
    std::set<std::string> missed;     // was in a response that was refused
  };

  Kind& of(Type type) { return kinds_[static_cast<std::size_t>(type)]; }
  const Kind& of(Type type) const { return kinds_[static_cast<std::size_t>(type)]; }

  void request_again(Type type);
  void send(Type type, Request request);
  void answer(Type type, Answer answer);
  void flush(Type type);
  bool ignores(const Response& response);
  void check_repeated(Type type, const Resource& resource);
  std::optional<std::string> judge(const Response& response, std::set<std::string>& bad, Time now);
  void apply(const Response& response, const std::set<std::string>& bad);
  void lose(Type type, const std::string& name);
  void check_references() const;
  void look_for_names();
  void want(Type type, const std::set<std::string>& names);
  void start_serving();
  bool warm() const;

  std::array<Kind, type_count> kinds_;
  std::uint64_t taste_ = 0;
  std::size_t refused_percent_ = 0;
  Time tolerant_from_;
  std::size_t received_ = 0;
  bool too_late_ = false;
};

class UnrulyClient final : public Client {
 public:
  using Client::Client;
  void connect() override;
  void receive(const Response& response, Time now) override;
  void act() override;
  void settle() override;

 private:
  Request any_request();
  void answer(const Response& response, std::optional<std::string> error);
  std::string any_error(Type type);

  std::deque<Response> unanswered_;
  std::vector<std::string> nonces_;
  std::array<std::vector<std::string>, type_count> named_;  // state of the world: the last list
};

}  // namespace mp::xds
