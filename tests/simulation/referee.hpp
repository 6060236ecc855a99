// Watches one stream from the server's side and complains when a response breaks a rule of the
// protocol or a promise of the core. Knows what was asked, sent and answered, from the messages
// alone; shares no code with xds/lane and xds/subscription. One for each stream, used by run.cpp.
#pragma once

#include "base/time.hpp"
#include "tests/simulation/client.hpp"
#include "xds/discovery.hpp"

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace mp::xds {

class Referee {
 public:
  explicit Referee(Flavour flavour) : flavour_(flavour) {}

  // In the order in which the stream gets them, before it does.
  void on_request(const Request& request, Time now);
  void on_target(SnapshotPtr target);
  void on_retry();
  // What the stream said to one event.
  void on_responses(const std::vector<Response>& responses, Time now);

  bool subscribed(Type type, const std::string& name) const;
  bool requested(Type type) const { return of(type).requested; }
  // Asked for by name, and not told of since. The state of the world cannot say that there is none.
  // Nor is more said of what was refused and is not tried again yet.
  std::vector<std::string> unanswered(Type type) const;
  // Of the target, what was subscribed to.
  Resources wanted(Type type) const;

 private:
  struct Flight {
    std::string nonce;
    std::map<std::string, std::string> versions;  // of all that it held
    std::set<std::string> fresh;                  // what the response before did not hold so
  };
  struct Refused {
    std::string version;
    Time at;
    int times = 0;
    bool released = false;   // somebody asked for another try
    bool under_way = false;  // that try is not answered yet
    bool crossing = false;   // nor is a response that was on its way when it was refused
  };
  struct Kind {
    bool requested = false;
    bool wildcard = false;
    bool named = false;
    std::string claimed;       // the version with which the stream began, that of another one
    bool asked_later = false;  // for a name, not only when the stream began
    std::set<std::string> names;
    std::string last_nonce;
    std::deque<Flight> flights;
    std::map<std::string, std::string> last;   // versions sent last
    std::map<std::string, std::string> taken;  // versions, the last ones
    std::set<std::string> asked;               // and not yet told
    std::set<std::string> doubtful;            // was in a response that was refused
    std::map<std::string, Refused> refused;
    std::set<std::string> blamed;       // ever, or with others
    std::map<std::string, int> trials;  // sendings in a response that was refused as a whole
  };

  Kind& of(Type type) { return kinds_[static_cast<std::size_t>(type)]; }
  const Kind& of(Type type) const { return kinds_[static_cast<std::size_t>(type)]; }
  bool repeats_all(Type type) const;

  void subscribe_delta(Kind& kind, const Request& request);
  void subscribe_full(Kind& kind, const Request& request);
  void answered(Type type, const Request& request, Time now);
  void accepted(Type type, const Flight& flight);
  void refuse(Type type, const Flight& flight, const std::string& message, Time now);
  void certain(Type type, const std::string& name, const std::string& version, Time now);

  void recall(Type type);
  // Whether the response has its place in the order of types.
  bool ordered(const Response& response) const;
  bool comes_with_all(Type type) const;
  // Whether the response only takes away.
  bool check(const Response& response, Time now);
  void check_resource(Type type, const Resource& resource, Time now);

  Flavour flavour_;
  std::array<Kind, type_count> kinds_;
  SnapshotPtr target_;
  std::set<std::string> nonces_;
};

}  // namespace mp::xds
