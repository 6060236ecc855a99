// marchctl apply and export.
#include "base/outside.hpp"
#include "base/utf8.hpp"
#include "cli/commands.hpp"
#include "cli/documents.hpp"
#include "cli/failure.hpp"
#include "cli/form.hpp"
#include "cli/look.hpp"
#include "cli/names.hpp"
#include "cli/objects.hpp"
#include "cli/plan.hpp"
#include "cli/written.hpp"
#include "model/cluster.hpp"

#include <boost/json.hpp>

#include <array>
#include <set>

namespace mp::cli {
namespace {

namespace json = boost::json;

struct Given {
  std::vector<std::string> files;
  bool dry_run = false;
  bool prune = false;
  bool yes = false;
  std::int64_t wait = 0;
};

constexpr std::array deed_names{std::string_view("unchanged"), std::string_view("created"),
                                std::string_view("changed"), std::string_view("deleted")};

std::string_view name_of(Deed deed) { return deed_names[static_cast<std::size_t>(deed)]; }

void show_difference(Console& console, const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) {
    Tone tone = Tone::Plain;
    if (line.starts_with("---") || line.starts_with("+++"))
      tone = Tone::Bold;
    else if (line.starts_with('-'))
      tone = Tone::Bad;
    else if (line.starts_with('+'))
      tone = Tone::Good;
    else if (line.starts_with("@@"))
      tone = Tone::Faint;
    text += console.tinted(line, tone) + "\n";
  }
  console.print(text);
}

// How many steps of each deed, of those before `end`.
std::string count_text(const std::vector<Step>& steps, std::size_t end) {
  std::array<std::size_t, deed_names.size()> counts{};
  for (std::size_t at = 0; at < end; ++at) ++counts[static_cast<std::size_t>(steps[at].deed)];
  std::string text;
  for (const Deed deed : {Deed::Create, Deed::Change, Deed::Delete, Deed::Same}) {
    text.append(text.empty() ? "" : ", ");
    text += std::to_string(counts[static_cast<std::size_t>(deed)]) + " ";
    text += name_of(deed);
  }
  return text;
}

// A new user's password, unless the file has one. It is told once.
std::optional<Secret> missing_password(const Step& step) {
  const Field* field = find_field(*step.resource->noun, "password");
  if (!field || !field->writable() || step.body.contains("password")) return std::nullopt;
  return Secret(random_text(20));
}

class Carrier {
 public:
  Carrier(Tool& tool, Plan& plan) : tool_(tool), plan_(plan) {}

  void carry_out(Step& step) {
    switch (step.deed) {
      case Deed::Same: return;
      case Deed::Create: create(step); break;
      case Deed::Change: change(step); break;
      case Deed::Delete: remove(step); break;
    }
  }

  const json::array& results() const { return results_; }
  const std::map<std::int64_t, std::int64_t>& revisions() const { return revisions_; }

 private:
  Client& client() { return tool_.client(); }
  bool is_data() const { return tool_.form() == Form::Json || tool_.form() == Form::Yaml; }

  void create(Step& step) {
    visit_references(*step.resource->noun, step.body, [&](const Resource&, json::value& value) {
      if (value.is_int64()) value = plan_.clusters.real(value.get_int64());
    });
    const auto password = missing_password(step);
    if (password) step.body["password"] = password->reveal();
    Request request{.method = "POST", .path = std::string(step.resource->path)};
    set_content(request, step, step.body);
    const Answer answer = client().call(std::move(request));
    json::object object = object_at(answer.data, "");
    if (step.resource->noun == &describe<Cluster>)
      plan_.clusters.made(text_at(object, "name"), number_at(object, "id"));
    if (password) object["password"] = password->reveal();
    finish(step, answer, object);
    if (is_data()) return;
    show_secrets(tool_, *step.resource->noun, object, Occasion::Making);
    if (password) {
      tool_.console.print("  password: " + password->reveal() + "\n");
      tool_.console.note("The password is shown this once: keep it now.");
    }
  }

  // The version that the step was planned for; a change since then is somebody else's.
  std::string etag_of(const Step& step) {
    const Answer answer = client().get(path_of(*step.resource, step.id));
    const json::object now = object_at(answer.data, "");
    if (!mp::cli::difference_of(*step.resource->noun, step.before, now).empty()) throw overtaken();
    return answer.etag;
  }

  static Failure overtaken() {
    return {Exit::Refused, "somebody else has changed it meanwhile; apply again"};
  }

