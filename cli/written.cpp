#include "cli/written.hpp"

#include "base/curl.hpp"
#include "base/utf8.hpp"
#include "cli/look.hpp"
#include "cli/names.hpp"
#include "cli/table.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <thread>

namespace mp::cli {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

constexpr std::int64_t longest_server_wait = 60;  // what the server honours of Prefer: wait
constexpr std::int64_t longest_wait = 86400;

bool is_data(Form form) { return form == Form::Json || form == Form::Yaml; }

void explain_refusals(Tool& tool, const std::string& proxy_id) {
  const Answer report = tool.client().get("/proxies/" + curl::url_encoded(proxy_id) + "/config");
  for (const auto& each : list_at(report.data, "rejected")) {
    const std::string name = text_at(each, "object.name");
    tool.console.note(
        "    " + one_line(text_at(each, "object.type") + " " +
                          (name.empty() ? std::to_string(number_at(each, "object.id")) : name) +
                          ": " + text_at(each, "message")));
  }
}

// Who lacks or refuses the change, and why.
void explain(Tool& tool, const json::value& standing) {
  for (const auto& proxy : list_at(standing, "proxies")) {
    const std::string state = text_at(proxy, "state");
    if (state == "live" || state == "offline") continue;
    const std::string id = text_at(proxy, "proxy_id");
    tool.console.note("  " + one_line(text_at(proxy, "hostname") + " (" + id + "): " + state));
    if (state == "rejected") explain_refusals(tool, id);
  }
}

Exit conclude(Tool& tool, std::int64_t revision, const std::string& state,
              const std::optional<json::value>& standing) {
  const std::string idle = state == "idle" ? ", no connected proxy is concerned" : "";
  tool.console.note("revision " + std::to_string(revision) + ": " + state + idle);
  if (state == "live" || state == "idle") return Exit::Fine;
  try {
    explain(tool, standing ? *standing
                           : tool.client().get("/revisions/" + std::to_string(revision)).data);
  } catch (const Refused&) {
    tool.console.note("  what the proxies say cannot be read");
  }
  return Exit::Refused;
}

std::string progress_line(std::int64_t revision, const json::value& standing) {
  const auto& proxies = list_at(standing, "proxies");
  const auto count = [&](std::string_view state) {
    return std::ranges::count_if(
        proxies, [&](const json::value& proxy) { return text_at(proxy, "state") == state; });
  };
  const auto live = count("live");
  return "revision " + std::to_string(revision) + ": " + std::to_string(live) + " of " +
         std::to_string(live + count("pending") + count("rejected")) + " proxies";
}

}  // namespace

void say(Tool& tool, const std::string& line) {
  if (is_data(tool.form()))
    tool.console.note(line);
  else
    tool.console.print(line + "\n");
}

void show_written(Tool& tool, const Resource& resource, const json::object& object,
                  const std::string& what) {
  const Occasion occasion = what == "created" ? Occasion::Making : Occasion::Reading;
  if (is_data(tool.form()) || tool.form() == Form::Name) {
    show_object(tool.console, tool.form(), *resource.noun, object);
    if (is_data(tool.form()) && !secrets_of(*resource.noun, object, occasion).empty())
      tool.console.note("Its secrets are shown this once: keep them now.");
    if (is_data(tool.form())) return;
  } else {
    const std::string label = label_of(resource, object);
    const auto* id = object.if_contains("id");
    const std::string number = id ? cell_text(*id) : label;
    tool.console.print(resource.file_kind() + " " + label +
                       (number == label ? "" : " (" + number + ")") + " " + what + "\n");
  }
  show_secrets(tool, *resource.noun, object, occasion);
}

void show_secrets(Tool& tool, const Description& description, const json::object& object,
                  Occasion occasion) {
  const auto secrets = secrets_of(description, object, occasion);
  for (const auto& path : secrets)
    tool.console.print("  " + path + ": " + text_at(object, path) + "\n");
  if (secrets.empty()) return;
  tool.console.note(secrets.size() == 1 ? "The secret is shown this once: keep it now."
                                        : "The secrets are shown this once: keep them now.");
}

Exit report_live(Tool& tool, const Answer& answer, std::int64_t wanted) {
  if (wanted == 0 || answer.revision == 0) return Exit::Fine;
  const std::string& state = answer.config_status;
  if (state == "pending" && wanted > longest_server_wait)
    return await_revision(tool, answer.revision, seconds(wanted - longest_server_wait));
  return conclude(tool, answer.revision, state.empty() ? "pending" : state, std::nullopt);
}

Exit await_revision(Tool& tool, std::int64_t revision, seconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  // Seldom enough to stay far below the rate limits.
  std::chrono::milliseconds step{100};
  for (;;) {
    const Answer answer = tool.client().get("/revisions/" + std::to_string(revision));
    const std::string state = text_at(answer.data, "state");
    const auto left = deadline - std::chrono::steady_clock::now();
    if (state != "pending" || left <= step) {
      tool.console.progress("");
      return conclude(tool, revision, state, answer.data);
    }
    tool.console.progress(progress_line(revision, answer.data));
    std::this_thread::sleep_for(step);
    step = std::min(step * 3 / 2, std::chrono::milliseconds(2000));
  }
}

void add_wait_option(CLI::App& command, std::int64_t& wait) {
  command.add_option("--wait", wait, "Wait so long for the proxies to hold the change (no wait)")
      ->type_name("SECONDS")
      ->check(CLI::Range(std::int64_t{0}, longest_wait));
}

}  // namespace mp::cli
