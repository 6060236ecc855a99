// marchctl plan: what apply would do with the same files, told by the server down to the resources
// of the proxies.
#include "base/utf8.hpp"
#include "cli/commands.hpp"
#include "cli/documents.hpp"
#include "cli/failure.hpp"
#include "cli/look.hpp"
#include "cli/names.hpp"
#include "cli/objects.hpp"
#include "cli/plan.hpp"
#include "model/plan.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <span>

namespace mp::cli {
namespace {

namespace json = boost::json;

struct Given {
  std::vector<std::string> files;
  bool prune = false;
  bool tell = false;  // by the exit code whether something would change
};

// What the server is asked, and which step each change is.
struct Question {
  json::array changes;
  std::vector<std::string> titles;
  std::vector<std::string> left_out;
};

bool is_among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string action_of(Deed deed) {
  return deed == Deed::Create ? "create" : deed == Deed::Change ? "update" : "delete";
}

// Of clusters only what is there can be tried, and users are no matter of proxies.
std::string reason_against(const Step& step, const Clusters& clusters) {
  if (step.resource->particulars.upload) return "its files are judged when they are sent";
  if (!is_among(names_of<PlannedNoun>, step.resource->file_kind())) return "no proxy is concerned";
  bool missing = step.resource->file_kind() == "cluster" && step.deed != Deed::Change;
  json::object body = step.body;
  visit_references(*step.resource->noun, body, [&](const Resource&, json::value& value) {
    missing = missing || (value.is_int64() && clusters.is_provisional(value.get_int64()));
  });
  return missing ? "its cluster is not there yet" : "";
}

Question question_of(const Plan& plan) {
  Question question;
  for (const Step& step : plan.steps) {
    if (step.deed == Deed::Same) continue;
    const std::string reason = reason_against(step, plan.clusters);
    if (!reason.empty()) {
      question.left_out.push_back(step.title + ": " + reason);
      continue;
    }
    json::object change{{"action", action_of(step.deed)}, {"type", step.resource->file_kind()}};
    if (step.deed != Deed::Create) change["id"] = number_at(step.before, "id");
    if (step.deed != Deed::Delete) change["data"] = step.body;
    question.changes.push_back(std::move(change));
    question.titles.push_back(step.title);
  }
  return question;
}

std::string last_part(const std::string& url) { return url.substr(url.rfind('.') + 1); }

std::string objects_of(const json::value& resource) {
  std::string text;
  for (const auto& object : list_at(resource, "objects")) {
    const std::string name = text_at(object, "name");
    const std::string type = text_at(object, "type");
    text += (text.empty() ? "" : ", ") + (name.starts_with(type) ? name : type + " " + name);
  }
  return text.empty() ? "" : " (" + text + ")";
}

// Writes the answer for people.
class Telling {
 public:
  Telling(Tool& tool, const Question& question) : console_(tool.console), question_(question) {}

  void tell(const json::value& report) {
    for (const auto& object : list_at(report, "objects")) tell_object(object);
    for (const auto& audience : list_at(report, "audiences")) tell_audience(audience);
    tell_proxies(list_at(report, "proxies"));
    for (const auto& problem : list_at(report, "problems")) tell_problem(problem);
    std::string text = "would be: ";
    for (const char* deed : {"create", "update", "delete"})
      text += std::to_string(objects_[deed]) + " " + deed + "d, ";
    text += "resources of Envoy: ";
    text += std::to_string(resources_["added"]) + " added, " +
            std::to_string(resources_["changed"]) + " changed, " +
            std::to_string(resources_["removed"]) + " removed";
    console_.print(text + "\n");
  }

 private:
  void line(const std::string& text, Tone tone) {
    console_.print(console_.tinted(one_line(text), tone) + "\n");
  }

  void tell_object(const json::value& object) {
    const std::string deed = text_at(object, "deed");
    const std::string type = text_at(object, "type"), name = text_at(object, "name");
    ++objects_[deed];
    std::string text = name.starts_with(type + " ") ? name : type + " " + name;
    std::string fields;
    for (const auto& field : list_at(object, "fields")) {
      if (field.is_string()) fields.append(fields.empty() ? ": " : ", ").append(field.get_string());
    }
    text += fields;
    if (deed == "create")
      line("+ " + text, Tone::Good);
    else if (deed == "delete")
      line("- " + text, Tone::Bad);
    else
      line("~ " + text, Tone::Warning);
  }