  // A certificate is a form with its files; without new ones PATCH changes the rest.
  static void set_content(Request& request, const Step& step, json::object body) {
    const Description* upload = step.resource->particulars.upload;
    if (!upload || (step.files.empty() && request.method != "POST")) {
      if (upload) request.method = "PATCH";
      request.body = std::move(body);
      return;
    }
    for (const auto& file : step.files) body[file.key()] = file.value();
    FormData form = form_of(*upload, body);
    request.form = std::move(form.body);
    request.form_type = std::move(form.type);
  }

  Answer send(const Step& step, const std::string& method, std::optional<json::object> body) {
    const std::string etag = etag_of(step);
    try {
      Request request{.method = method, .path = path_of(*step.resource, step.id), .if_match = etag};
      if (body) set_content(request, step, *std::move(body));
      return client().call(std::move(request));
    } catch (const Refused& refusal) {
      if (refusal.status != 412) throw;
      throw overtaken();
    }
  }

  void change(const Step& step) {
    json::object body = step.body;
    visit_references(*step.resource->noun, body, [&](const Resource&, json::value& value) {
      if (value.is_int64()) value = plan_.clusters.real(value.get_int64());
    });
    const Answer answer = send(step, "PUT", std::move(body));
    const json::object object = object_at(answer.data, "");
    finish(step, answer, object);
    if (!is_data()) show_secrets(tool_, *step.resource->noun, object, Occasion::Reading);
  }

  void remove(const Step& step) {
    try {
      finish(step, send(step, "DELETE", std::nullopt), step.before);
    } catch (const Refused& refusal) {
      if (refusal.status != 404) throw;  // it went with something else
    }
  }

  void finish(const Step& step, const Answer& answer, const json::object& object) {
    const std::int64_t cluster = number_at(object, "cluster_id");
    if (answer.revision > 0) revisions_[cluster] = std::max(revisions_[cluster], answer.revision);
    results_.push_back(
        {{"deed", name_of(step.deed)}, {"kind", step.resource->file_kind()}, {"object", object}});
    if (!is_data()) tool_.console.print(step.title + " " + std::string(name_of(step.deed)) + "\n");
  }

