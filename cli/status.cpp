// marchctl status: the manager's health, the clusters, their proxies, and what is not live and why.
#include "base/curl.hpp"
#include "base/utf8.hpp"
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/look.hpp"
#include "cli/names.hpp"
#include "cli/table.hpp"
#include "cli/yaml.hpp"
#include "model/cluster.hpp"
#include "model/proxy.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp::cli {
namespace {

namespace json = boost::json;

// Each refusal once, with the proxy that made it.
json::array refusals_of(Client& client, const json::array& proxies) {
  json::array refusals;
  for (const auto& proxy : proxies) {
    if (text_at(proxy, "state") != "rejected") continue;
    const std::string id = text_at(proxy, "proxy_id");
    const Answer report = client.get("/proxies/" + curl::url_encoded(id) + "/config");
    for (const auto& each : list_at(report.data, "rejected")) {
      json::object refusal = each.is_object() ? each.get_object() : json::object();
      refusal["proxy_id"] = id;
      refusal["hostname"] = text_at(proxy, "hostname");
      refusals.push_back(std::move(refusal));
    }
  }
  return refusals;
}

json::object status_of(Client& client, const json::object& cluster) {
  const Answer answer =
      client.get("/clusters/" + std::to_string(number_at(cluster, "id")) + "/status");
  json::object status = object_at(answer.data, "");
  status["rejected"] = refusals_of(client, list_at(answer.data, "proxies"));
  return {{"id", cluster.at("id")}, {"name", text_at(cluster, "name")}, {"status", status}};
}

json::object look_around(Tool& tool, const std::string& only) {
  Client& client = tool.client();
  const Resource& clusters = resource_of(describe<Cluster>);
  json::object found{{"server", client.account().server}, {"health", client.get("^/healthz").data}};
  QueryText query;
  std::vector<json::object> chosen;
  if (only.empty()) {
    chosen = list_objects(client, clusters, {}).objects;
  } else {
    const std::string id = find_id(client, clusters, only);
    chosen.push_back(object_at(client.get(path_of(clusters, id)).data, ""));
    query.emplace_back("cluster_id", id);
  }
  json::array all;
  for (const auto& cluster : chosen) all.push_back(status_of(client, cluster));
  found["clusters"] = std::move(all);
  json::array proxies;
  for (auto& proxy : list_objects(client, resource_of(describe<Proxy>), query).objects)
    proxies.push_back(std::move(proxy));
  found["proxies"] = std::move(proxies);
  return found;
}

std::string uptime_text(std::int64_t seconds) {
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  return seconds < 172'800 ? std::to_string(seconds / 3600) + " h"
                           : std::to_string(seconds / 86'400) + " days";
}

void show_health(Console& console, const json::object& found) {
  const std::string health = text_at(found, "health.status");
  Table table({});
  table.add({{"manager", Tone::Bold},
             {health, tone_of(health)},
             {text_at(found, "server") + ", " + text_at(found, "health.version") + ", up " +
              uptime_text(number_at(found, "health.uptime"))}});
  for (const auto& check : object_at(found, "health.checks")) {
    const std::string state = cell_text(check.value());
    table.add({{std::string(check.key()), Tone::Bold}, {state, tone_of(state)}, {""}});
  }
  console.print(table.text(console));
}

void show_clusters(Console& console, const json::array& clusters) {
  Table table({"CLUSTER", "REVISION", "STATE", "PROXIES", "REJECTED", "WARNINGS"});
  for (const auto& cluster : clusters) {
    const std::string state = text_at(cluster, "status.state");
    const auto& proxies = list_at(cluster, "status.proxies");
    const auto connected = std::ranges::count_if(
        proxies, [](const json::value& proxy) { return text_at(proxy, "state") != "offline"; });
    table.add({{one_line(text_at(cluster, "name"))},
               {std::to_string(number_at(cluster, "status.revision"))},
               {state, tone_of(state)},
               {std::to_string(connected) + " connected"},
               {std::to_string(list_at(cluster, "status.rejected").size())},
               {std::to_string(list_at(cluster, "status.warnings").size())}});
  }
  if (!table.empty()) console.print("\n" + table.text(console));
}

void show_proxies(Console& console, const json::array& proxies) {
  Table table({"PROXY", "ID", "TYPE", "CLUSTER", "HEALTH", "CONFIG", "REVISION", "LAST SEEN"});
  for (const auto& proxy : proxies) {
    const std::string health = text_at(proxy, "status");
    const std::string config = text_at(proxy, "config.state");
    table.add({{one_line(text_at(proxy, "hostname"))},
               {text_at(proxy, "id")},
               {text_at(proxy, "proxy_type")},
               {std::to_string(number_at(proxy, "cluster_id"))},
               {health, tone_of(health)},
               {config, tone_of(config)},
               {std::to_string(number_at(proxy, "config.revision"))},
               {text_at(proxy, "last_seen")}});
  }
  if (!table.empty()) console.print("\n" + table.text(console));
}

void show_troubles(Console& console, const json::array& clusters) {
  std::string text;
  for (const auto& cluster : clusters) {
    for (const auto& each : list_at(cluster, "status.rejected")) {
      text += console.tinted("rejected", Tone::Bad) + " " + text_at(each, "object.type") + " " +
              std::to_string(number_at(each, "object.id")) + " " +
              one_line(text_at(each, "object.name")) + " by " +
              one_line(text_at(each, "hostname")) + " since " + text_at(each, "since") + ": " +
              one_line(text_at(each, "message")) + "\n";
    }
    for (const auto& warning : list_at(cluster, "status.warnings")) {
      text += console.tinted("warning", Tone::Warning) + "  " + cell_text(warning) + "\n";
    }
  }
  if (!text.empty()) console.print("\n" + text);
}

// Fine when the manager works and no connected proxy lacks or refuses anything.
Exit verdict(const json::object& found) {
  if (text_at(found, "health.status") == "unhealthy") return Exit::Refused;
  const auto& clusters = list_at(found, "clusters");
  const bool sound = std::ranges::none_of(clusters, [](const json::value& cluster) {
    const std::string state = text_at(cluster, "status.state");
    return state == "rejected" || state == "pending";
  });
  return sound ? Exit::Fine : Exit::Refused;
}

Exit status(Tool& tool, const std::string& cluster) {
  const json::object found = look_around(tool, cluster);
  Console& console = tool.console;
  if (tool.form() == Form::Json) {
    console.print(pretty_json(found) + "\n");
  } else if (tool.form() == Form::Yaml) {
    console.print(yaml_text(found));
  } else if (tool.form() == Form::Name) {
    console.print(text_at(found, "health.status") + "\n");
  } else {
    show_health(console, found);
    show_clusters(console, list_at(found, "clusters"));
    show_proxies(console, list_at(found, "proxies"));
    show_troubles(console, list_at(found, "clusters"));
  }
  return verdict(found);
}

}  // namespace

void add_status(CLI::App& root, Tool& tool) {
  CLI::App& command = add_command(
      root, "status",
      "Show the manager's health, the clusters, their proxies, and what is refused and why. Exit "
      "code 1 when the manager is unhealthy or a connected proxy lacks or refuses a change.",
      {"status", "status --cluster production", "status -o json"});
  command.group("Fleet");
  auto cluster = std::make_shared<std::string>();
  command.add_option("--cluster", *cluster, "Only this one")->type_name("CLUSTER");
  command.callback(
      [&tool, cluster] { tool.chosen = [&tool, cluster] { return status(tool, *cluster); }; });
}

}  // namespace mp::cli
