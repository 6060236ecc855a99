// A simulated client of one stream after another: requests leave by `outgoing`, responses come in
// by receive(). EnvoyClient does what Envoy does and GrpcClient what gRPC does, and they complain
// when the server lets them down; UnrulyClient says anything. Used by run.cpp; none sees the
// stream's inside.
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
std::string show(const Request& request);
std::string show(const Response& response);

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

// Keeps to the protocol and complains when the server lets it down. What it asks for of its own
// accord is left to those below.
class OrderlyClient : public Client {
 public:
  OrderlyClient(Flavour flavour, Random& random);

  void connect() override;
  void receive(const Response& response, Time now) override;
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
  // Of a response that was refused, and the words told nothing of it.
  bool took_in_part(Type type, const std::string& name) const {
    const auto found = of(type).held.find(name);
    return found != of(type).held.end() && found->second.in_part;
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

 protected:
  struct Held {
    ResourcePtr resource;
    bool inherited = false;  // from the stream before
    bool in_part = false;
  };
  struct Answer {
    std::string nonce;
    std::string version;
    std::optional<std::string> error;
  };
  // What it knows of one type.
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
    std::multiset<std::string>
        renewed;                     // asked for again, or the cluster of endpoints has come again
    std::set<std::string> disputed;  // was in a response that was refused, on this stream
    std::set<std::string> missed;    // was in a response that was refused, or went too early
  };
  struct Verdict {
    std::optional<std::string> error;
    std::set<std::string> disputed{};  // what may be meant
    std::set<std::string> untaken{};   // of these nothing is active now
    bool all_untaken = false;          // nor is anything else of the response
  };

  Kind& of(Type type) { return kinds_[static_cast<std::size_t>(type)]; }
  const Kind& of(Type type) const { return kinds_[static_cast<std::size_t>(type)]; }
  bool full_set(Type type) const;  // of this flavour: what a response does not hold is gone

  virtual void begin() = 0;  // a stream: decides what is requested
  virtual void go_on() = 0;  // what it is slow to do
  virtual bool ignores(const Response&) { return false; }
  virtual Verdict judge(const Response& response, const std::set<std::string>& bad) = 0;
  virtual void lose(Type type, const std::string& name) { of(type).held.erase(name); }
  virtual void look_for_names() = 0;  // that what it holds refers to
  virtual void check_references() const {}

  void send(Type type, Request request);
  void want(Type type, const std::set<std::string>& names);
  void answer_late();

  std::array<Kind, type_count> kinds_;
  std::uint64_t taste_ = 0;
  bool too_late_ = false;

 private:
  void request_again(Type type);
  void answer(Type type, Answer answer);
  void flush(Type type);
  void check_repeated(Type type, const Resource& resource);
  void apply(const Response& response, const Verdict& verdict);

  std::size_t refused_percent_ = 0;
  Time tolerant_from_;
  std::size_t received_ = 0;
};

// Asks for all clusters, listeners and scopes, and by name for what these refer to.
class EnvoyClient final : public OrderlyClient {
 public:
  EnvoyClient(Flavour flavour, Random& random, Breadth breadth)
      : OrderlyClient(flavour, random), breadth_(breadth) {}
  void act() override;

 private:
  void begin() override;
  void go_on() override;
  bool ignores(const Response& response) override;
  Verdict judge(const Response& response, const std::set<std::string>& bad) override;
  void lose(Type type, const std::string& name) override;
  void look_for_names() override;
  void check_references() const override;
  bool warm() const;
  void ask_again();

  Breadth breadth_;
};

// A gRPC channel without a proxy: asks for everything by name, from its listeners on (gRFC A27).
class GrpcClient final : public OrderlyClient {
 public:
  GrpcClient(Flavour flavour, Random& random);
  void act() override;

 private:
  void begin() override;
  void go_on() override {}
  Verdict judge(const Response& response, const std::set<std::string>& bad) override;
  void look_for_names() override;
  void call();

  std::set<std::string> called_;  // services, each with a listener of its name
};

class UnrulyClient final : public Client {
 public:
  UnrulyClient(Flavour flavour, Random& random, Breadth breadth)
      : Client(flavour, random), breadth_(breadth) {}
  void connect() override;
  void receive(const Response& response, Time now) override;
  void act() override;
  void settle() override;

 private:
  Request any_request();
  std::string any_version(Type type, const std::string& name);
  void answer(const Response& response, std::optional<std::string> error);
  std::string any_error(Type type);

  Breadth breadth_;
  std::deque<Response> unanswered_;
  std::array<std::map<std::string, std::string>, type_count> heard_;  // versions, ever
  std::array<std::string, type_count> versions_;                      // of a response, ever
  std::vector<std::string> nonces_;
  std::array<std::vector<std::string>, type_count> named_;  // state of the world: the last list
};

}  // namespace mp::xds
