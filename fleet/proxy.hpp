// What one simulated proxy holds and asks for, as Envoy does: clusters first, then what they refer
// to, listeners when its clusters are complete; an answer to every response; after a reconnect the
// versions that it holds. No network and no clock; not thread-safe. Used by line.cpp.
#pragma once

#include "fleet/messages.hpp"

#include <array>
#include <string>
#include <vector>

namespace mp::fleet {

class Proxy {
 public:
  explicit Proxy(Variant variant) : variant_(variant) {}

  // The first requests of a new stream; what was held before is said in them.
  std::vector<Request> connect();
  // What it says to a response: names that it needs now, and the acknowledgement, which is last.
  std::vector<Request> receive(const Response& response);

  // Clusters and listeners came, and everything that they refer to was answered.
  bool ready() const;

 private:
  // Sorted by name: a pointer a resource, whose text is in the catalogue.
  using Held = std::vector<const Resource*>;
  // How many resources refer to a name.
  struct User {
    NameId name = 0;
    int count = 0;
  };
  // Asked for and not answered: thousands at a time.
  class Names {
   public:
    bool empty() const { return names_.empty(); }
    void clear() { names_.clear(); }
    void add(std::vector<NameId> names);
    void remove(std::vector<NameId> names);

   private:
    std::vector<NameId> names_;  // sorted, none twice
  };
  struct Kind {
    bool requested = false;
    bool answered = false;  // on this stream
    Held held;
    std::vector<User> users;  // by name, each referred to by somebody
    Names unanswered;
    std::string version;
    std::string nonce;
  };

  Kind& of(Type type) { return kinds_[static_cast<std::size_t>(type)]; }
  const Kind& of(Type type) const { return kinds_[static_cast<std::size_t>(type)]; }
  bool full_set(Type type) const;
  Request request(Type type) const;
  void name_all(Request& request) const;
  void take(Type type, std::vector<const Resource*> resources);
  void drop_all_but(Type type, const std::vector<const Resource*>& resources);
  void remove(Type type, const std::vector<NameId>& names);
  void refer(const Resource* resource, int step);
  void ask_for_names(std::vector<Request>& requests);
  void count_users(Kind& kind, std::vector<User> changes, Request& change);
  void ask_for_listeners(std::vector<Request>& requests);

  Variant variant_;
  std::array<Kind, type_count> kinds_;
  std::array<std::vector<User>, type_count> changes_;  // what came (1) and went (-1)
  int scoping_ = 0;                                    // listeners that take routes by scope
};

}  // namespace mp::fleet
