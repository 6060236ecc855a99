// What marchctl works with, one line for each resource and each action, beside the declarations of
// src/model. Commands, flags, columns, help, completion and the reference page are derived from
// these two tables.
#pragma once

#include "model/extra_filter.hpp"

#include <span>
#include <vector>

namespace mp::cli {

enum class Verb : unsigned { List = 1, Get = 2, Create = 4, Update = 8, Delete = 16 };

struct Verbs {
  unsigned bits = 0;
  constexpr Verbs(std::initializer_list<Verb> list) {
    for (const Verb verb : list) bits |= static_cast<unsigned>(verb);
  }
  constexpr bool has(Verb verb) const { return (bits & static_cast<unsigned>(verb)) != 0; }
};

// What only some have.
struct Particulars {
  // Of those without a name, for apply: the text that tells them apart where it is unique, and the
  // fields that say which one is meant where it is not.
  std::string_view label{};
  std::string_view meaning{};
  const Description* upload = nullptr;    // parts of the form that makes one and replaces files
  std::string_view content{};             // the field that tells which files the server has
  const Description* deletion = nullptr;  // query of DELETE
};

struct Resource {
  const Description* noun;
  std::string_view path;     // of its list: "/services"
  std::string_view key;      // the field that people call one by; "id" when only that is unique
  std::string_view columns;  // of its table, in order
  Verbs verbs;
  std::span<const ExtraFilter> filters{};
  Particulars particulars{};

  bool in_clusters() const;         // has a cluster_id
  bool in_files() const;            // for apply and export
  std::string file_kind() const;    // "service"; "api-key"
  std::string plural() const;       // "services"; "api-keys"
  std::string placeholder() const;  // "SERVICE", where one is named
};

std::span<const Resource> all_resources();
const Resource& resource_of(const Description& noun);
const Resource* find_resource(std::string_view singular);

// A request that is no plain creating, reading, changing or deleting.
struct Action {
  std::string_view name;    // "rotate-key"
  const Description* noun;  // of the object it is about; nullptr: of none
  std::string_view method;
  std::string_view path;  // after the object's; without an object, whole
  const Description* body = nullptr;
  const Description* answer = nullptr;
  std::string_view help{};
  std::string_view example{};  // what follows the names of the command
};

std::span<const Action> all_actions();

// Words of a list with spaces between: the columns, the meaning.
std::vector<std::string_view> words_of(std::string_view list);

std::string kebab(std::string_view name);  // "cluster_id" is "cluster-id"
std::string upper(std::string_view name);

}  // namespace mp::cli
