#include "model/plan.hpp"

namespace mp {
namespace {

std::string_view name_of(PlannedAction action) {
  return names_of<PlannedAction>[static_cast<std::size_t>(action)];
}

// Certificates and clusters are made with files, keys and licences: not in a plan.
bool can_be_planned(PlannedNoun noun, PlannedAction action) {
  switch (noun) {
    case PlannedNoun::Service:
    case PlannedNoun::Mapping: return true;
    case PlannedNoun::Cluster:
      return action == PlannedAction::Update || action == PlannedAction::Patch;
    case PlannedNoun::Certificate: break;
  }
  return action == PlannedAction::Patch || action == PlannedAction::Delete;
}

}  // namespace

void check_planned_change(const void* object, Violations& violations) {
  const auto& change = *static_cast<const PlannedChange*>(object);
  const bool made = change.action == PlannedAction::Create;
  if (!can_be_planned(change.type, change.action)) {
    violations.push_back({"action",
                          change.type == PlannedNoun::Cluster
                              ? "Of a cluster a plan can update and patch"
                              : "Of a certificate a plan can patch and delete",
                          json::value(name_of(change.action))});
  }
  if (made && change.id)
    violations.push_back({"id", "Is set by the server", json::value(*change.id)});
  if (!made && !change.id) violations.push_back({"id", "Is required"});
  if (change.action != PlannedAction::Delete && !change.data)
    violations.push_back({"data", "Is required"});
}

}  // namespace mp