  void tell_audience(const json::value& audience) {
    const bool whole = text_at(audience, "flavour") != "delta";
    line(text_at(audience, "proxy_type") + " proxies of cluster " +
             std::to_string(number_at(audience, "cluster_id")) +
             (whole ? ", state of the world" : "") + ":",
         Tone::Bold);
    for (const auto& type : list_at(audience, "types")) {
      const std::string name = last_part(text_at(type, "type_url"));
      tell_resources(type, "added", "  + " + name, Tone::Good);
      tell_resources(type, "changed", "  ~ " + name, Tone::Warning);
      tell_resources(type, "removed", "  - " + name, Tone::Bad);
    }
    tell_findings(audience, "appeared", "  ! ", Tone::Warning);
    tell_findings(audience, "disappeared", "  no longer ", Tone::Good);
    for (const auto& breach : list_at(audience, "breaches")) {
      if (breach.is_string())
        line("  would not be sent: " + std::string(breach.get_string()), Tone::Bad);
    }
  }

  void tell_resources(const json::value& type, const char* what, const std::string& begin,
                      Tone tone) {
    for (const auto& resource : list_at(type, what)) {
      ++resources_[what];
      line(begin + " " + text_at(resource, "name") + objects_of(resource), tone);
    }
  }

  void tell_findings(const json::value& audience, const char* what, const std::string& begin,
                     Tone tone) {
    for (const auto& finding : list_at(audience, what)) {
      line(begin + text_at(finding, "kind") + ", " + text_at(finding, "object.name") + ": " +
               text_at(finding, "message"),
           tone);
    }
  }

  void tell_proxies(const json::array& proxies) {
    if (proxies.empty()) return;
    std::size_t connected = 0;
    for (const auto& proxy : proxies) connected += flag_at(proxy, "connected") ? 1 : 0;
    line("proxies: " + std::to_string(proxies.size()) +
             ", connected now: " + std::to_string(connected),
         Tone::Bold);
    for (std::size_t at = 0; at < std::min(proxies.size(), most_proxies); ++at) {
      line("  " + text_at(proxies[at], "hostname") + " (" + text_at(proxies[at], "proxy_type") +
               (flag_at(proxies[at], "connected") ? ")" : ", not connected)"),
           Tone::Plain);
    }
    if (proxies.size() > most_proxies)
      line("  and " + std::to_string(proxies.size() - most_proxies) + " more", Tone::Faint);
  }

  // The place in the request, below the change's title.
  void tell_problem(const json::value& problem) {
    const auto at = static_cast<std::size_t>(number_at(problem, "change"));
    const std::string title = at < question_.titles.size() ? question_.titles[at] : "";
    std::string field = text_at(problem, "field");
    const auto data = field.find("].data.");
    field = data == std::string::npos ? "" : field.substr(data + 7) + ": ";
    line("refused: " + title + ": " + field + text_at(problem, "issue"), Tone::Bad);
  }

  static constexpr std::size_t most_proxies = 20;
  Console& console_;
  const Question& question_;
  std::map<std::string, int> objects_;
  std::map<std::string, int> resources_;
};

Exit plan(Tool& tool, const Given& given) {
  const Plan steps = make_plan(tool.client(), documents_of(given.files),
                               given.prune ? Prune::Unnamed : Prune::Nothing);
  const Question question = question_of(steps);
  for (const std::string& each : question.left_out) tool.console.note("not tried: " + each);
  json::value report = {{"applicable", true}};
  if (!question.changes.empty()) {
    report = tool.client()
                 .call({.method = "POST",
                        .path = "/plan",
                        .body = json::object{{"changes", question.changes}}})
                 .data;
  }
  if (tool.form() == Form::Json)
    tool.console.print(pretty_json(report) + "\n");
  else if (tool.form() == Form::Yaml)
    tool.console.print(yaml_text(report));
  else
    Telling(tool, question).tell(report);
  if (!flag_at(report, "applicable")) return Exit::Refused;
  const bool nothing = list_at(report, "objects").empty() && question.left_out.empty();
  return given.tell && !nothing ? Exit::Differs : Exit::Fine;
}

}  // namespace

void add_planning(CLI::App& root, Tool& tool) {
  CLI::App& command = add_command(
      root, "plan",
      "Tell what apply would do with the files, without doing it: what the server would refuse, "
      "the "
      "objects and proxies concerned, and each resource of Envoy that would be another one.",
      {"plan -f shop.yaml", "plan -f fleet/ --prune --detailed-exitcode",
       "plan -f fleet/ -o json"});
  command.group("Files");
  auto given = std::make_shared<Given>();
  add_file_option(command, given->files);
  command.add_flag("--prune", given->prune, "As apply --prune would delete");
  command.add_flag("--detailed-exitcode", given->tell,
                   "End with 4 when something would change, with 0 when nothing would");
  command.callback([&tool, given] { tool.chosen = [&tool, given] { return plan(tool, *given); }; });
}

}  // namespace mp::cli
