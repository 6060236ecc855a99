// marchctl list and get.
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/flags.hpp"
#include "cli/look.hpp"
#include "cli/names.hpp"
#include "model/searched.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp::cli {
namespace {

struct Filter {
  std::string parameter;  // "cluster_id"
  std::string value;
  std::string noun;  // that the value is a name of
};

struct Listing {
  std::string search;
  std::string sort;
  std::int64_t limit = 0;
  std::deque<Filter> filters;
};

void add_filter(CLI::App& command, Listing& listing, std::string_view name, std::string_view help,
                std::string_view noun, const std::string& hint) {
  Filter& filter = listing.filters.emplace_back(
      Filter{.parameter = std::string(name), .value = "", .noun = std::string(noun)});
  std::string_view flag = name;
  if (!noun.empty()) flag.remove_suffix(3);  // "_id"
  command.add_option("--" + kebab(flag), filter.value, std::string(help))->type_name(hint);
}

void add_filters(CLI::App& command, const Resource& resource, Listing& listing) {
  for (const Field& field : resource.noun->fields) {
    if (!field.rules.filter) continue;
    const std::string help = "Only those with this value. " + std::string(field.help);
    add_filter(command, listing, field.name, help, field.rules.references, hint_of(field));
  }
  for (const ExtraFilter& extra : resource.filters) {
    const bool reference = extra.name == "cluster_id";
    add_filter(command, listing, extra.name, extra.help, reference ? "cluster" : "",
               reference ? "CLUSTER" : "TEXT");
  }
}

void add_order(CLI::App& command, const Resource& resource, Listing& listing) {
  std::string sorts;
  const std::string searched = searched_fields(*resource.noun);
  for (const Field& field : resource.noun->fields) {
    if (field.rules.sort) sorts.append(sorts.empty() ? "" : "|").append(field.name);
  }
  if (!searched.empty())
    command.add_option("--search", listing.search, "Only those with this text in " + searched)
        ->type_name("TEXT");
  if (!sorts.empty())
    command.add_option("--sort", listing.sort, "Order; --sort=-created_at is the other way round")
        ->type_name(sorts);
  command.add_option("--limit", listing.limit, "At most so many (all)")
      ->type_name("NUMBER")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}));
}

Exit list(Tool& tool, const Resource& resource, const Listing& listing) {
  QueryText query;
  if (!listing.search.empty()) query.emplace_back("search", listing.search);
  if (!listing.sort.empty()) query.emplace_back("sort", listing.sort);
  for (const Filter& filter : listing.filters) {
    if (filter.value.empty()) continue;
    const Resource* other = find_resource(kebab(filter.noun));
    query.emplace_back(filter.parameter,
                       other ? find_id(tool.client(), *other, filter.value) : filter.value);
  }
  const Listed listed = list_objects(tool.client(), resource, query, listing.limit);
  show_list(tool.console, tool.form(), resource, listed.objects);
  const auto shown = static_cast<std::int64_t>(listed.objects.size());
  if (shown < listed.total)
    tool.console.note(std::to_string(shown) + " of " + std::to_string(listed.total) + " shown");
  return Exit::Fine;
}

Exit get(Tool& tool, const Resource& resource, const std::vector<std::string>& references,
         const std::string& cluster) {
  std::vector<boost::json::object> objects;
  for (const std::string& reference : references) {
    const std::string id = find_id(tool.client(), resource, reference, cluster);
    objects.push_back(object_at(tool.client().get(path_of(resource, id)).data, ""));
  }
  if (objects.size() > 1) {
    show_list(tool.console, tool.form(), resource, objects);
  } else {
    show_object(tool.console, tool.form(), *resource.noun, objects.front());
  }
  return Exit::Fine;
}

void add_list(CLI::App& verb, const Resource& resource, Tool& tool) {
  CLI::App& command =
      add_noun(verb, resource, resource.plural(), "List " + resource.plural() + ".");
  auto listing = std::make_shared<Listing>();
  add_order(command, resource, *listing);
  add_filters(command, resource, *listing);
  command.callback([&tool, &resource, listing] {
    tool.chosen = [&tool, &resource, listing] { return list(tool, resource, *listing); };
  });
}

Listing of_cluster(const std::string& cluster) {
  Listing listing;
  listing.filters.push_back({.parameter = "cluster_id", .value = cluster, .noun = "cluster"});
  return listing;
}

void add_get(CLI::App& verb, const Resource& resource, Tool& tool) {
  struct Given {
    std::vector<std::string> references;
    std::string cluster;
  };
  const std::string noun = with_article(resource.file_kind());
  const bool lists = resource.verbs.has(Verb::List);
  CLI::App& command =
      add_noun(verb, resource, resource.file_kind(),
               "Show " + noun + " whole" + (lists ? ", or list " + resource.plural() : "") + ".");
  auto given = std::make_shared<Given>();
  command
      .add_option(resource.placeholder(), given->references,
                  std::string("Name or id; several are shown as a list") +
                      (lists ? ", none lists them all." : "."))
      ->required(!lists)
      ->type_name("");
  if (resource.in_clusters() && resource.key != "id")
    command.add_option("--cluster", given->cluster, "Cluster of the name")->type_name("CLUSTER");
  command.callback([&tool, &resource, given] {
    tool.chosen = [&tool, &resource, given] {
      if (given->references.empty()) return list(tool, resource, of_cluster(given->cluster));
      return get(tool, resource, given->references, given->cluster);
    };
  });
}

}  // namespace

void add_reading(CLI::App& root, Tool& tool) {
  CLI::App& list = add_command(root, "list", "List objects.",
                               {"list services", "list mappings --cluster default -o wide",
                                "list services --search web --sort=-created_at -o json",
                                "list proxies --status offline -o name"});
  CLI::App& get = add_command(root, "get", "Show objects whole.",
                              {"get service web", "get services", "get mapping 12 -o yaml",
                               "get service web --cluster production -o json"});
  for (CLI::App* verb : {&list, &get}) verb->require_subcommand(1)->group("Objects");
  for (const Resource& resource : all_resources()) {
    if (resource.verbs.has(Verb::List)) add_list(list, resource, tool);
    if (resource.verbs.has(Verb::Get)) add_get(get, resource, tool);
  }
}

}  // namespace mp::cli
