// What apply has to do: wanted objects of files against those that the server has, as steps in the
// order of their dependencies. Reads from the server, and changes nothing there.
#pragma once

#include "cli/client.hpp"
#include "cli/matching.hpp"
#include "cli/yaml.hpp"

#include <map>

namespace mp::cli {

enum class Deed { Same, Create, Change, Delete };

struct Step {
  Deed deed = Deed::Same;
  const Resource* resource = nullptr;
  std::string title;           // "service default/web"
  std::string id;              // of an existing object
  boost::json::object before;  // as the server has it; empty for a new one
  boost::json::object after;   // as it will be
  boost::json::object body;    // to send; ids of clusters that do not exist yet are provisional
  boost::json::object files;   // to send with it, by part of the upload; never printed
};

// Deleting what the files do not hold: services and mappings of the clusters that the files name.
enum class Prune { Nothing, Unnamed };

class Clusters {
 public:
  explicit Clusters(Client& client);
  // Throws Failure (Usage) naming `place` when there is no such cluster and none will be made.
  std::int64_t id_of(const boost::json::value& reference, const std::string& place) const;
  void will_make(const std::string& name);
  void made(const std::string& name, std::int64_t id);
  // The id that a provisional one became.
  std::int64_t real(std::int64_t id) const;
  bool is_provisional(std::int64_t id) const;
  boost::json::value name_of(const boost::json::value& id) const;
  std::optional<std::int64_t> only() const;

 private:
  std::map<std::string, std::int64_t> ids_;
  std::map<std::int64_t, std::int64_t> real_;
};

struct Plan {
  std::vector<Step> steps;
  Clusters clusters;
};

// Throws Failure (Usage) with every breach of every document before anything is done.
Plan make_plan(Client& client, const std::vector<Document>& documents, Prune prune);

// The step as lines of a unified difference, without colours.
std::vector<std::string> difference_of(const Step& step, const Clusters& clusters);

}  // namespace mp::cli