  Tool& tool_;
  Plan& plan_;
  json::array results_;
  std::map<std::int64_t, std::int64_t> revisions_;  // the newest of each cluster
};

bool is_data(const Tool& tool) { return tool.form() == Form::Json || tool.form() == Form::Yaml; }

void show_results(Tool& tool, const json::array& results) {
  if (tool.form() == Form::Json) tool.console.print(pretty_json(results) + "\n");
  if (tool.form() == Form::Yaml) tool.console.print(yaml_text(results));
}

// What was done before the failure is said, as nothing takes it back.
Failure stopped(const Plan& plan, std::size_t at, const Failure& failure) {
  std::vector<std::string> lines = failure.lines;
  lines.push_back("done before: " + count_text(plan.steps, at));
  std::string rest;
  for (std::size_t next = at + 1; next < plan.steps.size(); ++next) {
    if (plan.steps[next].deed != Deed::Same)
      rest.append(rest.empty() ? "" : "; ").append(plan.steps[next].title);
  }
  if (!rest.empty()) lines.push_back("not tried: " + rest);
  return {failure.exit, plan.steps[at].title + ": " + failure.what(), std::move(lines)};
}

void confirm_deletions(Tool& tool, const Plan& plan, const Given& given) {
  const auto deletions =
      std::ranges::count(plan.steps, Deed::Delete, [](const Step& step) { return step.deed; });
  if (deletions == 0 || given.yes) return;
  const std::string what = std::to_string(deletions) + " objects are deleted";
  if (!tool.console.is_interactive()) throw wrong_usage(what + ": confirm it with --yes");
  if (!tool.console.agrees(what + ". Go on?")) throw wrong_usage("nothing was changed");
}

Exit apply(Tool& tool, const Given& given) {
  Plan plan = make_plan(tool.client(), documents_of(given.files),
                        given.prune ? Prune::Unnamed : Prune::Nothing);
  for (const Step& step : plan.steps) {
    if (step.deed != Deed::Same && !is_data(tool))
      show_difference(tool.console, difference_of(step, plan.clusters));
  }
  if (given.dry_run) {
    say(tool, "would be: " + count_text(plan.steps, plan.steps.size()));
    return Exit::Fine;
  }
  confirm_deletions(tool, plan, given);
  Carrier carrier(tool, plan);
  const auto remember = [&] {
    for (const auto& [cluster, revision] : carrier.revisions()) tool.remember(revision);
  };
  for (std::size_t at = 0; at < plan.steps.size(); ++at) {
    try {
      carrier.carry_out(plan.steps[at]);
    } catch (const Failure& failure) {
      remember();
      show_results(tool, carrier.results());
      throw stopped(plan, at, failure);
    }
  }
  remember();
  show_results(tool, carrier.results());
  say(tool, count_text(plan.steps, plan.steps.size()));
  Exit exit = Exit::Fine;
  for (const auto& [cluster, revision] : carrier.revisions()) {
    if (given.wait == 0) break;
    const Exit live = await_revision(tool, revision, std::chrono::seconds(given.wait));
    if (live != Exit::Fine) exit = live;
  }
  return exit;
}

// Users have passwords and certificates have keys, which leave the server in no form: they are
// written only when asked for.
bool is_exported(const Resource& resource, const std::vector<std::string>& kinds) {
  if (!resource.in_files()) return false;
  if (kinds.empty()) return !find_field(*resource.noun, "password") && !resource.particulars.upload;
  return std::ranges::find(kinds, resource.file_kind()) != kinds.end() ||
         std::ranges::find(kinds, resource.plural()) != kinds.end();
}

Exit write_out(Tool& tool, const std::vector<std::string>& kinds, const std::string& cluster) {
  Client& client = tool.client();
  for (const auto& kind : kinds) {
    if (std::ranges::none_of(all_resources(),
                             [&](const Resource& each) { return is_exported(each, {kind}); }))
      throw wrong_usage(one_line(kind) + " is nothing that apply reads");
  }
  const Clusters clusters(client);
  const auto name_of = [&](const json::value& id) { return clusters.name_of(id); };
  const std::string cluster_id =
      cluster.empty() ? "" : find_id(client, resource_of(describe<Cluster>), cluster);
  json::array all;
  for (const Resource& resource : all_resources()) {
    if (!is_exported(resource, kinds)) continue;
    QueryText query{{"sort", resource.key == "id" ? "id" : std::string(resource.key)}};
    if (!cluster_id.empty() && resource.in_clusters()) query.emplace_back("cluster_id", cluster_id);
    for (const auto& object : list_objects(client, resource, query).objects) {
      const bool other = resource.noun == &describe<Cluster> && !cluster_id.empty() &&
                         std::to_string(number_at(object, "id")) != cluster_id;
      if (!other) all.push_back(file_form(resource, object, name_of));
    }
  }
  if (tool.form() == Form::Json) {
    tool.console.print(pretty_json(all) + "\n");
    return Exit::Fine;
  }
  std::string text;
  for (const auto& object : all) text += (text.empty() ? "" : "---\n") + yaml_text(object);
  tool.console.print(text);
  return Exit::Fine;
}

void add_apply(CLI::App& root, Tool& tool) {
  CLI::App& command = add_command(
      root, "apply",
      "Make the server hold what files say: documents with a kind, the cluster's name, and fields. "
      "Fields that a document does not name stay as they are. The difference is shown before; a "
      "second time nothing is left to do.",
      {"apply -f shop.yaml", "apply -f fleet/ --dry-run",
       "export | marchctl apply -f - --server "
       "https://other.example:8000",
       "apply -f fleet/ --prune --yes --wait 60"});
  command.group("Files");
  auto given = std::make_shared<Given>();
  add_file_option(command, given->files);
  command.add_flag("--dry-run", given->dry_run, "Show the difference and change nothing");
  command.add_flag("--prune", given->prune,
                   "Delete objects that the files do not hold: of the kinds that are in the files, "
                   "services and mappings alone, of the clusters that the files name");
  command.add_flag("--yes", given->yes, "Delete without asking");
  add_wait_option(command, given->wait);
  command.callback(
      [&tool, given] { tool.chosen = [&tool, given] { return apply(tool, *given); }; });
}

}  // namespace

void add_files(CLI::App& root, Tool& tool) {
  add_apply(root, tool);
  struct Wanted {
    std::vector<std::string> kinds;
    std::string cluster;
  };
  CLI::App& command = add_command(
      root, "export",
      "Print clusters, services and mappings as apply reads them. Secrets are not in it: a server "
      "that did not have an object makes new ones. Users and certificates are printed when they "
      "are named; of certificates what can be changed without their files.",
      {"export > fleet.yaml", "export services mappings --cluster production", "export users"});
  command.group("Files");
  auto wanted = std::make_shared<Wanted>();
  command
      .add_option("KIND", wanted->kinds,
                  "Only these: clusters, users, services, certificates, mappings.")
      ->type_name("");
  command.add_option("--cluster", wanted->cluster, "Only this cluster and what is in it")
      ->type_name("CLUSTER");
  command.callback([&tool, wanted] {
    tool.chosen = [&tool, wanted] { return write_out(tool, wanted->kinds, wanted->cluster); };
  });
}

}  // namespace mp::cli
